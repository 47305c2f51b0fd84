"""Colours, light and the object of one image.

The image is looked at where its longer side has at most 256 pixels (``smear.single_cell``), so
that a whole slide's field costs no more than a cell. Grey levels are divided by 255.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...images.background import CUT_OUT_SHARE, black
from ...smear.single_cell import find_cell, resized, worked

__all__ = ["measure_light"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

RING_SHARE = 0.05
"""Width of the border ring over the shorter side: a centred cell seldom reaches it."""
HALO_SHARE = 0.03
"""What lies this near to an object (over the shorter side) may be its rim, not background."""
WHITE = 254
"""From this level on in every channel the camera was at its end; JPEG moves 255 by one."""
BLOCK = 8
"""Side of the blocks that show something or nothing."""
EMPTY_SD = 2.5
"""Grey levels by which the noise of a camera or of JPEG moves the pixels of an empty block."""
LIGHT_BLOCKS = 8
"""The light is read on so many blocks along each side."""
FEWEST_PIXELS = 16
"""Colours of fewer pixels are not told."""
OBJECT_SIDE = 160
"""The object is looked for at this size: its area is as good, in a third of the time."""
SMALLEST_SIDE = 8
"""In smaller images nothing is looked for."""


def measure_light(pixels: Pixels) -> dict[str, float]:
    """Measurements of an image's light and colours; NaN where there is nothing to measure.

    Where a cell was cut out on black, colours and brightness are those of what was left.

    Parameters
    ----------
    pixels
        RGB, uint8 (height, width, 3).
    """
    import cv2

    small = worked(pixels)
    empty = black(small)
    cut_out = bool(empty.mean() > CUT_OUT_SHARE)
    kept = ~empty if cut_out and not empty.all() else np.ones(empty.shape, np.bool_)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    seen = grey[kept].astype(np.float64) / 255
    low, high = np.percentile(seen, [5, 95])
    saturation = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), np.uint8)[..., 1]
    body = _object(small, kept, cut_out=cut_out)
    enlarged = pixels.shape[0] * pixels.shape[1] / grey.size
    values = {
        "width_px": float(pixels.shape[1]),
        "height_px": float(pixels.shape[0]),
        "brightness_mean": float(seen.mean()),
        "brightness_sd": float(seen.std()),
        "brightness_p5": float(low),
        "brightness_p95": float(high),
        "saturation_mean": float(saturation[kept].mean()) / 255,
        "overexposed_share": float((small[kept].min(axis=-1) >= WHITE).mean()),
        "cut_out_share": float(empty.mean()),
        "blank_share": _blank_share(grey),
        "object_area_px": float(body.sum() * enlarged) if body.any() else math.nan,
        "object_share": float(body.mean()) if body.any() else math.nan,
        "dark_share": float((_dark(grey, kept) & kept).mean()),
        **_colours("", small, kept),
        **_colours("border_", small, _ring(kept.shape)),
        **_colours("background_", small, _background(grey, body, cut_out=cut_out)),
    }
    values["vignetting_ratio"], values["vignetting_fit"] = (
        (math.nan, math.nan) if cut_out else _vignetting(grey)
    )
    return values


def _colours(where: str, pixels: Pixels, mask: Mask) -> dict[str, float]:
    """Mean and standard deviation of each channel in a mask."""
    chosen = pixels[mask].astype(np.float64) / 255
    enough = len(chosen) >= min(FEWEST_PIXELS, mask.size)
    means = chosen.mean(axis=0) if enough else np.full(3, math.nan)
    spreads = chosen.std(axis=0) if enough else np.full(3, math.nan)
    values = {}
    for channel, mean, spread in zip(("red", "green", "blue"), means, spreads, strict=True):
        values[f"{where}{channel}_mean"] = float(mean)
        values[f"{where}{channel}_sd"] = float(spread)
    return values


def _ring(shape: tuple[int, ...]) -> Mask:
    width = max(1, round(RING_SHARE * min(shape)))
    ring = np.ones(shape, np.bool_)
    ring[width:-width, width:-width] = False
    return ring


def _object(pixels: Pixels, kept: Mask, *, cut_out: bool) -> Mask:
    """What was left of a cut-out image, the cell of a smear, or else what is dark in it."""
    if cut_out:
        return kept
    if min(kept.shape) < SMALLEST_SIDE:
        return np.zeros(kept.shape, np.bool_)
    import cv2

    scale = min(1.0, OBJECT_SIDE / max(kept.shape))
    size = (round(kept.shape[1] * scale), round(kept.shape[0] * scale))
    if min(size) < SMALLEST_SIDE:
        return np.zeros(kept.shape, np.bool_)
    smaller = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    found: Mask = resized(find_cell(smaller).cell, (kept.shape[0], kept.shape[1]))
    return found


def _dark(grey: Pixels, kept: Mask) -> Mask:
    """Below Otsu's threshold; nothing in a picture of one grey."""
    from skimage.filters import threshold_otsu

    if not np.ptp(grey[kept]):
        return np.zeros(grey.shape, np.bool_)
    return np.asarray(grey <= threshold_otsu(grey[kept]))


def _background(grey: Pixels, body: Mask, *, cut_out: bool) -> Mask:
    """What is bright and far from the object; nothing where the background was cut away."""
    import cv2

    if cut_out:
        return np.zeros(grey.shape, np.bool_)
    reach = max(1, round(HALO_SHARE * min(grey.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    covered = body | _dark(grey, np.ones(grey.shape, np.bool_))
    return np.asarray(np.asarray(cv2.dilate(covered.astype(np.uint8), kernel)) == 0)


def _blank_share(grey: Pixels) -> float:
    """Share of blocks in which grey varies no more than noise does."""
    height, width = (side // BLOCK * BLOCK for side in grey.shape)
    if not height or not width:
        return float(grey.std() < EMPTY_SD)
    blocks = grey[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return float((blocks.std(axis=(1, 3)) < EMPTY_SD).mean())


def _vignetting(grey: Pixels) -> tuple[float, float]:
    """How much darker the corners are than the middle, and how well such a fall fits.

    The light of a block is its 90th percentile, which a cell in it does not move. A plane and a
    paraboloid about the middle are fitted to it by least squares, once more without the blocks
    that a cell fills; the paraboloid's fall to the corners over the light in the middle is the
    ratio.
    """
    if min(grey.shape) < 4 * LIGHT_BLOCKS:
        return math.nan, math.nan
    rows = np.array_split(grey, LIGHT_BLOCKS, axis=0)
    light = np.array(
        [
            [np.percentile(block, 90) for block in np.array_split(row, LIGHT_BLOCKS, axis=1)]
            for row in rows
        ]
    ).ravel()
    y, x = (np.mgrid[:LIGHT_BLOCKS, :LIGHT_BLOCKS].reshape(2, -1) + 0.5) / LIGHT_BLOCKS * 2 - 1
    terms = np.stack([np.ones_like(x), x, y, (x**2 + y**2) / 2], axis=1)
    chosen = np.ones(len(light), np.bool_)
    for _ in range(2):
        fitted = chosen
        found, *_ = np.linalg.lstsq(terms[fitted], light[fitted], rcond=None)
        rest = light - terms @ found
        spread = 1.4826 * float(np.median(np.abs(rest[fitted])))
        chosen = rest > -3 * max(spread, 1.0)
    whole, left = float(light[fitted].var()), float((rest[fitted] ** 2).mean())
    return float(-found[3] / max(found[0], 1.0)), 1 - left / whole if whole > 0 else 0.0
