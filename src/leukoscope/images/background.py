"""What in a cell image is no cell: black where it was cut out, blank where the glass shines.

Statistics of colour leave both out, or C-NMC's black frame and an empty field's light would
decide how a stain is normalised.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BLACK", "black", "light", "optical_density", "stained"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

BLACK = 10
"""No channel above this: cut out, not stained. The darkest chromatin is far brighter in blue."""
CUT_OUT_SHARE = 0.02
"""With more black than this the cell was cut out, and whatever is not black is cell."""
GREY_RATIO = 0.7
"""Light through glass has its weakest channel above this share of its strongest."""
GREEN_RATIO = 0.93
"""And its green above this share of the mean of red and blue: every dye of a smear or a section
takes most from the green, so that a pink or purple light has come through tissue."""
DARKEST_LIGHT = 100.0
_DENSITIES = -np.log((np.arange(256, dtype=np.float64) + 1.0) / 256.0)


def black(pixels: Pixels) -> Mask:
    """Pixels (..., 3) that are black: background that somebody cut away."""
    return np.asarray(pixels.max(axis=-1) <= BLACK)


def light(pixels: Pixels) -> Floats:
    """What the empty slide of one image (height, width, 3) lets through, for each channel.

    The mean colour of the brightest twentieth, if that is nearly grey, as light through glass
    is. Where there is no such place, because a cell was cut out or tissue fills the image, it is
    255 as in the published methods.
    """
    white = np.full(3, 255.0, np.float32)
    if black(pixels).mean() > CUT_OUT_SHARE:
        return white
    brightness = pixels.sum(axis=-1, dtype=np.uint16)
    bright = brightness >= np.percentile(brightness, 95, method="higher")
    colour = pixels[bright].mean(axis=0, dtype=np.float64).astype(np.float32)
    red, green, blue = colour
    grey = colour.min() >= GREY_RATIO * colour.max() and green >= GREEN_RATIO * (red + blue) / 2
    grey = grey and colour.max() >= DARKEST_LIGHT
    return colour if grey else white


def optical_density(pixels: Pixels, through: Floats | None = None) -> Floats:
    """Natural optical density ``-ln((v + 1) / (light + 1))`` of each channel.

    ``through`` is the light of the empty slide, 255 where none is given (Ruifrok 2001,
    Macenko 2009).
    """
    density = _DENSITIES.astype(np.float32)[pixels]
    if through is not None:
        density += np.log((through + 1) / 256)
    return density


def stained(pixels: Pixels, through: Floats | None = None, beta: float = 0.15) -> Mask:
    """Pixels that are neither black nor blank: their mean optical density is above ``beta``."""
    density = optical_density(pixels, through).mean(axis=-1)
    return np.asarray((density > beta) & ~black(pixels))
