"""Antialiased resizing as Pillow does it, in a fraction of its time.

Pillow's antialiased bilinear resize is, along each axis, a matrix ``W`` whose rows are triangles
as wide as two steps of the output. Two factorisations of ``W`` cost far less than ``W`` itself:

**spline**, for steps of about 2 to 5 pixels. A triangle is a linear spline. A short filter ``P``
with the same taps everywhere, followed by linear interpolation ``L`` at the true positions of the
output, spans nearly the same functions; the taps are the least-squares solution of
``L P = W``, rounded to 1/256 so that OpenCV computes in whole numbers.

**pyramid**, for longer steps. The image is halved once or twice (``D``), by means of two pixels or
by OpenCV's ``pyrDown``, a cubic B-spline. The matrix ``M`` that best continues it,
``M = W D^T (D D^T)^-1``, is applied as two small matrix products. Its weights are multiples of
2^-15 that sum to 1, so that the products are sums of whole numbers below 2^24, exact in float32
in whatever order a BLAS adds.

How far a factorisation is from ``W`` is known before any image is seen: for an image of
independent pixels the expected squared error is
``(|W|^4 - 2 <W, A>^2 + |A|^4) / m^2`` times their variance. It is used where this predicts at
least ``ENOUGH_DB`` for the strongest possible pattern; else Pillow itself does the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["FILTERS", "plan", "resize", "triangle_matrix"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Matrix = np.ndarray[Any, np.dtype[np.float64]]
Weights = np.ndarray[Any, np.dtype[np.float32]]

FILTERS: dict[str, Image.Resampling] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}
"""Pillow's filters by the name that a step has; ``area`` is OpenCV's and not among them."""

ENOUGH_DB = 46.5
"""Predicted agreement with Pillow; a little more than is promised, for prediction errs by 1 dB."""
STRONGEST_VARIANCE = 127.5**2
"""Of pixels that are all black or white: no pattern has more."""
ROUNDING_VARIANCE = 2 / 12
"""Two roundings to whole grey levels differ from Pillow's two."""
TAP_UNITS = 256
WEIGHT_UNITS = 1 << 15
LONGEST_SIDE = 2048
"""Longer sides are fields, a few at a time: Pillow's time does not matter there."""


HALVINGS = (("mean", "spline"), ("spline", "spline"), ("spline",))
"""What a pyramid may begin with, the cheapest first."""
BINOMIAL = (0.25, 0.5, 0.25)


@dataclass(frozen=True)
class Axis:
    """How one axis is resized: the factors and how well they should agree with Pillow."""

    expected_db: float
    factor: Weights
    """Spline: the taps, odd in number and symmetric. Pyramid: the matrix ``M``, shape
    (out, halved length), multiples of 1 / WEIGHT_UNITS."""


@dataclass(frozen=True)
class Plan:
    """How an image of one size is brought to another."""

    kind: str
    """``spline``, ``pyramid`` or ``exact``."""
    halvings: tuple[str, ...]
    down: Weights
    across: Weights


NOTHING = np.zeros(0, np.float32)
EXACT = Plan("exact", (), NOTHING, NOTHING)


def resize(pixels: Pixels, size: tuple[int, int], filter: str = "bilinear") -> Pixels:
    """``pixels`` (height, width, 3) brought to ``size`` = (height, width), antialiased.

    ``bilinear`` equals Pillow's to a PSNR of at least 45 dB and where that could not be kept it
    is Pillow's; without OpenCV it always is. The others but ``area`` are Pillow's own; ``area``
    is OpenCV's INTER_AREA when an axis shrinks and its linear interpolation when none does.
    """
    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    if filter == "area":
        return _area(pixels, size)
    if filter == "bilinear":
        chosen = plan(pixels.shape[0], pixels.shape[1], height, width)
        if chosen.kind == "spline":
            return _by_spline(pixels, size, chosen)
        if chosen.kind == "pyramid":
            return _by_pyramid(pixels, size, chosen)
    small = Image.fromarray(pixels).resize((width, height), FILTERS[filter])
    return np.array(small, dtype=np.uint8)


