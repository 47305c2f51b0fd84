"""Where small pictures were cut from large ones of the same collection.

A cell is looked for in every picture that is at least twice as large, unturned and at its own
scale: first coarsely, in both made smaller until the cell is ``COARSE_SIDE`` pixels wide, then at
full size around the best place. A true crop fits to a few grey levels; another cell of the same
slide, or the same cell in an overlapping field, does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..progress import Progress

__all__ = ["Crop", "find_crops"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
SILENT = Progress(quiet=True)

LARGER = 2
"""A field's shorter side is at least so many times a cell's longer one."""
COARSE_SIDE = 32
"""Shorter side of a cell while all of a field is looked through, in pixels."""
FIT = 0.97
"""Correlation of the grey values at full size from which a cell is one of the field. Saved again
as JPEG a crop has 0.98 and more; of cells whose field was not at hand the best had 0.87."""
PLAIN = 2.0
"""Grey levels of spread below which a picture is blank and fits anywhere."""
TRIED = 3
"""Fields in which a cell is looked for at full size: those that it fits best coarsely."""
HELD = 16
"""Fields that are held decoded."""
MOST = 500_000
"""Cells times fields above which crops are not looked for: about an hour on one core."""


@dataclass(frozen=True)
class Crop:
    """A picture that was cut from another one."""

    crop: int
    field: int
    """Numbers of the two pictures."""
    x: int
    y: int
    """Place of its left upper pixel in the field."""
    fit: float


def find_crops(
    shapes: Mapping[int, tuple[int, int]],
    grey: Callable[[int], Pixels | None],
    progress: Progress = SILENT,
) -> list[Crop]:
    """Find which pictures were cut from which.

    Parameters
    ----------
    shapes
        Number of a picture → its (height, width) in pixels.
    grey
        Decodes one, (height, width) grey; None where that cannot be done.

    Returns
    -------
    list
        At most one place for each small picture, in the order of ``shapes``.
    """
    fields = {
        one: [
            other
            for other, shape in shapes.items()
            if min(shape) >= LARGER * max(own) and min(own) >= COARSE_SIDE
        ]
        for one, own in shapes.items()
    }
    cells = [one for one in shapes if fields[one]]
    if not cells or sum(len(fields[one]) for one in cells) > MOST:
        return []

    @lru_cache(maxsize=HELD)
    def whole(field: int) -> Pixels | None:
        return grey(field)

    @cache
    def coarse(field: int, factor: int) -> Pixels | None:
        picture = whole(field)
        return None if picture is None else _smaller(picture, factor)

    found = []
    for one in progress.track(cells, "looking for crops of fields", len(cells)):
        cell = grey(one)
        if cell is None or cell.std() < PLAIN:
            continue
        factor = min(cell.shape) // COARSE_SIDE
        small = _smaller(cell, factor)
        pictures = ((field, coarse(field, factor)) for field in fields[one])
        places = [
            (*_best(picture, small), field) for field, picture in pictures if picture is not None
        ]
        for _, x, y, field in sorted(places, reverse=True)[:TRIED]:
            picture = whole(field)
            assert picture is not None
            # The coarse place is right to a pixel of its own size, and one more for the rounding.
            left, top = max(0, (x - 2) * factor), max(0, (y - 2) * factor)
            right, bottom = (side + 4 * factor for side in cell.shape[::-1])
            around = picture[top : top + bottom, left : left + right]
            if around.shape[0] < cell.shape[0] or around.shape[1] < cell.shape[1]:
                continue
            fit, x, y = _best(around, cell)
            if fit >= FIT:
                found.append(Crop(one, field, left + x, top + y, min(fit, 1.0)))
                break
    return found


def _best(picture: Pixels, part: Pixels) -> tuple[float, int, int]:
    """The best fit of a part, and where its left upper pixel then lies."""
    import cv2

    _, fit, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED))
    return float(fit), int(x), int(y)


def _smaller(picture: Pixels, factor: int) -> Pixels:
    import cv2

    if factor == 1:
        return picture
    size = (max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
