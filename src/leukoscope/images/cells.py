"""Where in a cell image the cell is, simply and robustly enough to crop to it.

Measuring cells is ``smear``'s work; here a rectangle is enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .background import CUT_OUT_SHARE, black
from .decode import Box

__all__ = ["cell_box", "crop_cell", "crop_centre", "foreground"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

LEAST_SHARE = 0.002
"""A smaller object than this share of the image is no cell."""
WORKED_SIDE = 256
"""Longer images are searched at this size: a rectangle needs no more."""


def foreground(pixels: Pixels) -> Mask:
    """The stained nucleus, or all that is not black where the cell was cut out.

    Nuclei are purple in every Romanowsky stain, so they absorb green more than blue; red cells
    absorb both. Otsu's threshold divides the blue-minus-green difference.
    """
    import cv2

    empty = black(pixels)
    if empty.mean() > CUT_OUT_SHARE:
        return ~empty
    purple = cv2.subtract(pixels[..., 2], pixels[..., 1])
    smooth = cv2.GaussianBlur(purple, (0, 0), max(1.0, min(pixels.shape[:2]) / 100))
    threshold, mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    del threshold
    return np.asarray(mask) > 0


def cell_box(pixels: Pixels, margin: float = 0.1, square: bool = True) -> Box | None:
    """The rectangle about the largest object in the foreground; None where there is no cell.

    Parameters
    ----------
    pixels
        RGB, (height, width, 3).
    margin
        Added on each side, as a share of the object's longer side; a nucleus's cytoplasm needs
        some.
    square
        Widen the shorter side to the longer one. At the image's edge the square is moved inside
        and, where the image is too narrow for it, cut.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, WORKED_SIDE / max(height, width))
    small = pixels
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    mask = foreground(small).astype(np.uint8)
    count, _, statistics, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    areas = statistics[1:, cv2.CC_STAT_AREA].astype(np.float64)
    # A crop is made about its cell: of two equal objects the central one is meant.
    middle = np.array([small.shape[1] - 1, small.shape[0] - 1]) / 2
    away = np.linalg.norm(centres[1:] - middle, axis=1) / np.linalg.norm(middle + 1)
    chosen = 1 + int(np.argmax(areas * (1.0 - 0.75 * np.minimum(away, 1.0))))
    if statistics[chosen, cv2.CC_STAT_AREA] < LEAST_SHARE * mask.size:
        return None
    left, top, across, down = (int(value) for value in statistics[chosen, :4])
    ratios = width / small.shape[1], height / small.shape[0]
    return _widened(
        (left * ratios[0], top * ratios[1], (left + across) * ratios[0], (top + down) * ratios[1]),
        (width, height),
        margin,
        square,
    )


def _widened(
    box: tuple[float, float, float, float], size: tuple[int, int], margin: float, square: bool
) -> Box:
    """The rectangle with its margin, square if asked, moved and cut to lie in the image."""
    x0, y0, x1, y1 = box
    longer = max(x1 - x0, y1 - y0)
    extent = []
    for low, high, length in ((x0, x1, size[0]), (y0, y1, size[1])):
        side = min(length, round((longer if square else high - low) + 2 * margin * longer))
        start = round((low + high) / 2 - side / 2)
        start = min(max(0, start), length - side)
        extent.append((start, start + max(1, side)))
    return extent[0][0], extent[1][0], extent[0][1], extent[1][1]


def crop_cell(pixels: Pixels, margin: float = 0.1, square: bool = True) -> Pixels:
    """``pixels`` cropped to its cell; the whole image where none is found."""
    box = cell_box(pixels, margin, square)
    if box is None:
        return pixels
    x0, y0, x1, y1 = box
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])


def crop_centre(pixels: Pixels, share: float) -> Pixels:
    """The centred square whose side is ``share`` of the shorter side."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * share))
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
