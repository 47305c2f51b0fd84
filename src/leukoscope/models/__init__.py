"""Networks: definitions and nothing else.

``MODELS`` lists the small networks: name → builder. Adding a model is one new file and one line
here. Any other name is a backbone's (``pretrained.BACKBONES``, or timm's own). Behind a ``+``
stands a classical head (``classical.HEADS``), which is no part of the network. Asking for a list of
layers, a shape or a number of weights of a small network loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ExperimentError, suggestion
from . import cnn
from .classical import MEASURED, head_of, network_of
from .heads import output_units
from .layers import Layer

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..records.experiment import Model
    from .pretrained import Pretraining
    from .weight_files import WeightFile

__all__ = ["MODELS", "build", "head_of", "layers_of", "network_of", "vectors"]

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
    name = network_of(model.name)
    if name not in MODELS:
        raise ExperimentError(f"model.name is '{model.name}'. {suggestion(name, MODELS)}")
    if classes < 2:
        raise ExperimentError(f"a model tells at least two classes apart, found {classes}.")
    return MODELS[name](
        name,
        model.reading,
        activation=model.activation,
        dropout=model.dropout,
        outputs=output_units(model, classes),
    )


def build(
    model: Model,
    channels: int,
    size: int,
    classes: int,
    *,
    generator: torch.Generator,
    weights: WeightFile | Pretraining | None = None,
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
    weights
        A file to load (a backbone's by ``weight_files.find_weights``; a small network begins with
        the convolutions of an earlier run), or the facts alone where all weights are loaded later.

    Raises
    ------
    ExperimentError
        When the name is unknown, or something is asked of the network that it cannot do.
    """
    if head_of(model.name) and model.fusion == "probabilities":
        raise ExperimentError(
            f"model.fusion is 'probabilities', and {model.name} has one classical head for both "
            "networks, so there are no two probabilities to average. Leave model.fusion out, or "
            f"the '+{head_of(model.name)}'."
        )
    model = model.model_copy(update={"name": network_of(model.name)})
    if model.name in MEASURED:
        from .measured import Measured

        _refuse_backbone_keys(model)
        return Measured(model.name)
    if model.name not in MODELS:
        from .hybrid import is_hybrid
        from .pretrained import is_backbone, known_names

        if classes < 2:
            raise ExperimentError(f"a model tells at least two classes apart, found {classes}.")
        if is_hybrid(model.name):
            from .branches import build_hybrid

            return build_hybrid(model, size, classes, weights, generator)
        if not is_backbone(model.name):
            known = [*MODELS, *MEASURED, *known_names()]
            raise ExperimentError(f"model.name is '{model.name}'. {suggestion(model.name, known)}")
        from .backbones import build_network

        return build_network(model, size, classes, weights, generator)
    from .building import begin_with, build_layers
    from .weight_files import WeightFile

    _refuse_backbone_keys(model)
    network = build_layers(layers_of(model, classes), channels, size, generator)
    if isinstance(weights, WeightFile):
        begin_with(network, weights.path, model.name)
    return network


def vectors(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Feature vectors (n, length) that a network makes of a batch (``feature_vectors``)."""
    from .feature_vectors import vectors as of_network

    return of_network(network, batch)


def _refuse_backbone_keys(model: Model) -> None:
    """A key that would have no effect is not passed over."""
    plain = type(model)()
    if model.weights.startswith("run:") and model.name in MODELS:
        plain = plain.model_copy(update={"weights": model.weights})
    for key in ("weights", "pooling", "hidden", "trainable"):
        if getattr(model, key) != getattr(plain, key):
            raise ExperimentError(
                f"model.{key} is about backbones, and {model.name} is none. "
                f"Leave model.{key} out, or name a backbone."
            )
