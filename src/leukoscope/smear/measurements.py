"""Measurements of the one cell that a cell image shows: shape, chromatin, contrast, sharpness.

``single_cell.find_cell`` says where cell and nucleus are. Where no cell is found, or where the
image leaves open what belongs to it, the measurements say so by ``flags`` and NaN: nothing is
invented.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from .single_cell import CellMasks, find_cell, hull, resized, worked

__all__ = ["MEASUREMENTS", "CellMeasurements", "measure"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Grey = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

FEWEST_PIXELS = 150
"""Chromatin of fewer pixels has no texture."""
LEVELS = 32
"""Grey levels of the co-occurrence matrix, over the whole range from black to white."""
BLUR_PIXELS = 11
"""Width of the strongest blur that sharpness is measured against, as Crete et al. have it."""
SMALLEST_SQUARE = 16


@dataclass(frozen=True)
class CellMeasurements:
    """What is measured of one cell; NaN where it cannot be.

    Ratios are plain numbers; areas are in pixels of the image as it was given, everything else
    is measured where its longer side has at most 256 pixels.
    """

    cell_area_px: float
    nucleus_area_px: float
    nucleus_cell_ratio: float
    """Area of the nucleus over that of the whole cell, 0 to 1."""
    nucleus_irregularity_ratio: float
    """1 − solidity: the share of its convex hull that the nucleus does not fill; clefts and
    lobes raise it, a smooth ellipse has nearly 0."""
    nucleus_elongation_ratio: float
    """1 − minor over major axis of the ellipse of the same moments; a circle has 0."""
    chromatin_entropy_bits: float
    """Entropy of the grey-level co-occurrence matrix of the nucleus (Haralick et al. 1973, IEEE
    Trans. SMC 3:610, feature 9): how varied its chromatin is."""
    chromatin_variation_ratio: float
    """Standard deviation over mean of the nucleus's green."""
    stain_contrast_ratio: float
    """(cytoplasm − nucleus) / (cytoplasm + nucleus) of the median green; NaN without
    cytoplasm."""
    sharpness_ratio: float
    """1 − perceptual blur (Crete et al. 2007, Proc. SPIE 6492:64920I) of the largest upright
    square inside the cell: 0 is blurred, 1 is sharp."""
    flags: tuple[str, ...]
    """Keys of ``single_cell.FLAGS``; empty where nothing is wrong."""

    def row(self) -> dict[str, Any]:
        """As a row of a table; the flags joined by blanks."""
        return {**asdict(self), "flags": " ".join(self.flags)}


MEASUREMENTS = tuple(field.name for field in fields(CellMeasurements) if field.name != "flags")
"""The names of all numbers."""


def measure(pixels: Pixels, masks: CellMasks | None = None) -> CellMeasurements:
    """Measure the cell of a cell image.

    Parameters
    ----------
    pixels
        RGB, uint8 (height, width, 3): a cell on black, or a crop about one cell.
    masks
        Where the cell is, if that is known; else ``find_cell`` looks for it.

    Returns
    -------
    CellMeasurements
        All NaN, and flagged, where there is no cell.
    """
    found = find_cell(pixels) if masks is None else masks
    values = dict.fromkeys(MEASUREMENTS, math.nan)
    if not found.cell.any() or not found.nucleus.any():
        return CellMeasurements(**values, flags=found.flags)
    small = worked(pixels)
    shape = (small.shape[0], small.shape[1])
    cell, nucleus = resized(found.cell, shape), resized(found.nucleus, shape)
    green = small[..., 1]
    values["cell_area_px"] = float(found.cell.sum())
    values["sharpness_ratio"] = _sharpness(green, cell)
    values["nucleus_area_px"] = float(found.nucleus.sum())
    values["nucleus_cell_ratio"] = values["nucleus_area_px"] / values["cell_area_px"]
    values["nucleus_irregularity_ratio"], values["nucleus_elongation_ratio"] = _shape(nucleus)
    values["stain_contrast_ratio"] = _contrast(green, cell & ~nucleus, nucleus)
    chromatin = green[nucleus].astype(np.float64)
    values["chromatin_variation_ratio"] = float(chromatin.std() / max(chromatin.mean(), 1.0))
    flags = found.flags
    if len(chromatin) >= FEWEST_PIXELS:
        values["chromatin_entropy_bits"] = entropy(green, nucleus)
    else:
        flags = (*flags, "small")
    return CellMeasurements(**values, flags=flags)


def _shape(nucleus: Mask) -> tuple[float, float]:
    """1 − solidity and 1 − minor/major axis."""
    rows, columns = np.nonzero(nucleus)
    minor, major = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack([rows, columns]), bias=True)))
    elongation = 1 - float(minor / major) if major > 0 else math.nan
    return 1 - float(nucleus.sum() / hull(nucleus).sum()), elongation


def entropy(grey: Grey, mask: Mask, levels: int = LEVELS) -> float:
    """Entropy in bits of the grey-level co-occurrence matrix of the pixels in a mask.

    Neighbours in four directions, a sixteenth of the mask's diameter away (at least one pixel),
    so that the same chromatin has the same texture in a larger picture.
    """
    from skimage.feature import graycomatrix

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    # Level 0 stands for what is outside; its row and column are left out of the matrix.
    level = np.where(mask, grey.astype(np.int64) * levels // 256 + 1, 0)[window].astype(np.uint8)
    distance = max(1, round(2 * math.sqrt(float(mask.sum()) / math.pi) / 16))
    angles = [0, math.pi / 4, math.pi / 2, 3 * math.pi / 4]
    counts = graycomatrix(level, [distance], angles, levels=levels + 1, symmetric=True)
    inside = counts[1:, 1:].sum(axis=(2, 3)).astype(np.float64)
    if not inside.any():
        return math.nan
    p = inside[inside > 0] / inside.sum()
    return float(-(p * np.log2(p)).sum()) + 0.0


def _contrast(green: Grey, cytoplasm: Mask, nucleus: Mask) -> float:
    if not cytoplasm.any():
        return math.nan
    light, dark = float(np.median(green[cytoplasm])), float(np.median(green[nucleus]))
    return (light - dark) / max(light + dark, 1.0)


def _sharpness(green: Grey, cell: Mask) -> float:
    """Of the largest upright square inside: the cell's outline, black or not, is left out."""
    import cv2
    from skimage.measure import blur_effect

    padded = np.pad(cell.astype(np.uint8), 1)
    inside = cv2.distanceTransform(padded, cv2.DIST_C, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(inside)), inside.shape)
    half = int(inside[row, column]) - 1
    square = green[row - half : row + half + 1, column - half : column + half + 1]
    if min(square.shape, default=0) < SMALLEST_SQUARE or not np.ptp(square):
        return math.nan
    return 1 - float(blur_effect(square, h_size=BLUR_PIXELS))
