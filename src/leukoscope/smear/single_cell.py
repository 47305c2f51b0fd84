"""The cell and its nucleus in an image that shows one cell.

On black (C-NMC) the cell is what was left, and its nucleus the part that Otsu's threshold calls
dark. On the background of a smear the nucleus is found first, then the cytoplasm about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..images.background import CUT_OUT_SHARE, black

__all__ = ["FLAGS", "CellMasks", "find_cell", "hull", "resized", "worked"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

FLAGS = {
    "no-cell": "no cell was found",
    "no-cytoplasm": "no cytoplasm can be told from the nucleus, which is taken to fill the cell",
    "cut": "the nucleus touches the edge of the image",
    "crowded": "other nuclei of together at least half the size lie in the image",
    "small": "the nucleus has too few pixels for its chromatin to be measured",
}
"""What may be wrong with a cell, in words."""

WORKED_SIDE = 256
"""Longer images are searched at this size: outlines are not finer than a 256th of a cell image."""
LEAST_SHARE = 0.004
"""A nucleus below this share of the image is a platelet or dirt."""
CROWD = 0.5
REACH = 0.6
"""Cytoplasm lies within this many diameters of the nucleus."""
FAINT = 0.08
"""Tint (see ``_tint``) of the palest cytoplasm."""
RED = 0.22
"""What has less than this share of a cell's tint is a red cell's piece."""
DARKER = 0.05
"""A nucleus is darker than what is about it by at least this share of the whole range."""
CHROMATIN_RANGE = 1020.0
COMPACT = 4
"""Exponent of solidity beside steepness when the outline of a nucleus is chosen."""


@dataclass(frozen=True)
class CellMasks:
    """Where a cell is in its image; the masks have the image's height and width."""

    cell: Mask
    """The whole cell, its nucleus included; empty where none was found."""
    nucleus: Mask
    flags: tuple[str, ...]
    """Keys of ``FLAGS``."""


def find_cell(pixels: Pixels) -> CellMasks:
    """The cell of a cell image: the central one where there are several.

    Parameters
    ----------
    pixels
        RGB, uint8 (height, width, 3).

    Returns
    -------
    CellMasks
        Empty masks and the flag ``no-cell`` where there is none.
    """
    small = worked(pixels)
    empty = black(small)
    found = _cut_out(small, ~empty) if empty.mean() > CUT_OUT_SHARE else _in_smear(small)
    shape = (pixels.shape[0], pixels.shape[1])
    return CellMasks(resized(found.cell, shape), resized(found.nucleus, shape), found.flags)


def worked(pixels: Pixels) -> Pixels:
    """The image at the size at which it is searched and measured."""
    import cv2

    height, width = pixels.shape[:2]
    scale = WORKED_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def resized(mask: Mask, shape: tuple[int, int]) -> Mask:
    """A mask at another size: pixels of which at least half is inside."""
    import cv2

    if mask.shape == shape:
        return mask
    way = cv2.INTER_AREA if shape[0] < mask.shape[0] else cv2.INTER_LINEAR
    share = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=way)
    return np.asarray(np.asarray(share) >= 0.5)


def _nothing(pixels: Pixels) -> CellMasks:
    empty = np.zeros(pixels.shape[:2], np.bool_)
    return CellMasks(empty, empty, ("no-cell",))


def _cut_out(pixels: Pixels, kept: Mask) -> CellMasks:
    """The cell is what was left, without the pieces of red cells that hang on it."""
    tint = _tint(pixels, np.full(3, 255.0, np.float32))
    own = kept & (tint > RED * np.percentile(tint[kept], 90)) if kept.any() else kept
    cell = _central(_opened(own, 0.04 * _diameter(own)))
    if cell is None or cell.sum() < 0.2 * kept.sum():
        return _nothing(pixels)
    cell = _filled(cell)
    if float(tint[cell].mean()) < FAINT:
        return _nothing(pixels)
    nucleus = _steepest(_chromatin(pixels), cell)
    if nucleus is None:
        return CellMasks(cell, cell, ("no-cytoplasm",))
    return CellMasks(cell, nucleus, ())


