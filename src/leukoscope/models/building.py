"""A list of layers becomes a torch module with Keras's initial weights."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ..errors import ExperimentError
from .layers import Activation, Conv, Dense, Dropout, Flatten, Layer, Pool, shapes

__all__ = ["FlattenLikeKeras", "SeededDropout", "begin_with", "build_layers", "to_channels_last"]

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    # Keras's gelu is the exact one (approximate=False), torch's default too.
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
    "tanh": nn.Tanh,
}


class FlattenLikeKeras(nn.Module):
    """(n, channels, height, width) to (n, height·width·channels).

    In channels-last memory this is a view, and weights mean the same as in Keras.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Flatten all but the first axis, channels fastest."""
        return batch.permute(0, 2, 3, 1).flatten(1)


class SeededDropout(nn.Module):
    """Dropout that draws from a generator of its own, which ``reseed`` sets.

    torch's draws from the process's global generator, which anything else may move.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self._generator: torch.Generator | None = None

    def reseed(self, seed: int, device: torch.device) -> None:
        """Begin a new stream of masks."""
        self._generator = torch.Generator(device).manual_seed(seed)

    def forward(self, batch: Tensor) -> Tensor:
        """Zero a share of the values and scale the others, only while training."""
        if not self.training:
            return batch
        keep = torch.empty_like(batch).bernoulli_(1 - self.rate, generator=self._generator)
        return batch * keep / (1 - self.rate)


def build_layers(
    layers: Sequence[Layer], channels: int, size: int, generator: torch.Generator
) -> nn.Sequential:
    """Build the module: input (n, channels, size, size), output logits (n, units).

    Convolutions and fully connected layers begin glorot-uniform with zero biases, as Keras's do
    (Glorot & Bengio 2010, eq. 16), drawn from ``generator`` in the order of the layers. The
    modules' names count each kind, as in ``conv_1``, ``dense_2``.

    Raises
    ------
    ExperimentError
        When the input is too small for the network.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    before = [(size, size, channels), *shapes(layers, channels, size)]
    for layer, shape in zip(layers, before, strict=False):
        kind = type(layer).__name__.lower()
        name = f"{kind}_{1 + sum(known.startswith(f'{kind}_') for known in parts)}"
        parts[name] = _module(layer, shape[-1])
        if isinstance(layer, Conv | Dense):
            _initialise(parts[name], generator)
            if layer.activation != "linear":
                parts[f"{layer.activation}_after_{name}"] = ACTIVATIONS[layer.activation]()
    return nn.Sequential(parts)


def _module(layer: Layer, inputs: int) -> nn.Module:
    match layer:
        case Conv(filters, kernel, padding):
            return nn.Conv2d(inputs, filters, kernel, padding=kernel // 2 * (padding == "same"))
        case Pool(size):
            return nn.MaxPool2d(size)
        case Flatten():
            return FlattenLikeKeras()
        case Dense(units):
            return nn.Linear(inputs, units)
        case Dropout(rate):
            return SeededDropout(rate)


def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    weight = module.get_parameter("weight")
    field = math.prod(weight.shape[2:])
    limit = math.sqrt(6 / (field * (weight.shape[0] + weight.shape[1])))
    with torch.no_grad():
        weight.uniform_(-limit, limit, generator=generator)
        module.get_parameter("bias").zero_()


def begin_with(network: nn.Module, path: Path, name: str) -> None:
    """Take the convolutions of an earlier training; what is behind the flatten begins anew.

    Raises
    ------
    ExperimentError
        When the file is damaged, or its convolutions are of other shapes.
    """
    try:
        found = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as reason:
        raise ExperimentError(f"{path}: the weights cannot be read ({reason}).") from None
    convolutions = {key: v for key, v in network.state_dict().items() if key.startswith("conv_")}
    for key, value in convolutions.items():
        if key not in found or found[key].shape != value.shape:
            there = tuple(found[key].shape) if key in found else "absent"
            raise ExperimentError(
                f"{path}: {key} is {there}, and {name} has {tuple(value.shape)} there. Give a run "
                "of the same network and the same model.reading."
            )
        value.copy_(found[key])


def to_channels_last(network: nn.Module) -> nn.Module:
    """Lay out the weights of convolutions channels last, in place: faster on every processor."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
