"""Antialiased resizing: Pillow's pixels in a fraction of its time.

Along each axis Pillow's resize is a matrix whose row ``i`` holds the filter, stretched by the
step, around the centre of output pixel ``i``. Pillow takes the pixels one by one; here a few rows
of the matrix at a time are multiplied with only the lines of the image that they touch, by a BLAS,
several times faster. As in Pillow the width comes first, and whole grey levels stand between the
two passes.

The weights are multiples of 2^-15 that sum to 1, so that every product and every sum is a whole
number below 2^24: exact in float32, in whatever order a BLAS adds, and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["FILTERS", "resize", "weights"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.float64]]

UNITS = 1 << 15
"""The weights' whole; 255 times it, and a filter's negative lobes, stay below 2^24."""
LONGEST_SIDE = 4096
"""Longer sides are left to Pillow, which needs no copy four times as large."""


def _triangle(distance: Numbers) -> Numbers:
    return np.maximum(0.0, 1.0 - distance)


def _cubic(distance: Numbers) -> Numbers:
    """Keys 1981 with a = -0.5, as Pillow has it."""
    x = distance
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(distance: Numbers) -> Numbers:
    return np.where(distance < 3.0, np.sinc(distance) * np.sinc(distance / 3.0), 0.0)


KERNELS: dict[str, Callable[[Numbers], Numbers]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos": _lanczos,
}
FILTERS: dict[str, Image.Resampling] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}
"""Pillow's filters by the name that a step has; ``area`` is OpenCV's and not among them."""


def resize(pixels: Pixels, size: tuple[int, int], filter: str = "bilinear") -> Pixels:
    """``pixels`` (height, width, 3) brought to ``size`` = (height, width), antialiased.

    ``bilinear``, ``bicubic`` and ``lanczos`` are Pillow's but for a grey level or two here and
    there, where its weights, rounded otherwise, turn a tie (PSNR at least 50 dB); ``nearest`` is
    Pillow's own. ``area`` is OpenCV's INTER_AREA when an axis shrinks and its linear
    interpolation when none does.
    """
    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    if filter == "area":
        return _area(pixels, size)
    if filter not in KERNELS or max(*pixels.shape[:2], *size) > LONGEST_SIDE:
        small = Image.fromarray(pixels).resize((width, height), FILTERS[filter])
        return np.array(small, dtype=np.uint8)
    return _across(_across(pixels, width, filter), height, filter)


def _across(pixels: Pixels, out: int, filter: str) -> Pixels:
    """The width brought to ``out`` and turned down: (height, width, 3) -> (out, height, 3)."""
    import cv2

    turned = np.asarray(cv2.transpose(pixels), dtype=np.uint8)
    length, height = turned.shape[:2]
    if length == out:
        return turned
    bands = _bands(length, out, filter)
    rows = np.empty((bands.lines, height * 3), np.float32)
    rows[: bands.before] = 0
    rows[bands.before : bands.before + length] = turned.reshape(length, height * 3)
    rows[bands.before + length :] = 0
    count, _, wide = bands.factors.shape
    line, value = rows.strides
    windows = np.lib.stride_tricks.as_strided(
        rows, (count, wide, height * 3), (bands.step * line, line, value), writeable=False
    )
    sums = np.matmul(bands.factors, windows).reshape(-1, height * 3)[:out]
    sums += np.float32(0.5)  # halves go up, as in Pillow
    if filter != "bilinear":  # which has no negative weights and stays between the pixels
        np.clip(sums, 0, 255, out=sums)
    return np.asarray(sums.astype(np.uint8).reshape(out, height, 3))


@dataclass(frozen=True)
class _Bands:
    """The matrix of one axis in bands of rows, each with only the input lines that it touches."""

    factors: np.ndarray[Any, np.dtype[np.float32]]
    """(bands, rows, lines touched); zero where a band's own lines end earlier."""
    step: int
    """Input lines from one band's first to the next one's."""
    before: int
    """Blank lines before the image."""
    lines: int
    """Of the image with the blank ones around it."""


@lru_cache(maxsize=256)
def _bands(length: int, out: int, filter: str) -> _Bands:
    """The bands with the fewest products: their number of rows is tried."""
    matrix = weights(length, out, filter)
    tried = [_cut(matrix, rows) for rows in range(2, 13)]
    return min(tried, key=lambda bands: bands.factors.size)


def _cut(matrix: Numbers, rows: int) -> _Bands:
    out, length = matrix.shape
    count, step = -(-out // rows), max(1, round(rows * length / out))
    padded = np.zeros((count * rows, length))
    padded[:out] = matrix
    bands = padded.reshape(count, rows, length)
    # Lines touched, from where each band would begin if the step were exact.
    touched = [np.flatnonzero(band.any(axis=0)) - step * i for i, band in enumerate(bands)]
    first, last = min(int(t[0]) for t in touched), max(int(t[-1]) for t in touched)
    before = max(0, -first)
    begin = first + before
    wide = last - first + 1 + begin
    lines = max(before + length, (count - 1) * step + wide)
    around = np.zeros((count * rows, lines + wide))
    around[:, before : before + length] = padded
    factors = np.stack(
        [around[i * rows : (i + 1) * rows, i * step : i * step + wide] for i in range(count)]
    )
    return _Bands(factors.astype(np.float32), step, before, lines)


def weights(length: int, out: int, filter: str) -> Numbers:
    """The resize of one axis, shape (out, length); multiples of 1 / UNITS, rows sum to 1."""
    step = length / out
    centres = (np.arange(out)[:, None] + 0.5) * step
    distance = np.abs(np.arange(length)[None, :] + 0.5 - centres) / max(step, 1.0)
    exact = KERNELS[filter](distance)
    units = np.rint(exact / exact.sum(axis=1, keepdims=True) * UNITS)
    units[np.arange(out), units.argmax(axis=1)] += UNITS - units.sum(axis=1)
    return np.asarray(units / UNITS)


def _area(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    import cv2

    height, width = size
    shrinks = height < pixels.shape[0] or width < pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), dtype=np.uint8)
