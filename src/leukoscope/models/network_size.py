"""How large a network is: weights, operations of one image, length of its feature vector."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .feature_vectors import vectors
from .measured import Measured

__all__ = ["NetworkSize", "network_size"]


@dataclass(frozen=True)
class NetworkSize:
    """What stands beside an accuracy."""

    parameters: int
    operations: int
    """Forward, of one image: those of convolutions and matrix products, a multiplication with its
    addition counting as two. Normalisation, activations and pooling are left out, as usual."""
    vector_length: int
    """Of what comes before the network's own fully connected head; 0 where nothing does."""


def network_size(network: nn.Module, side: int) -> NetworkSize:
    """Measure a network by passing one blank image of ``side`` pixels, 3 channels, through it."""
    parameters = list(network.parameters())
    if isinstance(network, Measured):
        return NetworkSize(0, 0, 0)
    was_training = network.training
    network.eval()
    blank = torch.zeros(1, 3, side, side, device=parameters[0].device)
    with torch.no_grad():
        with FlopCounterMode(display=False) as counted:
            network(blank)
        try:
            length = vectors(network, blank).shape[1]
        except TypeError:
            length = 0
    network.train(was_training)
    return NetworkSize(
        parameters=sum(parameter.numel() for parameter in parameters),
        operations=int(counted.get_total_flops()),
        vector_length=int(length),
    )
