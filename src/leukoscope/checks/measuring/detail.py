"""How fine the detail of one image is: sharpness, and what its spectrum holds.

Measured on the image's own pixels, in a square about its middle, or within the cell where it was
cut out: the cut itself is sharp whatever the focus was.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...images.background import BLACK, CUT_OUT_SHARE

__all__ = ["measure_detail"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

SIDE = 256
"""Longest side of the square that is looked at, in pixels."""
INNER = 0.85
"""Of a cut-out cell the square is so much smaller than fits in."""
MIDDLE_BAND, HIGH_BAND = (0.10, 0.20), (0.30, 0.45)
"""Frequencies that every image of a microscope holds, and those that enlarging leaves empty."""
SMALLEST_SIDE = 24
"""The spectrum of a smaller square has too few frequencies."""
RINGS = 32
"""Frequencies from 0 to one half of a cycle a pixel, in so many rings."""
ROUNDING = 1 / 12
"""Variance of rounding to whole grey levels: no image holds less noise, so what is not clearly
above it holds nothing."""
ABOVE = 3.0
"""Times the power of rounding from which a frequency holds detail. Interpolation leaves at most
1.5 times in the frequencies it invents; sharp or noisy images hold 10 and more up to the end."""


def measure_detail(pixels: Pixels) -> dict[str, float]:
    """Measurements of fine detail; NaN in images too small or too blank for it.

    Parameters
    ----------
    pixels
        RGB, uint8 (height, width, 3).
    """
    import cv2

    values = dict.fromkeys(
        ("sharpness", "spectrum_mean", "spectrum_fall", "spectrum_end", "repeated_share"), math.nan
    )
    square = _square(pixels)
    if min(square.shape[:2]) < SMALLEST_SIDE:
        return values
    grey = np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), np.float32)
    values["repeated_share"] = _repeated(square)
    if float(grey.std()) < 1:
        return values
    values["sharpness"] = _sharpness(grey)
    values |= _spectrum(grey)
    return values


def _square(pixels: Pixels) -> Pixels:
    """The middle of an image; of a cut-out cell the largest upright square inside it."""
    import cv2

    height, width = pixels.shape[:2]
    side = min(height, width, SIDE)
    top, left = (height - side) // 2, (width - side) // 2
    middle = pixels[top : top + side, left : left + side]
    if max(height, width) > 4 * SIDE:  # a field: no single cell was cut out of it
        return middle
    empty = cv2.inRange(pixels, (0,) * 3, (BLACK,) * 3)
    if cv2.countNonZero(empty) <= CUT_OUT_SHARE * empty.size:
        return middle
    inside = cv2.distanceTransform(np.pad(255 - empty, 1), cv2.DIST_C, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(inside)), inside.shape)
    half = min(int(INNER * inside[row, column]), SIDE // 2)  # the rim is mixed with black
    if half < 1:
        return pixels[:0, :0]
    return pixels[row - half : row + half + 1, column - half : column + half + 1]


def _sharpness(grey: Any) -> float:
    """log₁₀ of the variance between blurs of 1 and 2 pixels over that of the lesser blur.

    A difference of Gaussians as in Burt & Adelson 1983 (IEEE Trans. Commun. 31:532): the band of
    one octave that defocus empties first and single-pixel noise hardly fills.
    """
    import cv2

    fine = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0))
    band = fine - np.asarray(cv2.GaussianBlur(grey, (0, 0), 2.0))
    whole = float(fine.var())
    return math.log10(max(float(band.var()), 1e-6) / whole) if whole > 0 else math.nan


def _spectrum(grey: Any) -> dict[str, float]:
    """What the spectrum holds: its mean frequency, its fall to the high band, and its end.

    ``spectrum_end`` is the highest frequency with more power than rounding has.
    """
    import scipy.fft

    window, ring, members = _rings(grey.shape[0])
    shown = (grey - grey.mean()) * window
    power = np.abs(scipy.fft.rfft2(shown)) ** 2 / float((window**2).sum())
    sums = np.bincount(ring.ravel(), power.ravel(), RINGS + 1)[:RINGS]
    means = sums / np.maximum(members[:RINGS], 1)
    frequency = (np.arange(RINGS) + 0.5) * 0.5 / RINGS
    holding = np.flatnonzero(means > ABOVE * ROUNDING)
    # The first ring is the image's shading, not its detail.
    amplitude = np.sqrt(means[1:])
    middle, high = (
        float(means[(frequency >= low) & (frequency < top)].mean())
        for low, top in (MIDDLE_BAND, HIGH_BAND)
    )
    return {
        "spectrum_mean": float((frequency[1:] * amplitude).sum() / amplitude.sum()),
        "spectrum_fall": math.log10(max(high, 1e-3) / max(middle, 1e-3)),
        "spectrum_end": float((holding[-1] + 1) * 0.5 / RINGS) if len(holding) else 0.0,
    }


@cache
def _rings(side: int) -> tuple[Any, Any, Any]:
    """Hann's window of a square, the ring of each frequency, and how many each ring has."""
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    across, down = np.fft.rfftfreq(side), np.fft.fftfreq(side)
    radius = np.hypot(down[:, None], across[None, :])
    ring = np.minimum((radius / 0.5 * RINGS).astype(np.intp), RINGS)
    return window[:, None] * window[None, :], ring, np.bincount(ring.ravel(), minlength=RINGS + 1)


def _repeated(square: Pixels) -> float:
    """Share of rows and columns that are equal to the one before and are not of one colour."""
    shares = []
    for lines in (square, square.swapaxes(0, 1)):
        plain = (lines == lines[:, :1]).all(axis=(1, 2))
        same = (lines[1:] == lines[:-1]).all(axis=(1, 2)) & ~plain[1:]
        shares.append(float(same.mean()))
    return min(shares)
