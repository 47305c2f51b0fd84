"""The nucleus by its colour: k-means in L*a*b*, as the literature's classical arms segment it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...images.background import black
from .gram import Doubles

__all__ = ["find_nucleus", "lab"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

COLOURS = 3
"""Nucleus; cytoplasm and red cells; plasma."""
COLOURS_OF_A_CELL = 2
"""Where the cell was cut out and its surroundings are black: nucleus and cytoplasm."""
CUT_OUT = 0.02
"""Share of black pixels from which on that is so."""
LEAST_SHARE = 0.002
"""A smaller object is no nucleus, and the whole cell is measured instead."""
ALIKE = 0.5
"""Objects of at least this share of the largest one's area are nuclei too: of a whole field."""


def lab(pixels: Pixels) -> Doubles:
    """RGB (height, width, 3) as L* (0-100), a* and b*, float64."""
    import cv2

    unit = pixels.astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2LAB), dtype=np.float64)


def find_nucleus(pixels: Pixels) -> Mask:
    """Where the nucleus is.

    Pixels are clustered by a* and b*, so that shadows do not divide what is of one stain; the
    nucleus is the most purple cluster (largest a* − b*), of that the largest object and, in an
    image of several cells, those of at least half its size, their holes filled. The
    clusters begin at the means of equal parts in the order of a* − b*, so that the answer is the
    same each time. Where nothing is found: every pixel that is not black.
    """
    import cv2
    from scipy.ndimage import binary_fill_holes
    from sklearn.cluster import KMeans

    cell = ~black(pixels)
    count = COLOURS_OF_A_CELL if (~cell).mean() > CUT_OUT else COLOURS
    colours = lab(pixels)[cell][:, 1:]
    purple = colours[:, 0] - colours[:, 1]
    if len(colours) < count or np.ptp(purple) == 0:
        return cell if cell.any() else np.ones(cell.shape, dtype=bool)
    parts = np.array_split(np.argsort(purple, kind="stable"), count)
    begin = np.stack([colours[part].mean(axis=0) for part in parts])
    means = KMeans(count, init=begin, n_init=1).fit(colours)
    centres = means.cluster_centers_
    chosen = np.zeros(cell.shape, dtype=np.uint8)
    chosen[cell] = means.labels_ == int(np.argmax(centres[:, 0] - centres[:, 1]))
    opened = cv2.morphologyEx(chosen, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found, labels, statistics, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    if found < 2:
        return cell
    areas = statistics[1:, cv2.CC_STAT_AREA]
    if areas.max() < LEAST_SHARE * cell.size:
        return cell
    nuclei = 1 + np.flatnonzero(areas >= ALIKE * areas.max())
    return np.asarray(binary_fill_holes(np.isin(labels, nuclei)))
