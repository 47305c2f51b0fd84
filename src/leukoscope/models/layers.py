"""Networks as lists of layers that one can read; shapes and weights follow by arithmetic.

Nothing here imports torch: a plan, a report or a test can know every shape and every number of
weights of a network without building it. ``building`` makes the torch module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ExperimentError

__all__ = [
    "Activation",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "Pool",
    "flatten_length",
    "shapes",
    "weights",
]

Activation = Literal["relu", "elu", "gelu", "silu", "tanh", "linear"]


@dataclass(frozen=True)
class Conv:
    """A square convolution with bias, stride 1, and its activation."""

    filters: int
    kernel: int = 3
    padding: Literal["same", "valid"] = "valid"
    activation: Activation = "relu"


@dataclass(frozen=True)
class Pool:
    """The maximum of ``size`` × ``size`` pixels; an odd edge is dropped, as Keras does."""

    size: int = 2


@dataclass(frozen=True)
class Flatten:
    """Height, width and channels as one vector, channels fastest, as Keras does."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer with bias, and its activation."""

    units: int
    activation: Activation = "relu"


@dataclass(frozen=True)
class Dropout:
    """While training, this share of the values is zero and the others are scaled up."""

    rate: float


Layer = Conv | Pool | Flatten | Dense | Dropout
Shape = tuple[int, ...]
"""(height, width, channels), or (length,) once flattened."""


def shapes(layers: Sequence[Layer], channels: int, size: int) -> list[Shape]:
    """The shape after each layer, for a square input of ``size`` pixels.

    Raises
    ------
    ExperimentError
        When the input is too small for the network.
    """
    shape: Shape = (size, size, channels)
    found = []
    for number, layer in enumerate(layers, start=1):
        shape = _after(layer, shape)
        if min(shape) < 1:
            raise ExperimentError(
                f"preprocess.size is {size}: nothing is left of the image after layer {number} "
                f"({layer}). This network needs a larger input."
            )
        found.append(shape)
    return found


def _after(layer: Layer, shape: Shape) -> Shape:
    match layer:
        case Conv(filters, kernel, padding):
            loss = 0 if padding == "same" else kernel - 1
            return (shape[0] - loss, shape[1] - loss, filters)
        case Pool(size):
            return (shape[0] // size, shape[1] // size, shape[2])
        case Flatten():
            return (shape[0] * shape[1] * shape[2],)
        case Dense(units):
            return (units,)
        case Dropout():
            return shape


def weights(layers: Sequence[Layer], channels: int, size: int) -> list[int]:
    """How many weights (biases included) each layer has."""
    before = [(size, size, channels), *shapes(layers, channels, size)]
    counts = []
    for layer, shape in zip(layers, before, strict=False):
        match layer:
            case Conv(filters, kernel):
                counts.append((kernel * kernel * shape[-1] + 1) * filters)
            case Dense(units):
                counts.append((shape[-1] + 1) * units)
            case _:
                counts.append(0)
    return counts


def flatten_length(layers: Sequence[Layer], channels: int, size: int) -> int:
    """The length of the vector that the convolution part ends in (varol2024, Table 6)."""
    for layer, shape in zip(layers, shapes(layers, channels, size), strict=True):
        if isinstance(layer, Flatten):
            return shape[0]
    raise ExperimentError("this network has no Flatten layer, so it has no flattened vector.")