@lru_cache(maxsize=1024)
def plan(height: int, width: int, out_height: int, out_width: int) -> Plan:
    """What ``resize`` does from one size to another: the cheapest way that agrees with Pillow."""
    try:
        import cv2
    except ImportError:
        return EXACT
    del cv2
    lengths = ((height, out_height), (width, out_width))
    steps = [length / out for length, out in lengths]
    if max(height, width) > LONGEST_SIDE:
        return EXACT
    if min(steps) >= 4:
        for halvings in HALVINGS:
            down, across = (_pyramid_axis(length, out, halvings) for length, out in lengths)
            if min(down.expected_db, across.expected_db) >= ENOUGH_DB:
                return Plan("pyramid", halvings, down.factor, across.factor)
    if min(steps) >= 1.9 and max(steps) < 6:
        down, across = (_spline_axis(length, out) for length, out in lengths)
        if min(down.expected_db, across.expected_db) >= ENOUGH_DB:
            return Plan("spline", (), down.factor, across.factor)
    return EXACT


@lru_cache(maxsize=256)
def _spline_axis(length: int, out: int) -> Axis:
    wanted = triangle_matrix(length, out)
    units = _fit_taps(wanted)
    found = linear_matrix(length, out) @ _band_matrix(length, units / TAP_UNITS)
    return Axis(_expected_db(wanted, found), (units / TAP_UNITS).astype(np.float32))


@lru_cache(maxsize=256)
def _pyramid_axis(length: int, out: int, halvings: tuple[str, ...]) -> Axis:
    halving = np.eye(length)
    for kind in halvings:
        left = len(halving)
        if kind == "mean" and left % 2:
            return Axis(0.0, NOTHING)  # OpenCV's mean of two pixels wants an even number
        halving = (mean_matrix(left) if kind == "mean" else halving_matrix(left)) @ halving
    wanted = triangle_matrix(length, out)
    units = _fit_weights(wanted, halving)
    if np.abs(units).sum(axis=1).max() * 255 >= 1 << 24:
        return Axis(0.0, NOTHING)  # float32 would no longer be exact
    factor = units / WEIGHT_UNITS
    return Axis(_expected_db(wanted, factor @ halving), factor.astype(np.float32))


def _by_spline(pixels: Pixels, size: tuple[int, int], chosen: Plan) -> Pixels:
    import cv2

    border = cv2.BORDER_REPLICATE
    if tuple(chosen.down) == tuple(chosen.across) == BINOMIAL:
        smooth = cv2.GaussianBlur(pixels, (3, 3), 0, borderType=border)  # these taps, faster
    else:
        smooth = cv2.sepFilter2D(pixels, -1, chosen.across, chosen.down, borderType=border)
    small = cv2.resize(smooth, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, dtype=np.uint8)


def _by_pyramid(pixels: Pixels, size: tuple[int, int], chosen: Plan) -> Pixels:
    import cv2

    height, width = size
    for kind in chosen.halvings:
        if kind == "mean":
            half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
            pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA))
        else:
            pixels = np.asarray(cv2.pyrDown(pixels))
    rows, columns = pixels.shape[:2]
    first = _whole(chosen.down @ pixels.reshape(rows, columns * 3).astype(np.float32))
    turned = first.reshape(height, columns, 3).transpose(0, 2, 1).reshape(height * 3, columns)
    second = _whole(turned @ chosen.across.T).astype(np.uint8)
    return np.ascontiguousarray(second.reshape(height, 3, width).transpose(0, 2, 1))


def _whole(sums: Weights) -> Weights:
    """Weighted sums as whole grey levels; halves go up, as in Pillow."""
    sums += np.float32(0.5)
    np.floor(sums, out=sums)
    return np.clip(sums, 0, 255, out=sums)


def _area(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    import cv2

    height, width = size
    shrinks = height < pixels.shape[0] or width < pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), dtype=np.uint8)


