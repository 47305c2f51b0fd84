"""Stain normalisation: Reinhard 2001 and Macenko 2009, both blind to the background.

Both are fitted on training images and then bring every image to what was fitted. Black pixels,
where a cell was cut out, stay black; blank ones, where the slide is empty, stay blank: neither
counts in any statistic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import ImageError
from .background import black, light, optical_density, stained

__all__ = [
    "BLANK_DENSITY",
    "BLANK_NOISE",
    "HED",
    "LEAST_PIXELS",
    "fit_macenko",
    "fit_reinhard",
    "from_density",
    "macenko",
    "reinhard",
    "stain_axes",
]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Array = np.ndarray[Any, np.dtype[np.float64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

LEAST_PIXELS = 50
"""With fewer stained pixels an image has no statistics of its own and is left as it is."""
SAMPLED_PIXELS = 4096
"""Of each training image at most this many stained pixels, evenly spread, decide Macenko's
axes, so that memory does not grow with the number of images beyond 50 kB an image."""
BLANK_DENSITY = 0.15
BLANK_NOISE = 0.05
"""Below this it is blank and its noise; between the two an image is changed by and by."""
LEAST_ANGLE = 8.0
"""Degrees between the stains; closer together they are one stain and some noise, as in a cell
that is all nucleus, and the target's axes are taken instead."""
MOST_SCALE = 3.0
"""No concentration is changed by more than this factor, either way."""
HED = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])
"""Haematoxylin, eosin, DAB: their optical densities in red, green, blue (Ruifrok 2001, table 1)."""


def fit_reinhard(images: Iterable[Pixels]) -> dict[str, Array]:
    """Mean and standard deviation of CIELAB over the stained pixels of all images.

    The target is the mean of the images' own means and the mean of their own deviations, so that
    a large cell does not count for more than a small one (Reinhard 2001, eq. 10 and 11, with
    CIELAB in the place of l-alpha-beta).
    """
    means, deviations = [], []
    for pixels in images:
        found = _lab_statistics(pixels)
        if found is not None:
            means.append(found[0])
            deviations.append(found[1])
    if not means:
        raise _nothing_stained("reinhard")
    return {"mean": np.mean(means, axis=0), "deviation": np.mean(deviations, axis=0)}


def reinhard(pixels: Pixels, target: dict[str, Array]) -> Pixels:
    """``pixels`` with the mean and deviation of the target in each channel of CIELAB."""
    found = _lab_statistics(pixels)
    if found is None:
        return pixels
    mean, deviation = found
    scale = target["deviation"] / np.maximum(deviation, 1e-6)
    lab = _to_lab(pixels).astype(np.float64)
    moved = _from_lab(((lab - mean) * scale + target["mean"]).astype(np.float32))
    return _blended(pixels, moved, light(pixels))


