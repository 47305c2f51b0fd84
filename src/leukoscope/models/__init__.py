"""Networks: definitions and nothing else.

``MODELS`` is the list of what there is: name → builder. Adding a model is one new file and one
line here. Asking for a list of layers, a shape or a number of weights loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ExperimentError, suggestion
from . import cnn
from .layers import Layer

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..records.experiment import Model

__all__ = ["MODELS", "build", "layers_of"]

MODELS: dict[str, Callable[..., tuple[Layer, ...]]] = {
    "cnn-1": cnn.layers,
    "cnn-2": cnn.layers,
    "cnn-3": cnn.layers,
    "cnn-4": cnn.layers,
    "simple-cnn": cnn.layers,
}
"""Name → function of (name, reading, activation, dropout, outputs) that gives its layers."""


def layers_of(model: Model, classes: int) -> tuple[Layer, ...]:
    """The layers of a model: one sigmoid unit for two classes, a softmax for more.

    Raises
    ------
    ExperimentError
        When the name is unknown (near matches are told) or there are fewer than two classes.
    """
    if model.name not in MODELS:
        raise ExperimentError(f"model.name is '{model.name}'. {suggestion(model.name, MODELS)}")
    if classes < 2:
        raise ExperimentError(f"a model tells at least two classes apart, found {classes}.")
    return MODELS[model.name](
        model.name,
        model.reading,
        activation=model.activation,
        dropout=model.dropout,
        outputs=1 if classes == 2 else classes,
    )


def build(
    model: Model, channels: int, size: int, classes: int, *, generator: torch.Generator
) -> nn.Module:
    """A torch module: (n, channels, size, size) → logits, (n, 1) for two classes.

    Parameters
    ----------
    model
        Name and choices.
    channels, size
        Of the input, in pixels.
    classes
        How many are told apart; two share one sigmoid unit.
    generator
        Draws the initial weights, as Keras does.
    """
    from .building import build_layers

    return build_layers(layers_of(model, classes), channels, size, generator)
