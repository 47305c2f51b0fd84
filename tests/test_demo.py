"""The demo, made small: everything is written, the last lines say how large the leak is."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukoscope import demo
from leukoscope.errors import LeukoscopeError
from leukoscope.progress import Progress


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SUBJECTS", 8)
    monkeypatch.setattr(demo, "IMAGES", 64)
    monkeypatch.setattr(demo, "SIZE_PX", 48)
    settings = {**demo.SETTINGS, "model.name": "cnn-4", "training.epochs": 1}
    monkeypatch.setattr(demo, "SETTINGS", settings)


@pytest.mark.usefixtures("small")
def test_the_demo_ends_with_the_leak_and_the_report(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    outcome = demo.run_demo(out, progress=Progress(quiet=True))
    assert outcome.leak == outcome.auroc["as-published"] - outcome.auroc["leak-free"]
    last = outcome.sentence().splitlines()
    assert f"{outcome.leak:+.3f}" in last[-3]
    assert last[-2] == f"report: {out / 'report.html'}"
    assert last[-1] == "research use only"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Rendered data" in page
    # A second call finds everything done.
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("predictions.csv")}
    again = demo.run_demo(out, progress=Progress(quiet=True))
    assert again.auroc == outcome.auroc
    assert {path: path.stat().st_mtime_ns for path in out.rglob("predictions.csv")} == stamps


def test_the_demo_spares_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LeukoscopeError, match=r"is no demo. Choose another folder with -o"):
        demo.run_demo(tmp_path, progress=Progress(quiet=True))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_demo_in_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "demo"
    demo._claim(out, 0)
    before = (out / "demo.txt").read_text(encoding="utf-8")
    demo._claim(out, 0)
    refusal = r"another seed or of other settings .*Choose another folder with -o, or remove"
    with pytest.raises(LeukoscopeError, match=refusal):
        demo.run_demo(out, seed=1, progress=Progress(quiet=True))
    monkeypatch.setattr(demo, "SIZE_PX", 48)
    with pytest.raises(LeukoscopeError, match=refusal):
        demo.run_demo(out, seed=0, progress=Progress(quiet=True))
    assert [path.name for path in out.iterdir()] == ["demo.txt"]
    assert (out / "demo.txt").read_text(encoding="utf-8") == before


def test_the_leak_is_not_said_to_be_the_subjects_alone() -> None:
    outcome = demo.DemoOutcome(
        auroc={"as-published": 0.9, "leak-free": 0.7}, leak=0.2, interval=(0.1, 0.3), groups=24,
        findings=0, folder="demo", report="demo/report.html",
    )  # fmt: skip
    assert "subjects on both sides, copies, and the epoch" in outcome.sentence()
    none = outcome.model_copy(update={"interval": (-0.1, 0.3)}).sentence()
    assert "too few subjects to tell it from none" in none
