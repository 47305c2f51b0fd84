"""Burnt-in marks of one image: scale bars, frames' lines, arrows and circles in signal colours.

A scale bar is a straight, upright strip of pure white or black with another brightness on both
sides. A drawn mark has a colour that no dye of a blood smear has: bright and saturated between
orange and cyan, or pure red. Text is found by the bar or the colour that it comes with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...images.background import BLACK as CUT_OUT
from ...images.background import CUT_OUT_SHARE

__all__ = ["measure_marks"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Mark = tuple[int, float, float]
"""Pixels, and the place of the middle: across and down, 0 to 1."""

WORKED_SIDE = 1024
"""Longer images are shrunk: a bar that is then thinner than a pixel is none."""
SMALLEST_SIDE = 48
BAR_SHARE = 0.06
"""Shortest bar over the image's width (or height)."""
THIN = 5.0
"""A bar is at least so many times as long as thick; cells and their gaps are not."""
FILLED = 0.9
"""Share of its bounding box that a bar fills."""
WHITE, BLACK = 250, 30
CONTRAST = 50
"""Grey levels between a bar and what lies along both its long sides."""
HUES = (13, 95)
"""OpenCV's hues (degrees / 2) from orange to cyan: Romanowsky dyes are blue, purple, pink, red."""
PURE_RED = 3
SATURATION, PURE_SATURATION, VALUE = 165, 235, 150
LEAST_COLOURED = 2e-4
"""Share of the image under one mark; less is a dead pixel or a refracting grain."""


def measure_marks(pixels: Pixels) -> dict[str, float]:
    """Number, area and place of burnt-in marks.

    Parameters
    ----------
    pixels
        RGB, uint8 (height, width, 3).
    """
    import cv2

    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        return {"mark_share": 0.0, "mark_count": 0.0, "mark_x": math.nan, "mark_y": math.nan}
    if max(height, width) > WORKED_SIDE:
        scale = WORKED_SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    marks = [*_coloured(pixels), *_bars(pixels)]
    area = sum(mark[0] for mark in marks)
    _, x, y = max(marks, default=(0, math.nan, math.nan))
    return {
        "mark_share": area / (pixels.shape[0] * pixels.shape[1]),
        "mark_count": float(len(marks)),
        "mark_x": x,
        "mark_y": y,
    }


def _coloured(pixels: Pixels) -> Iterator[Mark]:
    """Connected pieces in colours that no stain has."""
    import cv2

    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    ranges = (
        ((HUES[0], SATURATION, VALUE), (HUES[1], 255, 255)),
        ((0, PURE_SATURATION, VALUE), (PURE_RED, 255, 255)),
        ((180 - PURE_RED, PURE_SATURATION, VALUE), (180, 255, 255)),
    )
    mask = np.max([cv2.inRange(hsv, low, high) for low, high in ranges], axis=0)
    if np.count_nonzero(mask) < LEAST_COLOURED * mask.size:
        return
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    for area, box in _pieces(opened):
        if area >= LEAST_COLOURED * mask.size:
            yield _mark(area, box, mask.shape)


def _bars(pixels: Pixels) -> Iterator[Mark]:
    """Upright strips of pure white, or of black where black is no background."""
    import cv2

    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    extremes = [cv2.inRange(pixels, (WHITE,) * 3, (255,) * 3)]
    if cv2.countNonZero(cv2.inRange(pixels, (0,) * 3, (CUT_OUT,) * 3)) <= CUT_OUT_SHARE * grey.size:
        extremes.append(cv2.inRange(pixels, (0,) * 3, (BLACK,) * 3))
    for extreme in extremes:
        for turned in (False, True):
            mask, picture = extreme, grey
            if turned:
                mask, picture = np.ascontiguousarray(mask.T), np.ascontiguousarray(grey.T)
            least = max(8, round(BAR_SHARE * mask.shape[1]))
            if cv2.countNonZero(mask) < 2 * least:
                continue
            opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
            for area, box in _pieces(opened):
                if _is_bar(picture, area, box):
                    yield _mark(area, _turned(box) if turned else box, grey.shape)


def _pieces(mask: Any) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
    """Area and box (left, top, width, height) of each connected piece."""
    import cv2

    _, _, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8))
    for left, top, width, height, area in statistics[1:].tolist():
        yield area, (left, top, width, height)


def _is_bar(grey: Bytes, area: int, box: tuple[int, int, int, int]) -> bool:
    left, top, width, height = box
    gap = max(2, height // 4)  # the bar's own smoothed edge
    above, below = top - gap - 1, top + height + gap
    if width < THIN * height or area < FILLED * width * height:
        return False
    if height < 2 or above < 0 or below >= len(grey):
        return False  # along the edge of the image: a frame of the camera, or nothing to compare
    columns = slice(left, left + width)
    level = float(np.median(grey[top : top + height, columns]))
    beside = [float(np.median(grey[row, columns])) for row in (above, below)]
    return all(abs(level - other) >= CONTRAST for other in beside)


def _turned(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, width, height = box
    return top, left, height, width


def _mark(area: int, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> Mark:
    left, top, width, height = box
    return area, (left + width / 2) / shape[1], (top + height / 2) / shape[0]
