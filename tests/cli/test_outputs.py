"""Where verbs write: a slip of the hand destroys nothing and is told before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukoscope import api
from leukoscope.cli import main
from leukoscope.errors import OutputError

PREDICTIONS = "image,label,p_blast,p_normal\na.png,blast,0.7,0.3\nb.png,normal,0.4,0.6\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files that somebody needs; the work of every verb is forbidden."""
    (tmp_path / "cells" / "blast").mkdir(parents=True)
    (tmp_path / "cells" / "blast" / "b.png").write_bytes(b"pixels")
    (tmp_path / "mine.toml").write_text("[model]\nname = 'cnn-3'\n")
    (tmp_path / "p.csv").write_text(PREDICTIONS)
    (tmp_path / "p.json").write_text(PREDICTIONS)

    def work(*_: object, **__: object) -> None:
        raise AssertionError("nothing is done before the place is known to be right")

    for verb in ("open_data", "evaluate", "split"):
        monkeypatch.setattr(api, verb, work)
    for name in (
        "leukoscope.datasets.reading.read_folder",
        "leukoscope.datasets.download.get",
        "leukoscope.datasets.rendered.render_dataset",
        "leukoscope.demo.run_demo",
        "leukoscope.papers.reproduce.reproduce",
    ):
        monkeypatch.setattr(name, work)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("data read cells -o mine.csv", "is no data set card"),
        ("data read cells -o cells/blast/b.png", "ends in .csv or .parquet"),
        ("data read cells -o p.csv", "has no card"),
        ("data read p.csv --as csv -o p.csv", "is what is read"),
        ("data read cells -o .", "is a folder"),
        ("data get bccd -o p.csv", "is no folder"),
        ("data render rendered-cnmc -o p.csv", "is no folder"),
        ("data expand p.csv -o p.csv", "is no folder"),
        ("check cells -o p.csv", "is no folder"),
        ("split cells -o cells/blast/b.png", "ends in .json"),
        ("split cells -o p.csv/split.json", "p.csv is no folder"),
        ("train --model cnn-1 --data cells -o p.csv/run", "p.csv is no folder"),
        ("evaluate p.csv -o p.csv", "ends in .json"),
        ("evaluate p.json -o p.json", "is what is read"),
        ("evaluate p.csv -o .", "is a folder"),
        ("evaluate p.csv --fuzzy three --verdicts p.csv", "is no folder"),
        ("report run -o p.csv", "ends in .html"),
        ("report run -o r.html --figures p.csv", "is no folder"),
        ("demo -o p.csv", "is no folder"),
        ("reproduce varol2024 --rendered -o p.csv", "is no folder"),
    ],
)
def test_what_is_there_is_kept(
    call: str,
    message: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert main([*call.split(), *(["--quiet"] if call.startswith("data read") else [])]) == 2
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc on this system")
@pytest.mark.parametrize(
    "call",
    [
        "data read cells -o /proc/x.csv",
        "train --model cnn-1 --data cells -o /proc/x",
        "demo -o /proc/demo",
    ],
)
def test_a_place_that_takes_nothing_is_told_first(
    call: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(call.split()) == 3
    said = capsys.readouterr().err
    assert "cannot be written: /proc takes no file" in said
    assert "Errno" not in said


def test_a_reproduction_in_python_is_no_exception(place: Path) -> None:
    with pytest.raises(OutputError, match=r"p\.csv: is no folder"):
        api.reproduce("varol2024", place / "p.csv", rendered=True)


def test_a_failure_of_the_system_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/gone/a.csv")

    monkeypatch.setattr("leukoscope.doctor.examine", fail)
    assert main(["doctor"]) == 3
    expected = "error: /gone/a.csv: reading or writing failed (No such file or directory).\n"
    assert capsys.readouterr().err == expected
