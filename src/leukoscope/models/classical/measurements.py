"""The literature's measured features: texture and colour of the nucleus, wavelet statistics.

``lab-kmeans``: nucleus by k-means in L*a*b*, co-occurrence (Haralick 1973) and run lengths
(Galloway 1975) of its grey levels, its colour and size. ``wavelet``: mean and spread of the
coefficients of a discrete wavelet transform of L*, a* and b*. PAPERS' comparison tables name both
arms without their settings; the ones here are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import MissingExtraError
from .gram import Doubles, Floats
from .nucleus import Mask, Pixels, find_nucleus, lab
from .run_lengths import DIRECTIONS, RUN_MEASURES, run_length_matrix, run_measures

__all__ = ["MEASURES", "VERSION", "lab_kmeans", "measure", "names", "wavelet"]

VERSION = 1
"""Counted up when a measurement changes: cached ones are then made anew."""
GREY_LEVELS = 32
"""Of equal width from 0 to 255."""
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation")
ANGLES = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
WAVELET = "haar"
LEVELS = 3
"""As many as the smallest image (8 pixels) has."""
ORIENTATIONS = ("horizontal", "vertical", "diagonal")


def lab_kmeans(pixels: Pixels) -> Doubles:
    """33 measurements of the nucleus: see ``names``."""
    nucleus = find_nucleus(pixels)
    levels = _grey(pixels).astype(np.int64) * GREY_LEVELS // 256
    runs = [
        run_measures(run_length_matrix(levels, nucleus, direction, GREY_LEVELS))
        for direction in DIRECTIONS
    ]
    colours = lab(pixels)[nucleus]
    return np.concatenate(
        [
            _over_angles(_co_occurrence(levels, nucleus)),
            _over_angles(np.stack(runs, axis=1)),
            colours.mean(axis=0),
            colours.std(axis=0),
            [nucleus.mean()],
        ]
    )


def _grey(pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def _over_angles(values: Doubles) -> Doubles:
    """Mean and range over the four angles of measures (measures, 4), as Haralick has it."""
    return np.concatenate([values.mean(axis=1), np.ptp(values, axis=1)])


def _co_occurrence(levels: np.ndarray[Any, np.dtype[np.int64]], mask: Mask) -> Doubles:
    """Haralick's measures (properties, angles) of neighbouring pixels that both are in ``mask``."""
    import skimage.feature

    texture: Any = skimage.feature  # without types

    # Level 0 stands for everything outside; its row and column are dropped.
    inside = np.where(mask, levels + 1, 0).astype(np.uint8)
    counts = texture.graycomatrix(inside, [1], ANGLES, levels=GREY_LEVELS + 1, symmetric=True)
    return np.stack([texture.graycoprops(counts[1:, 1:], name)[0] for name in PROPERTIES])


def wavelet(pixels: Pixels) -> Doubles:
    """60 statistics of wavelet coefficients: see ``names``."""
    try:
        import pywt
    except ImportError:
        raise MissingExtraError("Wavelet features", "train") from None

    found: list[float] = []
    for channel in np.moveaxis(lab(pixels), 2, 0):
        # Periodic at the border: as many coefficients as pixels, so that none is counted twice.
        rough, *details = pywt.wavedec2(channel, WAVELET, "periodization", LEVELS)
        found += [rough.mean(), rough.std()]
        for bands in details:
            found += [value for band in bands for value in (np.abs(band).mean(), band.std())]
    return np.array(found)


MEASURES: dict[str, Callable[[Pixels], Doubles]] = {"lab-kmeans": lab_kmeans, "wavelet": wavelet}
"""Name of ``names.MEASURED`` → function of RGB pixels (height, width, 3)."""


def measure(name: str, pixels: Pixels) -> Floats:
    """The measurements (length,) of one image, float32."""
    return MEASURES[name](pixels).astype(np.float32)


def names(name: str) -> list[str]:
    """What the measurements of a name are, in their order."""
    if name == "lab-kmeans":
        of_angles = [
            f"{prefix}_{measured}_{what}"
            for prefix, measures in (("glcm", PROPERTIES), ("glrlm", RUN_MEASURES))
            for what in ("mean", "range")
            for measured in measures
        ]
        colours = [f"{axis}_{what}" for what in ("mean", "sd") for axis in ("L", "a", "b")]
        return [*of_angles, *colours, "nucleus_area_ratio"]
    found = []
    for axis in ("L", "a", "b"):
        found += [f"{axis}_rough_mean", f"{axis}_rough_sd"]
        for level in range(LEVELS, 0, -1):
            for orientation in ORIENTATIONS:
                found += [f"{axis}_{orientation}_{level}_{what}" for what in ("abs", "sd")]
    return found