def _steepest(dark: Floats, cell: Mask) -> Mask | None:
    """The dark part of a cell with the steepest outline; None where no outline is steep.

    Otsu's threshold divides the chromatin itself where there is little cytoplasm. The outline of
    a nucleus is steep all along and encloses a compact piece; that of clumped chromatin is not
    compact.
    """
    import cv2
    from scipy.ndimage import distance_transform_edt

    # The edge of a cut-out cell is mixed with black and would pass for chromatin: it follows the
    # nearest pixels that are not.
    inner = _eroded(cell, 0.02 * _diameter(cell))
    if not inner.any():
        return None
    rows, columns = distance_transform_edt(~inner, return_distances=False, return_indices=True)
    even = dark[rows, columns]
    slope = np.hypot(cv2.Sobel(even, cv2.CV_32F, 1, 0), cv2.Sobel(even, cv2.CV_32F, 0, 1))
    free = _eroded(inner, 2)
    best, chosen = 0.0, None
    for threshold in np.quantile(dark[inner], np.linspace(0.03, 0.75, 19)):
        piece = _lobes(cell & (even > threshold), 0.02 * _diameter(cell))
        outline = piece & ~_eroded(piece, 1) & free
        if outline.sum() < 0.15 * np.pi * _diameter(piece) or piece.sum() < 0.15 * cell.sum():
            continue
        within, without = even[piece], even[cell & ~piece]
        if not len(without) or within.mean() - without.mean() < DARKER * CHROMATIN_RANGE:
            continue
        score = float(slope[outline].mean()) * (piece.sum() / hull(piece).sum()) ** COMPACT
        if score > best:
            best, chosen = score, piece
    return chosen


def _in_smear(pixels: Pixels) -> CellMasks:
    """The nucleus by the darkest of three classes, the cytoplasm by its colour about it."""
    from skimage.filters import threshold_multiotsu

    dark = _chromatin(pixels)
    try:
        threshold = threshold_multiotsu(dark, 3)[-1]
    except ValueError:  # fewer than three different values: a blank image
        return _nothing(pixels)
    nuclei = _opened(dark > threshold, 0.02 * min(pixels.shape[:2]))
    nucleus = _central(nuclei)
    if nucleus is None or nucleus.sum() < LEAST_SHARE * nucleus.size:
        return _nothing(pixels)
    nucleus = _filled(nucleus)
    tint = _tint(pixels, _own_light(pixels))
    if float(tint[nucleus].mean()) < FAINT:
        return _nothing(pixels)
    cell = _cytoplasm(tint, nucleus, nuclei)
    nucleus = cell & (nuclei | nucleus)
    flags = []
    if _at_edge(nucleus):
        flags.append("cut")
    if (nuclei & ~nucleus).sum() >= CROWD * nucleus.sum():
        flags.append("crowded")
    return CellMasks(cell, nucleus, tuple(flags))


def _chromatin(pixels: Pixels) -> Floats:
    """How much of the light chromatin takes: most of the green, more of the red than the blue.

    −(2G + R − B), raised above 0: of ten such measures, under three-class Otsu, this one had
    the best nuclei on ALL-IDB2 and on two sets with other stains and cameras (Dice 0.96 each).
    """
    values = _smooth(pixels).astype(np.float32)
    return np.asarray(765 - 2 * values[..., 1] - values[..., 0] + values[..., 2], np.float32)


def _tint(pixels: Pixels, light: Floats) -> Floats:
    """Optical density of green and red less twice that of blue.

    White cells take green and red; haemoglobin takes green and blue, so red cells are at 0 or
    below, as is the empty slide. Mixing with black changes nothing: the weights sum to 0.
    """
    values = _smooth(pixels).astype(np.float32)
    density = -np.log((values + 1) / (light + 1))
    return np.asarray(density @ np.array([1, 1, -2], np.float32), np.float32)


