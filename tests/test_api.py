"""The verbs in Python: values in, values out, and no surprise about what a path means."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import leukoscope as lk
from leukoscope.errors import ExperimentError, MissingExtraError, RunError
from leukoscope.records.experiment import SplitPlan


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api") / "cells"
    lk.render("rendered-cnmc", folder, subjects=6, images=36, size=40)
    return folder


def test_a_folder_is_accepted_wherever_a_manifest_is(cells: Path) -> None:
    from_folder = lk.read_dataset(cells)
    from_file = lk.read_dataset(cells / "manifest.csv")
    assert from_folder.sha256 == from_file.sha256
    plan = SplitPlan(folds=2)
    assert lk.split(from_folder, plan=plan) == lk.split(cells, plan=plan)
    assert lk.check(from_file) == lk.check(str(cells))


def test_unreadable_images_are_told(cells: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "cells"
    shutil.copytree(cells / "C-NMC_training_data", copy / "C-NMC_training_data")
    (next(copy.rglob("*.bmp"))).write_bytes(b"")
    with pytest.warns(UserWarning, match="1 unreadable images are left out"):
        manifest = lk.read_dataset(copy)
    assert len(manifest) == 35


def test_a_run_finds_its_images_again_without_telling_where_home_is(
    cells: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs" / "one"
    settings = {"training.epochs": 1, "training.epoch": "last", "split.folds": 2}
    run = lk.train(cells / "manifest.csv", out, settings=settings)
    named = tomllib.loads((out / "experiment.toml").read_text())["data"]["manifest"]
    assert not Path(named).is_absolute()
    assert (out / named).resolve() == (cells / "manifest.csv").resolve()
    metrics = lk.evaluate(run, resamples=100)
    assert metrics["groups"]["source"] == "published"
    assert lk.evaluate(out, resamples=100) == metrics
    with pytest.raises(RunError, match="exists already"):
        lk.train(cells, out, settings=settings)
    with pytest.raises(ExperimentError, match="no predictions of the train part"):
        lk.evaluate(run, part="train")


def test_training_without_torch_says_what_to_install(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'leukoscope\[train\]'"):
        lk.train(cells, tmp_path / "run")


def test_reproduce_hands_on_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leukoscope.papers import reproduce as room

    asked = []
    monkeypatch.setattr(room, "reproduce", lambda *given: asked.append(given))
    lk.reproduce("abed2022", tmp_path, data={"allidb2": "here"}, only=["main"], rendered=True)
    ((request, out, _),) = asked
    assert (request.paper, request.only, out) == ("abed2022", ("main",), tmp_path)
    assert request.data == {"allidb2": Path("here")}
    assert request.jobs == 1
