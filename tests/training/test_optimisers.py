"""Fifty steps beside Keras's own optimisers, on a small network."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from leukoscope.models.building import build_layers
from leukoscope.models.layers import Conv, Dense, Flatten, Pool
from leukoscope.records.experiment import DEFAULT_RATES, Optimiser, Schedule
from leukoscope.training.optimisers import make_optimiser
from leukoscope.training.schedules import rate_at

STEPS = 50
LAYERS = (Conv(4), Pool(), Conv(6, padding="same"), Flatten(), Dense(8), Dense(1, "linear"))
CASES = {
    "sgd": Optimiser(name="sgd"),
    "sgd with momentum": Optimiser(name="sgd", learning_rate=0.02, momentum=0.9),
    "adam": Optimiser(name="adam"),
    "rmsprop": Optimiser(name="rmsprop"),
    "rmsprop with momentum": Optimiser(name="rmsprop", learning_rate=3e-4, momentum=0.5),
    "adam with decay": Optimiser(name="adam", weight_decay=0.01),
}


def _keras() -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    if keras.backend.backend() != "torch":
        pytest.fail("Keras was imported with another backend before this test")
    return keras


def _their_optimiser(keras: Any, settings: Optimiser, rate: Any) -> Any:
    decay = settings.weight_decay or None
    if settings.name == "adam":
        return keras.optimizers.Adam(rate, weight_decay=decay)
    kind = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}[settings.name]
    return kind(rate, momentum=settings.momentum, weight_decay=decay)


def _data() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        (rng.random((16, 8, 8, 3), dtype=np.float32), rng.integers(0, 2, 16).astype(np.float32))
        for _ in range(STEPS)
    ]


def _ours(settings: Optimiser, schedule: Schedule) -> tuple[list[np.ndarray], list[np.ndarray]]:
    network = build_layers(LAYERS, 3, 8, torch.Generator().manual_seed(0))
    parameters = list(network.parameters())
    before = [parameter.detach().numpy().copy() for parameter in parameters]
    optimiser = make_optimiser([p.data for p in parameters], settings)
    for step, (images, labels) in enumerate(_data()):
        logits = network(torch.from_numpy(images).permute(0, 3, 1, 2)).squeeze(1)
        loss = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(labels))
        gradients = list(torch.autograd.grad(loss, parameters))
        rate = rate_at(schedule, settings.initial_rate, step, STEPS)
        with torch.no_grad():
            optimiser.step(gradients, rate, step + 1)
    return before, [parameter.detach().numpy() for parameter in parameters]


def _theirs(
    keras: Any, settings: Optimiser, rate: Any, before: list[np.ndarray]
) -> list[np.ndarray]:
    network = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(6, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    network.set_weights([w.transpose(2, 3, 1, 0) if w.ndim == 4 else w.T for w in before])
    network.compile(
        _their_optimiser(keras, settings, rate),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    for images, labels in _data():
        network.train_on_batch(images, labels[:, None])
    return [w.transpose(3, 2, 0, 1) if w.ndim == 4 else w.T for w in network.get_weights()]


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES.keys())
def test_fifty_steps_are_keras_s(settings: Optimiser) -> None:
    keras = _keras()
    before, ours = _ours(settings, Schedule())
    theirs = _theirs(keras, settings, settings.initial_rate, before)
    for mine, other, start in zip(ours, theirs, before, strict=True):
        # The same float32 arithmetic in another order of summation.
        np.testing.assert_allclose(mine, other, atol=1e-5)
        assert np.abs(mine - start).max() > 1e-4


@pytest.mark.parametrize("kind", ["exponential", "staircase", "cosine"])
def test_schedules_are_keras_s(kind: str) -> None:
    keras = _keras()
    schedule = Schedule(kind=kind, decay_steps=7, decay_rate=0.9)
    theirs = (
        keras.optimizers.schedules.CosineDecay(0.01, STEPS)
        if kind == "cosine"
        else keras.optimizers.schedules.ExponentialDecay(
            0.01, 7, 0.9, staircase=kind == "staircase"
        )
    )
    for step in range(STEPS + 5):
        # Keras computes in float32.
        assert rate_at(schedule, 0.01, step, STEPS) == pytest.approx(float(theirs(step)), rel=1e-5)


def test_the_rates_of_fata2023() -> None:
    """PAPERS, section 6: 267 steps an epoch, 1e-4, 900, 0.95."""
    schedule = Schedule(kind="exponential", decay_steps=900, decay_rate=0.95)
    for epochs, rate in ((10, 8.588e-5), (50, 4.673e-5), (100, 2.183e-5)):
        assert rate_at(schedule, 1e-4, 267 * epochs, 26700) == pytest.approx(rate, rel=2e-4)
    stairs = schedule.model_copy(update={"kind": "staircase"})
    assert rate_at(stairs, 1e-4, 26700, 26700) == pytest.approx(2.26e-5, rel=2e-3)


def test_default_rates() -> None:
    """SGD's is Keras's; the others are 0.3 of it, where CNN-3 learns at every seed."""
    keras = _keras()
    assert float(keras.optimizers.SGD().learning_rate) == pytest.approx(DEFAULT_RATES["sgd"])
    for name, kind in (("adam", keras.optimizers.Adam), ("rmsprop", keras.optimizers.RMSprop)):
        assert DEFAULT_RATES[name] == pytest.approx(0.3 * float(kind().learning_rate))
        assert Optimiser(name=name).initial_rate == DEFAULT_RATES[name]
    assert Optimiser(name="sgd", learning_rate=0.5).initial_rate == 0.5
