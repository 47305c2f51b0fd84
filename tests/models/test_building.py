"""Layer lists become torch modules that compute what Keras's layers do."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from leukoscope.errors import ExperimentError
from leukoscope.models import MODELS, build, layers_of
from leukoscope.models.building import SeededDropout
from leukoscope.models.layers import shapes, weights
from leukoscope.records.experiment import Model


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", ["cnn-3", "cnn-4"])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_module_is_what_the_arithmetic_says(name: str, classes: int) -> None:
    model = Model(name=name, dropout=0.5)
    layers = layers_of(model, classes)
    module = build(model, 3, 32, classes, generator=_seeded())
    parameters = sum(parameter.numel() for parameter in module.parameters())
    assert parameters == sum(weights(layers, 3, 32))
    module.eval()
    assert module(torch.zeros(2, 3, 32, 32)).shape == (2, shapes(layers, 3, 32)[-1][0])
    assert shapes(layers, 3, 32)[-1] == ((1,) if classes == 2 else (4,))


def test_initial_weights_are_glorot_uniform_with_zero_biases() -> None:
    module = build(Model(name="cnn-3"), 3, 32, 2, generator=_seeded())
    for parameter in module.parameters():
        if parameter.ndim == 1:
            assert not parameter.any()
            continue
        field = math.prod(parameter.shape[2:])
        limit = math.sqrt(6 / (field * (parameter.shape[0] + parameter.shape[1])))
        assert parameter.abs().max() <= limit
        # A uniform variable on [-limit, limit] has variance limit²/3; within 5 % for the smallest
        # layer (128 weights have a relative standard error of the variance of about 8 %).
        if parameter.numel() > 1000:
            assert float(parameter.detach().var()) == pytest.approx(limit**2 / 3, rel=0.08)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = (
        build(Model(), 3, 32, 2, generator=_seeded(seed)).state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.slow
def test_the_forward_pass_is_keras_s() -> None:
    """Weights copied into the same layers of Keras, built by hand from the paper's words."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers as K

    blocks = []
    for filters, pool in ((64, False), (128, True), (64, True)):
        for padding in ("same", "valid", "valid"):
            blocks.append(K.Conv2D(filters, 3, padding=padding, activation="relu"))
        if pool:
            blocks.append(K.MaxPooling2D(2))
    head = [
        K.Flatten(),
        K.Dense(256, activation="relu"),
        K.Dense(128, activation="relu"),
        K.Dense(1),
    ]
    theirs = keras.Sequential([keras.Input((32, 32, 3)), *blocks, *head])
    ours = build(Model(name="cnn-3"), 3, 32, 2, generator=_seeded()).eval()
    values = []
    for parameter in ours.parameters():
        array = parameter.detach().numpy()
        values.append(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T)
    theirs.set_weights(values)
    images = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)
    with torch.no_grad():
        got = ours(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    expected = theirs.predict(images, verbose=0)
    # float32 sums of up to 1,152 products in another order.
    np.testing.assert_allclose(got, expected, atol=1e-5, rtol=1e-4)


def test_dropout_draws_from_its_own_stream() -> None:
    layer = SeededDropout(0.5)
    layer.reseed(3, torch.device("cpu"))
    torch.manual_seed(0)
    first = layer(torch.ones(1000))
    torch.manual_seed(1)
    layer.reseed(3, torch.device("cpu"))
    assert torch.equal(layer(torch.ones(1000)), first)
    assert set(first.tolist()) == {0.0, 2.0}
    assert 400 < int((first == 0).sum()) < 600
    layer.eval()
    assert torch.equal(layer(torch.ones(10)), torch.ones(10))


def test_an_unknown_model_is_answered_with_the_right_one() -> None:
    with pytest.raises(ExperimentError, match=r"model.name is 'cnn-33'. Did you mean 'cnn-3'"):
        build(Model(name="cnn-33"), 3, 32, 2, generator=_seeded())


def test_one_class_is_no_task() -> None:
    with pytest.raises(ExperimentError, match="at least two classes apart, found 1"):
        layers_of(Model(), 1)


def test_reading_the_registry_loads_no_torch() -> None:
    code = (
        "import sys; from leukoscope.models import MODELS, layers_of;"
        "from leukoscope.records.experiment import Model; layers_of(Model(), 2);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(MODELS) == {"cnn-1", "cnn-2", "cnn-3", "cnn-4", "simple-cnn"}
