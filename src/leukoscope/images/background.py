"""What in a cell image is no tissue: black where it was cut out, blank where the glass shines.

Statistics of colour leave both out, or C-NMC's black frame and an empty field's light would
decide how a stain is normalised.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BLACK", "black", "optical_density", "stained"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

BLACK = 10
"""No channel above this: cut out, not stained. The darkest chromatin is far brighter in blue."""
_DENSITIES = -np.log((np.arange(256, dtype=np.float64) + 1.0) / 256.0)


def black(pixels: Pixels) -> Mask:
    """Pixels (..., 3) that are black: background that somebody cut away."""
    return np.asarray(pixels.max(axis=-1) <= BLACK)


def optical_density(pixels: Pixels) -> Floats:
    """Natural optical density ``-ln((v + 1) / 256)`` of each channel (Ruifrok 2001, Macenko 2009).

    Light of 255 is what an empty slide lets through.
    """
    return _DENSITIES.astype(np.float32)[pixels]


def stained(pixels: Pixels, beta: float = 0.15) -> Mask:
    """Pixels that are neither black nor blank: every channel denser than ``beta`` or, with beta
    as the mean over channels, darker than the empty slide."""
    density = optical_density(pixels).mean(axis=-1)
    return np.asarray((density > beta) & ~black(pixels))
