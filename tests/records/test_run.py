"""A run folder: read back whole, refused where it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from leukoscope.errors import RunError
from leukoscope.files import write_json
from leukoscope.records.experiment import Experiment, with_settings, write_experiment
from leukoscope.records.findings import Finding, write_findings
from leukoscope.records.run import (
    DataSummary,
    describe_environment,
    read_history,
    read_run,
    write_data_summary,
)
from leukoscope.records.split import Fold, Split, write_split

SUMMARY = DataSummary(
    card={"name": "made", "classes": {"ALL": "blast", "hem": "normal"}, "positive": "ALL"},
    manifest_sha256="ab" * 32,
    rows=3,
    used=2,
    excluded={"unreadable": 1},
    failures=("c.png: is empty (0 bytes).",),
    classes={"ALL": 1, "hem": 1},
    subjects=0,
    groups={"ALL": 1, "hem": 1},
    groups_total=2,
    groups_inferred=True,
    rendered=False,
)
FINDING = Finding(check="inferred-groups", severity="note", summary="No subjects.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    write_experiment(Experiment(), run / "experiment.toml")
    split = Split(
        kind="holdout",
        edition="leak-free",
        unit="group",
        groups="inferred",
        seed=0,
        manifest_sha256=SUMMARY.manifest_sha256,
        folds=(Fold(name="fold-0", train=("a.png",), test=("b.png",)),),
    )
    write_split(split, run / "split.json")
    write_data_summary(SUMMARY, run / "data.json")
    write_findings([FINDING], run / "findings.json")
    (run / "predictions.csv").write_text("image,label,p_ALL,p_hem\nb.png,hem,0.4,0.6\n")
    write_json(run / "metrics.json", {"schema": 1, "levels": {}})
    write_json(run / "environment.json", describe_environment(["train", "x"]))
    return run


def test_a_run_is_read_back(folder: Path) -> None:
    run = read_run(folder)
    assert run.data == SUMMARY
    assert run.findings == (FINDING,)
    assert run.predictions.positive == "ALL"
    assert run.experiment == Experiment()
    assert run.metrics["levels"] == {}


def test_inferred_groups_stand_in_the_edition(folder: Path) -> None:
    run = read_run(folder)
    assert run.edition == "leak-free (inferred)"
    split = json.loads((folder / "split.json").read_text())
    write_json(folder / "split.json", split | {"groups": "published"})
    assert read_run(folder).edition == "leak-free"
    experiment = with_settings(Experiment(), {"edition": "as-published"})
    write_experiment(experiment, folder / "experiment.toml")
    assert read_run(folder).edition == "as-published"


def test_a_partial_run_says_how_to_finish_it(folder: Path) -> None:
    partial = folder.with_name("run.partial")
    shutil.move(folder, partial)
    for path in (folder, partial):
        with pytest.raises(RunError, match=r"not finished; .*run\.partial\. Run the same train"):
            read_run(path)


def test_no_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no such run folder"):
        read_run(tmp_path / "none")
    with pytest.raises(RunError, match="there is no such run folder"):
        read_run(tmp_path / "none.partial")


@pytest.mark.parametrize(
    "name",
    [
        "experiment.toml",
        "split.json",
        "data.json",
        "findings.json",
        "predictions.csv",
        "metrics.json",
        "environment.json",
    ],
)
def test_a_run_without_one_of_its_files_is_none(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(RunError, match=f"is no run: {name} is missing"):
        read_run(folder)


def test_a_newer_or_misspelt_summary(folder: Path) -> None:
    data = json.loads((folder / "data.json").read_text())
    write_json(folder / "data.json", data | {"schema": 2})
    with pytest.raises(RunError, match=r"newer leukoscope \(data summary schema 2"):
        read_run(folder)
    write_json(folder / "data.json", data | {"subjcts": 2})
    with pytest.raises(RunError, match=r"unknown key 'subjcts'\. Did you mean 'subjects'\?"):
        read_run(folder)


def test_history(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss\n1,0.5\n2,0.25\n")
    assert read_history(path)["loss"].tolist() == [0.5, 0.25]
    path.write_text("")
    with pytest.raises(RunError, match="cannot be read as a training history"):
        read_history(path)


def test_the_environment_names_versions_and_no_person() -> None:
    given = ["train", "/home/ann/x/cnmc.csv", "--out=C:\\Users\\ann\\run", "data/m.csv", "a=1/2"]
    found = describe_environment(given)
    assert found["versions"]["numpy"]
    assert found["arguments"] == ["train", "cnmc.csv", "--out=run", "data/m.csv", "a=1/2"]
    assert set(found) == {
        "schema", "date", "python", "system", "machine", "versions", "arguments"
    }  # fmt: skip
    text = json.dumps(found)
    for private in (str(Path.home()), Path.home().name):
        if len(private) > 4:
            assert private not in text