def _own_light(pixels: Pixels) -> Floats:
    """The light of the empty slide: the mean colour of the brightest tenth."""
    brightness = pixels.sum(axis=-1, dtype=np.uint16)
    bright = pixels[brightness >= np.percentile(brightness, 90)]
    return np.asarray(bright.mean(axis=0, dtype=np.float64), np.float32)


def _cytoplasm(tint: Floats, nucleus: Mask, nuclei: Mask) -> Mask:
    """The cell about a nucleus, by its tint over the slide's own light."""
    import cv2
    from skimage.filters import threshold_otsu

    away = cv2.distanceTransform((~nucleus).astype(np.uint8), cv2.DIST_L2, 5)
    diameter = _diameter(nucleus)
    zone = (away <= REACH * diameter) & ~_dilated(nuclei, 2)
    threshold = FAINT
    if zone.sum() > 50 and float(np.ptp(tint[zone])) > 0:
        threshold = max(FAINT, float(threshold_otsu(tint[zone])))
    cell = (tint > threshold) & (away <= REACH * diameter)
    cell |= nucleus | (nuclei & (away <= 0.3 * diameter))
    cell = _opened(_closed(cell, 1), 0.06 * diameter) | nucleus
    return _filled(_touching(cell, nucleus))


def _lobes(dark: Mask, dust: float) -> Mask:
    """The larger pieces of the dark part: nuclei have lobes; dust has no size."""
    import cv2

    opened = _opened(dark, dust)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(opened.astype(np.uint8))
    if count < 2:
        return opened
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return _filled(np.isin(labels, 1 + np.flatnonzero(areas >= 0.1 * areas.max())))


def hull(mask: Mask) -> Mask:
    """All pixels in the convex hull of the mask's pixels."""
    import cv2

    rows, columns = np.nonzero(mask)
    whole = np.zeros(mask.shape, np.uint8)
    if len(rows):
        points = np.stack([columns, rows], axis=1).astype(np.int32)
        cv2.fillConvexPoly(whole, cv2.convexHull(points), 1)
    return whole > 0


def _central(mask: Mask) -> Mask | None:
    """The largest piece, nearer ones to the middle counting more; None where there is none."""
    import cv2

    count, labels, statistics, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    middle = np.array([mask.shape[1] - 1, mask.shape[0] - 1]) / 2
    away = np.linalg.norm(centres[1:] - middle, axis=1) / np.linalg.norm(middle + 1)
    areas = statistics[1:, cv2.CC_STAT_AREA].astype(np.float64)
    return np.asarray(labels == 1 + int(np.argmax(areas * (1 - 0.75 * np.minimum(away, 1)))))


def _at_edge(mask: Mask) -> bool:
    """Whether more than a speck of the mask lies on the image's edge."""
    edge = int(mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum())
    return edge > 0.1 * _diameter(mask)


def _diameter(mask: Mask) -> float:
    """Of the circle of the same area, in pixels."""
    return float(2 * np.sqrt(mask.sum() / np.pi))


def _touching(mask: Mask, core: Mask) -> Mask:
    import cv2

    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    return np.isin(labels, np.unique(labels[core & mask]))


def _filled(mask: Mask) -> Mask:
    import cv2

    rims, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(whole, rims, -1, 1, cv2.FILLED)
    return whole > 0


def _smooth(pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(1.0, min(pixels.shape[:2]) / 150)))


def _disc(radius: float) -> Any:
    import cv2

    r = max(1, round(radius))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))


def _opened(mask: Mask, radius: float) -> Mask:
    import cv2

    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius))) > 0


def _closed(mask: Mask, radius: float) -> Mask:
    import cv2

    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(radius))) > 0


def _dilated(mask: Mask, radius: float) -> Mask:
    import cv2

    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius))) > 0


def _eroded(mask: Mask, radius: float) -> Mask:
    import cv2

    # The image's edge is no edge of the cell.
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius))) > 0
