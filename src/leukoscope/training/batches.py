"""Stored bytes become what the network sees: scaled, mean image subtracted, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..images.pipeline import Pipeline

__all__ = ["Inputs", "Integers", "Loader", "Normaliser", "Part", "PixelSource", "normaliser_of"]

Integers = np.ndarray[Any, np.dtype[np.int64]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class PixelSource(Protocol):
    """Something that knows the preprocessed pixels of rows: a store, or a store and copies."""

    def batch(self, rows: Sequence[int] | Integers) -> Pixels:
        """uint8, (n, size, size, 3)."""
        ...


class Inputs(Protocol):
    """What a network trains on: pixels, or in their place the vectors of a frozen backbone."""

    def batch(self, rows: Sequence[int] | Integers) -> np.ndarray[Any, Any]:
        """The inputs of these rows, one along the first axis."""
        ...


class Loader(Protocol):
    """Brings inputs to a device, and makes them what the network sees."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        ...

    def load(self, inputs: Any, /) -> Tensor:
        """A batch on the device, still to be augmented."""
        ...

    def __call__(self, values: Tensor, /) -> Tensor:
        """The batch as the network sees it."""
        ...


@dataclass(frozen=True)
class Part:
    """The rows of one part and their classes, as numbers."""

    rows: Integers
    targets: Integers

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Normaliser:
    """``images.pipeline.normalise`` on a device, as one multiplication and one subtraction."""

    factor: float | Tensor
    """One number, or one a channel: (3, 1, 1)."""
    offset: Tensor
    """Subtracted after the factor: (1,), (3, 1, 1) or (3, size, size)."""
    device: torch.device

    def load(self, pixels: Pixels) -> Tensor:
        """uint8 (n, size, size, 3) as float32 (n, 3, size, size) 0-255, channels last."""
        # The copy makes a read-only memory map writable for torch; it is small beside a step.
        bytes_ = torch.from_numpy(np.array(pixels, copy=True)).to(self.device, non_blocking=True)
        return bytes_.permute(0, 3, 1, 2).to(torch.float32)

    def __call__(self, values: Tensor) -> Tensor:
        """0-255 as the network sees them, in place."""
        return values.mul_(self.factor).sub_(self.offset)


def normaliser_of(pipeline: Pipeline, device: torch.device) -> Normaliser:
    """The normaliser of a pipeline that is fitted."""
    factor: float | Tensor
    offset = torch.zeros(1)
    if pipeline.scale == "standard":
        std = torch.tensor(pipeline.std).reshape(3, 1, 1)
        factor = 1 / (255 * std)
        offset = torch.tensor(pipeline.mean).reshape(3, 1, 1) / std
    else:
        factor = {"unit": 1 / 255, "symmetric": 1 / 127.5, "none": 1.0}[pipeline.scale]
    if pipeline.subtract_mean_image:
        assert pipeline.fitted is not None
        assert pipeline.fitted.mean_image is not None
        offset = torch.from_numpy(pipeline.fitted.mean_image).permute(2, 0, 1) * factor
    elif pipeline.scale == "symmetric":
        offset = torch.ones(1)
    if isinstance(factor, Tensor):
        factor = factor.to(device)
    return Normaliser(factor, offset.to(device), device)
