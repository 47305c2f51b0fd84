"""A classical head behind a backbone of timm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from leukoscope.datasets.manifest import Manifest
from leukoscope.records.experiment import Experiment
from leukoscope.training import train


def test_a_frozen_backbone_is_not_trained_before_the_head(
    cells: Manifest, small: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = small(
        model__name="mobilenetv2_050+svm", model__trainable="head", preprocess__size=32
    )
    run = train(experiment, cells, tmp_path / "run")
    record = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert record["epochs"] == 0
    assert record["vector_length"] == 1280
    assert record["head"].startswith("SVM (RBF kernel")
    assert not (run.folder / "fold-0" / "history.csv").exists()
