"""Antialiased resizing: Pillow's pixels in a fraction of its time.

Along each axis Pillow's resize is a matrix whose row ``i`` holds the filter, stretched by the
step, around the centre of output pixel ``i``. Pillow takes the pixels one by one; a sparse matrix
takes a whole line of the image at a time, which the processor does several times faster. As in
Pillow the width comes first, and whole grey levels stand between the two passes.

The weights are multiples of 2^-15 that sum to 1, so that every product and every sum is a whole
number below 2^24: exact in float32, and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
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
    sums = _matrix(length, out, filter) @ turned.reshape(length, height * 3).astype(np.float32)
    sums += np.float32(0.5)  # halves go up, as in Pillow
    if filter != "bilinear":  # which has no negative weights and stays between the pixels
        np.clip(sums, 0, 255, out=sums)
    return np.asarray(sums.astype(np.uint8).reshape(out, height, 3))


@lru_cache(maxsize=256)
def _matrix(length: int, out: int, filter: str) -> Any:
    from scipy.sparse import csr_array

    return csr_array(weights(length, out, filter).astype(np.float32))


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
