"""A network's place filled by measurements: nothing is trained before the classical head."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .classical.measurements import measure

__all__ = ["Measured"]


class Measured(nn.Module):
    """Measurements of images by name (``classical.MEASURED``); has no weights and no logits."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def vectors(self, batch: Tensor) -> Tensor:
        """RGB values 0-255, (n, 3, size, size), to measurements (n, length)."""
        pixels = batch.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return torch.from_numpy(np.stack([measure(self.name, image) for image in pixels]))

    def forward(self, batch: Tensor) -> Tensor:
        """Measurements are not an answer.

        Raises
        ------
        TypeError
            Always: a classical head answers (``training.classical``).
        """
        raise TypeError(f"{self.name} measures; its answers come from a classical head")