def fit_macenko(
    images: Iterable[Pixels], *, beta: float = BLANK_DENSITY, percentile: float = 1.0
) -> dict[str, Array]:
    """Stain axes and the high concentration of each over the stained pixels of all images."""
    sampled = []
    for pixels in images:
        density = _stained_density(pixels, light(pixels), beta)
        if len(density) >= LEAST_PIXELS:
            sampled.append(density[:: max(1, len(density) // SAMPLED_PIXELS)][:SAMPLED_PIXELS])
    if not sampled:
        raise _nothing_stained("macenko")
    together = np.concatenate(sampled).astype(np.float64)
    axes = stain_axes(together, percentile)
    high = np.percentile(_concentrations(together, axes), 100 - percentile, axis=0)
    return {"axes": axes, "high": high}


def macenko(
    pixels: Pixels,
    target: dict[str, Array],
    *,
    beta: float = BLANK_DENSITY,
    percentile: float = 1.0,
) -> Pixels:
    """``pixels`` with the stain axes and concentrations of the target (Macenko 2009)."""
    through = light(pixels)
    density = _stained_density(pixels, through, beta).astype(np.float64)
    if len(density) < LEAST_PIXELS:
        return pixels
    axes = stain_axes(density, percentile)
    if axes[0] @ axes[1] > np.cos(np.deg2rad(LEAST_ANGLE)):
        axes = target["axes"]
    high = np.percentile(_concentrations(density, axes), 100 - percentile, axis=0)
    scale = np.clip(target["high"] / np.maximum(high, 1e-6), 1 / MOST_SCALE, MOST_SCALE)
    every = optical_density(pixels, through).reshape(-1, 3).astype(np.float64)
    known = _concentrations(every, axes)
    # What two stains do not explain (a third dye, noise) is kept as it is.
    rest = every - known @ axes
    moved = from_density((known * scale) @ target["axes"] + rest, through).reshape(pixels.shape)
    return _blended(pixels, moved, through)


def stain_axes(density: Array, percentile: float = 1.0) -> Array:
    """The two stains' directions in optical density, shape (2, 3), unit length.

    The plane of the two largest components holds the densities; in it the extreme directions,
    at ``percentile`` and 100 minus it so that noise does not choose them, are the stains
    (Macenko 2009, section 2.2). The one that absorbs more red comes first: haematoxylin in
    sections, the azure of nuclei in smears.
    """
    covariance = np.cov(density, rowvar=False)
    plane = np.linalg.eigh(covariance)[1][:, [2, 1]]
    # Directions that point into the densities, or the angles would wrap at +-180 degrees.
    plane *= np.where(density.mean(axis=0) @ plane < 0, -1.0, 1.0)
    projected = density @ plane
    angles = np.arctan2(projected[:, 1], projected[:, 0])
    low, high = np.percentile(angles, [percentile, 100 - percentile])
    extremes = np.array([[np.cos(angle), np.sin(angle)] for angle in (low, high)]) @ plane.T
    extremes = np.maximum(extremes, 0.0)
    extremes /= np.maximum(np.linalg.norm(extremes, axis=1, keepdims=True), 1e-12)
    return np.asarray(extremes[np.argsort(-extremes[:, 0])])


def from_density(density: Array, through: Floats | None = None) -> Pixels:
    """8-bit pixels of natural optical densities, rounded; the inverse of ``optical_density``."""
    full = 256.0 if through is None else through.astype(np.float64) + 1.0
    return np.clip(np.rint(full * np.exp(-density) - 1.0), 0, 255).astype(np.uint8)


def _concentrations(density: Array, axes: Array) -> Array:
    """Least-squares amounts of the two stains, shape (pixels, 2)."""
    return np.asarray(density @ np.linalg.pinv(axes))


def _stained_density(pixels: Pixels, through: Floats, beta: float) -> Floats:
    return optical_density(pixels[stained(pixels, through, beta)], through).reshape(-1, 3)


def _lab_statistics(pixels: Pixels) -> tuple[Array, Array] | None:
    chosen = stained(pixels, light(pixels), BLANK_DENSITY)
    values = _to_lab(pixels)[chosen].astype(np.float64)
    if len(values) < LEAST_PIXELS:
        return None
    return values.mean(axis=0), values.std(axis=0)


def _blended(pixels: Pixels, moved: Pixels, through: Floats) -> Pixels:
    """``moved`` where there is stain; ``pixels`` where it is black or blank; smooth between."""
    density = optical_density(pixels, through).mean(axis=-1, keepdims=True)
    share = np.clip((density - BLANK_NOISE) / (BLANK_DENSITY - BLANK_NOISE), 0.0, 1.0)
    share[black(pixels)] = 0.0
    mixed = pixels + share * (moved.astype(np.float32) - pixels)
    return np.asarray(np.rint(mixed).astype(np.uint8))


def _to_lab(pixels: Pixels) -> Floats:
    import cv2

    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB))


def _from_lab(lab: Floats) -> Pixels:
    import cv2

    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    rgb = np.clip(np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)) * 255.0, 0, 255)
    return np.asarray(np.rint(rgb).astype(np.uint8))


def _nothing_stained(step: str) -> ImageError:
    return ImageError(
        f"{step}: none of the training images has {LEAST_PIXELS} stained pixels to fit on "
        "(black and blank ones do not count). Leave the step out or see what the images hold."
    )
