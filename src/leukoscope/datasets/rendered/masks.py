"""Masks on boards: pasting, averaging down, boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .geometry import Array

__all__ = ["box_of", "paste", "shrink"]


def paste(
    canvas: npt.NDArray[Any], stamp: npt.NDArray[Any], x: int, y: int
) -> tuple[slice, slice, slice, slice] | None:
    """Where a stamp lies on a canvas and which part of it: rows, columns, its rows, its columns.

    ``x`` and ``y`` are the stamp's left upper corner; None when nothing of it lies inside.
    """
    height, width = canvas.shape[:2]
    rows, columns = stamp.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + columns, width), min(y + rows, height)
    if x0 >= x1 or y0 >= y1:
        return None
    return slice(y0, y1), slice(x0, x1), slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)


def shrink(mask: Array, factor: int) -> Array:
    """Average a mask down by a whole factor."""
    if factor == 1:
        return mask
    import cv2

    size = (mask.shape[1] // factor, mask.shape[0] // factor)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)


def box_of(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The smallest half-open box around a mask: x0, y0, x1, y1; all zeros for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
