"""Steps that look at one image alone: denoising, sharpening, contrast, colour spaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from .background import optical_density
from .stains import HED

__all__ = ["clahe", "colour", "gaussian", "median", "unsharp"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

DENSEST = 2.0
"""The optical density of one stain that becomes 255 in ``colour(..., "hed")``."""


def median(pixels: Pixels, size: int) -> Pixels:
    """The median of each channel in a window of ``size`` by ``size`` pixels."""
    import cv2

    return np.asarray(cv2.medianBlur(pixels, size), dtype=np.uint8)


def gaussian(pixels: Pixels, sigma: float) -> Pixels:
    """Gaussian blur; the window reaches four standard deviations, the border is mirrored."""
    import cv2

    side = 2 * round(4 * sigma) + 1
    blurred = cv2.GaussianBlur(pixels, (side, side), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.uint8)


def unsharp(pixels: Pixels, sigma: float, amount: float) -> Pixels:
    """``pixels + amount * (pixels - blurred)``, clipped to 0-255."""
    import cv2

    side = 2 * round(4 * sigma) + 1
    values = pixels.astype(np.float32)
    blurred = cv2.GaussianBlur(values, (side, side), sigma, borderType=cv2.BORDER_REFLECT)
    sharp = values + amount * (values - np.asarray(blurred))
    return np.clip(np.rint(sharp), 0, 255).astype(np.uint8)


def clahe(pixels: Pixels, clip: float, tiles: int) -> Pixels:
    """Contrast-limited adaptive histogram equalisation of the lightness alone (Zuiderveld 1994).

    Black and blank background is equalised with the rest: it is what the tiles' histograms and
    their limit are made for, and hue and chroma stay.
    """
    import cv2

    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB))
    equalise = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles))
    lab[..., 0] = equalise.apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def colour(pixels: Pixels, space: str) -> Pixels:
    """Another colour space, each channel scaled to the full 0-255.

    ``hsv`` (hue of 360 degrees to 255), ``lab`` (L of 100 to 255; a and b plus 128), ``ycrcb``,
    ``grey`` (three equal channels, ITU-R 601) or ``hed`` (amounts of haematoxylin, eosin, DAB;
    an optical density of 2 to 255).
    """
    import cv2

    if space == "hed":
        amounts = optical_density(pixels).astype(np.float64) @ np.linalg.inv(
            HED / np.linalg.norm(HED, axis=1, keepdims=True)
        )
        return np.clip(np.rint(amounts * (255.0 / DENSEST)), 0, 255).astype(np.uint8)
    if space == "grey":
        grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        return np.repeat(grey[..., None], 3, axis=2)
    codes = {
        "hsv": cv2.COLOR_RGB2HSV_FULL,
        "lab": cv2.COLOR_RGB2LAB,
        "ycrcb": cv2.COLOR_RGB2YCrCb,
    }
    return np.asarray(cv2.cvtColor(pixels, codes[space]), dtype=np.uint8)
