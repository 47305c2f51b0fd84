"""Where a run's images lie, and what row keys say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from leukoscope.datasets import DatasetCard, manifest_from_rows, write_manifest
from leukoscope.records.experiment import Experiment
from leukoscope.records.images import find_images, split_key


def run_that_names(manifest: str, folder: Path) -> Any:
    """As much of a run as is asked: its folder and its experiment."""
    experiment = Experiment.model_validate({"data": {"manifest": manifest}})
    return SimpleNamespace(folder=folder, experiment=experiment)


def test_row_keys_are_taken_apart() -> None:
    assert split_key("a/b.png") == ("a/b.png", None)
    assert split_key("a#1.png#1,2,3,4") == ("a#1.png", (1, 2, 3, 4))


def test_images_are_found_beside_the_experiment_or_the_reason_is_told(tmp_path: Path) -> None:
    run = tmp_path / "run"
    data = tmp_path / "data"
    for folder in (run, data):
        folder.mkdir()
    card = DatasetCard(name="two", classes={"blast": "blast", "normal": "normal"})
    rows = [{"image": f"{n}.png", "label": label} for n, label in enumerate(card.classes)]
    path = data / "cells.csv"
    write_manifest(manifest_from_rows(rows, card, data), path)
    found = find_images(run_that_names("../data/cells.csv", run)).folder
    assert found is not None
    assert found.resolve() == data.resolve()
    assert find_images(run_that_names("../data", run)).folder == run / "../data"
    unnamed = find_images(run_that_names("", run))
    assert unnamed.reason == "the experiment names no manifest"
    gone = find_images(run_that_names("../data/none.csv", run))
    assert gone.reason == "the manifest that the experiment names is not at hand"
    path.write_text("nonsense\n", encoding="utf-8")
    broken = find_images(run_that_names("../data/cells.csv", run))
    assert broken.reason == "the manifest cannot be read (ManifestError)"
