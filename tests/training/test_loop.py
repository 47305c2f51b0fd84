"""The loss and its weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.utils.class_weight import compute_class_weight

from leukoscope.errors import RunError
from leukoscope.images.pipeline import Pipeline
from leukoscope.models import build
from leukoscope.records.experiment import Model
from leukoscope.training.batches import Part, normaliser_of
from leukoscope.training.loop import FoldData, forward
from leukoscope.training.losses import class_weights, losses_of
from leukoscope.training.predicting import (
    FoldModel,
    load_model,
    predict_run,
    probabilities,
    save_model,
)


class _Noise:
    """Pixels of 40 images."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.pixels = rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)

    def batch(self, rows: np.ndarray) -> np.ndarray:
        return self.pixels[rows]


def _data(targets: np.ndarray, classes: int) -> FoldData:
    part = Part(np.arange(len(targets)), targets)
    normaliser = normaliser_of(Pipeline(8), torch.device("cpu"))
    return FoldData(_Noise(), normaliser, part, part, part, classes)


def test_balanced_class_weights_are_scikit_learn_s() -> None:
    targets = np.array([0] * 5 + [1] * 25 + [2] * 10)
    found = class_weights(targets, 3, "balanced")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    assert found is not None
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    assert class_weights(targets, 3, "none") is None


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_loss_is_keras_s(classes: int, weighted: bool) -> None:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (12, 1 if classes == 2 else classes)).astype(np.float32)
    targets = rng.integers(0, classes, 12)
    weights = rng.random(classes).astype(np.float32) if weighted else None
    ours = losses_of(
        torch.from_numpy(logits),
        torch.from_numpy(targets),
        None if weights is None else torch.from_numpy(weights),
    ).mean()
    if classes == 2:
        theirs = keras.losses.BinaryCrossentropy(from_logits=True)
    else:
        theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    column = targets[:, None].astype(np.float32) if classes == 2 else targets
    expected = theirs(column, logits, None if weights is None else weights[targets])
    assert float(ours) == pytest.approx(float(expected), rel=1e-6)


def test_logits_become_probabilities() -> None:
    one = torch.tensor([[-50.0], [0.0], [2.0]])
    assert probabilities(one)[:, 1] == pytest.approx(expit([-50.0, 0.0, 2.0]))
    three = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(probabilities(three), softmax(three.double().numpy(), axis=1))


def test_a_pass_does_not_depend_on_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(Model(name="cnn-1"), 3, 8, 2, generator=torch.Generator().manual_seed(0))
    data = _data(np.arange(40) % 2, 2)
    whole = forward(network, data, data.test)
    monkeypatch.setattr("leukoscope.training.loop.FORWARD_PIXELS", 3 * 64)
    assert torch.allclose(whole, forward(network, data, data.test), atol=1e-6)
    assert whole.shape == (40, 1)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "fold-0"
    folder.mkdir(parents=True)
    record = FoldModel(
        model=Model(name="cnn-1"),
        classes=("normal", "blast"),
        positive="blast",
        size=8,
        epoch=1,
        epochs=1,
        chosen_by="the last epoch",
        fitted_on="",
        precision="float32",
        parameters=0,
    )
    other = build(Model(name="cnn-1"), 3, 10, 2, generator=torch.Generator())
    save_model(folder, record, other, Pipeline(8))
    with pytest.raises(RunError, match=r"these are not the weights of cnn-1 at 8 px"):
        load_model(folder)
    (folder / "weights.safetensors").write_bytes(b"{}")
    with pytest.raises(RunError, match="the weights cannot be read"):
        load_model(folder)
    (folder / "model.json").unlink()
    with pytest.raises(RunError, match="there is no such fold model file"):
        predict_run(tmp_path / "run", 0, np.zeros((1, 8, 8, 3), dtype=np.uint8))
