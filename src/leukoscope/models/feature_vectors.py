"""The vector that a network makes of an image, before its own fully connected head."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .building import FlattenLikeKeras

__all__ = ["vectors"]


def vectors(network: nn.Module, batch: Tensor) -> Tensor:
    """Feature vectors (n, length) of a batch (n, 3, size, size), normalised as for the network.

    Of a network that is a list of layers, all that ends in its flatten (varol2024 §2.6.2: the
    convolution part); any other network has a method ``vectors``.

    Raises
    ------
    TypeError
        When the network has neither.
    """
    if isinstance(network, nn.Sequential):
        for module in network:
            batch = module(batch)
            if isinstance(module, FlattenLikeKeras):
                return batch
    own: Any = getattr(network, "vectors", None)
    if own is None:
        raise TypeError(f"{type(network).__name__} has neither a flatten nor a method 'vectors'")
    found: Tensor = own(batch)
    return found