def triangle_matrix(length: int, out: int) -> Matrix:
    """Pillow's antialiased bilinear resize of one axis, shape (out, length); rows sum to 1."""
    step = length / out
    support = max(step, 1.0)
    centres = (np.arange(out)[:, None] + 0.5) * step
    distance = np.abs(np.arange(length)[None, :] + 0.5 - centres) / support
    weights = np.maximum(0.0, 1.0 - distance)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def linear_matrix(length: int, out: int) -> Matrix:
    """Linear interpolation at the centres of the output's pixels, shape (out, length)."""
    place = np.clip((np.arange(out) + 0.5) * length / out - 0.5, 0, length - 1)
    left = np.minimum(place.astype(int), length - 2)
    matrix = np.zeros((out, length))
    rows = np.arange(out)
    matrix[rows, left] = 1.0 - (place - left)
    matrix[rows, left + 1] = place - left
    return matrix


def mean_matrix(length: int) -> Matrix:
    """Means of two neighbours, shape (length // 2, length); ``length`` is even."""
    return np.repeat(np.eye(length // 2), 2, axis=1) / 2


def halving_matrix(length: int) -> Matrix:
    """``pyrDown`` along one axis, shape ((length + 1) // 2, length); mirrored at the border."""
    half = (length + 1) // 2
    matrix = np.zeros((half, length))
    rows = np.arange(half)
    for offset, weight in zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True):
        place = np.abs(2 * rows + offset)
        place = np.where(place > length - 1, 2 * (length - 1) - place, place)
        np.add.at(matrix, (rows, place), weight / 16)
    return matrix


def _band_matrix(length: int, taps: Matrix) -> Matrix:
    """A filter with the same taps everywhere, the border pixel repeated."""
    reach = len(taps) // 2
    matrix = np.zeros((length, length))
    rows = np.arange(length)
    for offset, tap in zip(range(-reach, reach + 1), taps, strict=True):
        np.add.at(matrix, (rows, np.clip(rows + offset, 0, length - 1)), tap)
    return matrix


def _fit_taps(wanted: Matrix) -> Matrix:
    """Symmetric taps in units of 1 / TAP_UNITS for which ``L P`` is nearest to ``wanted``."""
    out, length = wanted.shape
    reach = int(np.ceil(length / out))
    linear = linear_matrix(length, out)
    inner = slice(out // 4, out - out // 4)  # away from the border, where the taps are all inside
    columns = []
    for distance in range(reach + 1):
        both = np.zeros(2 * reach + 1)
        both[[reach - distance, reach + distance]] = 1.0
        columns.append((linear @ _band_matrix(length, both))[inner].ravel())
    solution = np.linalg.lstsq(np.stack(columns, axis=1), wanted[inner].ravel(), rcond=None)[0]
    taps = np.concatenate([solution[:0:-1], solution])
    # Whole, none negative: only then does OpenCV filter bytes in whole numbers.
    units = np.maximum(np.rint(taps / taps.sum() * TAP_UNITS), 0)
    units[reach] += TAP_UNITS - units.sum()
    while len(units) > 3 and units[0] == 0:
        units = units[1:-1]
    return np.asarray(units)


def _fit_weights(wanted: Matrix, halving: Matrix) -> Matrix:
    """The matrix in units of 1 / WEIGHT_UNITS that continues ``halving`` to ``wanted``."""
    gram = halving @ halving.T
    weights = np.linalg.solve(gram, halving @ wanted.T).T
    units = np.rint(weights / weights.sum(axis=1, keepdims=True) * WEIGHT_UNITS)
    largest = units.argmax(axis=1)
    units[np.arange(len(units)), largest] += WEIGHT_UNITS - units.sum(axis=1)
    return np.asarray(units)


def _expected_db(wanted: Matrix, found: Matrix) -> float:
    """Expected PSNR of ``found`` along both axes against ``wanted`` along both."""
    squares = (wanted**2).sum() ** 2 - 2 * (wanted * found).sum() ** 2 + (found**2).sum() ** 2
    error = squares / len(wanted) ** 2 * STRONGEST_VARIANCE + ROUNDING_VARIANCE
    return float(10 * np.log10(255.0**2 / error))
