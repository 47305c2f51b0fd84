"""A network's place filled by measurements: nothing is trained before the classical head."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import torch
from torch import Tensor, nn

from .classical.measurements import VERSION, measure

__all__ = ["Measured", "Measurements"]

LIBRARIES = ("opencv-python-headless", "scikit-image", "scikit-learn", "PyWavelets")
"""Another version of these may measure something else."""


class Measurements(nn.Module):
    """What a backbone is to pixels, without weights: RGB values 0-255 to measurements."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def extra_repr(self) -> str:
        """All that decides a measurement but the pixels; cached vectors are known by it."""
        return f"{self.name}, version {VERSION}, {', '.join(map(_version, LIBRARIES))}"

    def forward(self, batch: Tensor) -> Tensor:
        """(n, 3, size, size) to (n, length), float32; each image by itself."""
        pixels = batch.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return torch.from_numpy(np.stack([measure(self.name, image) for image in pixels]))


class Measured(nn.Module):
    """Measurements of images by name (``classical.MEASURED``); has no weights and no logits."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.backbone = Measurements(name)

    def vectors(self, batch: Tensor) -> Tensor:
        """RGB values 0-255, (n, 3, size, size), to measurements (n, length)."""
        found: Tensor = self.backbone(batch)
        return found

    def forward(self, batch: Tensor) -> Tensor:
        """Measurements are not an answer.

        Raises
        ------
        TypeError
            Always: a classical head answers (``training.classical``).
        """
        raise TypeError(f"{self.name} measures; its answers come from a classical head")


def _version(library: str) -> str:
    try:
        return f"{library} {metadata.version(library)}"
    except metadata.PackageNotFoundError:
        return f"no {library}"
