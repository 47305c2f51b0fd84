"""What augmentation drew for some images, as plain arrays.

The same draws can be applied to bytes (offline expansion) and to tensors in training.

Coordinates are ``(x, y)`` = (column, row) of pixel centres, 0-based. A matrix maps a pixel of the
result to the place in the image where its colour is taken from.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

__all__ = ["Draws"]

Array = np.ndarray[Any, np.dtype[np.float64]]

UNDRAWN = ("fill", "fill_value", "stain_space")
"""What is the same for all images of a draw."""


@dataclass(frozen=True)
class Draws:
    """What was drawn for ``n`` images; each array has the length ``n``."""

    affine: Array
    """(n, 2, 3): result (x, y, 1) -> image (x, y)."""
    stain_factor: Array
    """(n, 3): on the concentration of each stain."""
    stain_shift: Array
    """(n, 3): added to it where there is stain."""
    brightness: Array
    brightness_shift: Array
    """Part of the full range, added."""
    contrast: Array
    saturation: Array
    hue: Array
    """Degrees."""
    fill: str
    """``nearest``, ``reflect`` or ``constant``: what lies outside of the image."""
    fill_value: int
    stain_space: str

    def __len__(self) -> int:
        return len(self.affine)

    def __getitem__(self, rows: slice) -> Draws:
        """The draws of some of the images."""
        arrays = (one.name for one in fields(self) if one.name not in UNDRAWN)
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})

    @property
    def moves(self) -> bool:
        """Whether any pixel of any image moves."""
        return bool((self.affine != np.eye(2, 3)).any())

    @property
    def stains(self) -> bool:
        """Whether the stains of any image change."""
        return bool((self.stain_factor != 1).any() or self.stain_shift.any())
