"""SGD, Adam and RMSprop with the updates that Keras 3 makes (its defaults, its epsilon 1e-7).

The papers used Keras, and torch's optimisers of the same names differ: another epsilon, and in
RMSprop epsilon outside of the root. All parameters are updated in one fused call each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from ..records.experiment import Optimiser

__all__ = [
    "OPTIMISERS",
    "Adam",
    "RmsProp",
    "Sgd",
    "Updates",
    "make_optimiser",
]

EPSILON = 1e-7

Tensors = list[Tensor]
State = dict[str, Tensors]


class Updates(Protocol):
    """What a training loop needs of an optimiser."""

    state: State
    """Name → one tensor a parameter: all that has to be saved, beside the number of steps."""

    def step(self, gradients: Tensors, rate: float, count: int) -> None:
        """Update the parameters in place; ``count`` is the number of this step, from 1."""
        ...


def _zeros(parameters: Tensors) -> Tensors:
    return [torch.zeros_like(parameter) for parameter in parameters]


class Sgd:
    """``m = momentum·m − rate·g;  w += m``."""

    def __init__(self, parameters: Tensors, settings: Optimiser) -> None:
        self._parameters = parameters
        self._momentum = settings.momentum
        self.state: State = {"momentum": _zeros(parameters)} if settings.momentum else {}

    def step(self, gradients: Tensors, rate: float, count: int) -> None:
        """One update."""
        if not self._momentum:
            torch._foreach_add_(self._parameters, gradients, alpha=-rate)
            return
        moved = self.state["momentum"]
        torch._foreach_mul_(moved, self._momentum)
        torch._foreach_add_(moved, gradients, alpha=-rate)
        torch._foreach_add_(self._parameters, moved)


class Adam:
    """Kingma & Ba 2015 with the bias corrections folded into the rate, as in its section 2."""

    FIRST, SECOND = 0.9, 0.999

    def __init__(self, parameters: Tensors, settings: Optimiser) -> None:
        self._parameters = parameters
        self.state: State = {"first": _zeros(parameters), "second": _zeros(parameters)}

    def step(self, gradients: Tensors, rate: float, count: int) -> None:
        """One update."""
        first, second = self.state["first"], self.state["second"]
        corrected = rate * math.sqrt(1 - self.SECOND**count) / (1 - self.FIRST**count)
        torch._foreach_lerp_(first, gradients, 1 - self.FIRST)
        torch._foreach_mul_(second, self.SECOND)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - self.SECOND)
        below = list(torch._foreach_sqrt(second))
        torch._foreach_add_(below, EPSILON)
        torch._foreach_addcdiv_(self._parameters, first, below, -corrected)


class RmsProp:
    """``v = 0.9·v + 0.1·g²;  w −= rate·g / √(v + ε)``: epsilon inside the root, as in Keras."""

    RHO = 0.9

    def __init__(self, parameters: Tensors, settings: Optimiser) -> None:
        self._parameters = parameters
        self._momentum = settings.momentum
        self.state: State = {"velocity": _zeros(parameters)}
        if settings.momentum:
            self.state["momentum"] = _zeros(parameters)

    def step(self, gradients: Tensors, rate: float, count: int) -> None:
        """One update."""
        velocity = self.state["velocity"]
        torch._foreach_mul_(velocity, self.RHO)
        torch._foreach_addcmul_(velocity, gradients, gradients, 1 - self.RHO)
        below = list(torch._foreach_add(velocity, EPSILON))
        torch._foreach_sqrt_(below)
        if not self._momentum:
            torch._foreach_addcdiv_(self._parameters, gradients, below, -rate)
            return
        moved = self.state["momentum"]
        torch._foreach_mul_(moved, self._momentum)
        torch._foreach_addcdiv_(moved, gradients, below, rate)
        torch._foreach_sub_(self._parameters, moved)


class _Decayed:
    """Another optimiser after the decoupled decay ``w −= decay·rate·w``."""

    def __init__(self, parameters: Tensors, inner: Updates, decay: float) -> None:
        self._parameters = parameters
        self._inner = inner
        self._decay = decay
        self.state = inner.state

    def step(self, gradients: Tensors, rate: float, count: int) -> None:
        """One update."""
        torch._foreach_mul_(self._parameters, 1 - self._decay * rate)
        self._inner.step(gradients, rate, count)


OPTIMISERS: Mapping[str, type[Sgd] | type[Adam] | type[RmsProp]] = {
    "sgd": Sgd,
    "adam": Adam,
    "rmsprop": RmsProp,
}


def make_optimiser(parameters: Tensors, settings: Optimiser) -> Updates:
    """The optimiser that an experiment names, with its state at zero.

    ``momentum`` means something to ``sgd`` and ``rmsprop``; ``weight_decay`` to all, decoupled
    from the gradient as in Keras.
    """
    made = OPTIMISERS[settings.name](parameters, settings)
    return _Decayed(parameters, made, settings.weight_decay) if settings.weight_decay else made
