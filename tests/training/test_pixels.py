"""How an experiment's preprocessing is planned."""

from __future__ import annotations

import pytest

from leukoscope.errors import ExperimentError
from leukoscope.records.experiment import Experiment, with_settings
from leukoscope.training.pixels import plan_pipeline


@pytest.mark.parametrize("scale", ["symmetric", "pretrained"])
def test_the_networks_of_a_hybrid_normalise_by_themselves(scale: str) -> None:
    asked = {"model.name": "hybrid:vgg16+vgg19", "preprocess.scale": scale}
    assert plan_pipeline(with_settings(Experiment(), asked)).scale == "unit"


@pytest.mark.parametrize(
    ("key", "value"), [("scale", "unit"), ("scale", "none"), ("subtract_mean_image", True)]
)
def test_another_scale_than_theirs_is_refused(key: str, value: object) -> None:
    asked = {"model.name": "hybrid:vgg16+vgg19", f"preprocess.{key}": value}
    with pytest.raises(ExperimentError, match=rf"preprocess.{key} is {value!r}.* Leave"):
        plan_pipeline(with_settings(Experiment(), asked))
