"""Colour changes of augmentation: stain, brightness, contrast, saturation, hue, in this order.

Black pixels, where a cell was cut out, keep their black and count in no mean. Blank ones do not
change with the stain, for there is none on them. Training does the same on tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .background import black, light
from .drawn import Draws
from .stains import BLANK_DENSITY, BLANK_NOISE, HED

__all__ = ["STAIN_SPACES", "lights", "recolour"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

GIEMSA = np.array([[0.834750233, 0.513556283, 0.196330403], [0.092789, 0.954111, 0.283111]])
"""Methylene blue and eosin in a Giemsa stain (Landini's Colour Deconvolution, as scikit-image's
``rgb_from_bex``); the third axis stands on both."""


def _unit(axes: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))


STAIN_SPACES = {"hed": _unit(HED), "giemsa": _unit(np.vstack([GIEMSA, np.cross(*GIEMSA)]))}
"""Axes of optical density, (3 stains, 3 channels), unit length."""


def recolour(draws: Draws, batch: Pixels) -> Pixels:
    """``batch`` (n, height, width, 3) with the drawn colours; bytes where nothing was drawn."""
    neutral = (
        not draws.stains
        and (draws.brightness == 1).all()
        and not draws.brightness_shift.any()
        and (draws.contrast == 1).all()
        and (draws.saturation == 1).all()
        and not draws.hue.any()
    )
    if neutral:
        return batch
    empty = black(batch)[..., None]
    values = batch.astype(np.float32)
    if draws.stains:
        values = _stain(draws, values, lights(batch))
    values = np.clip(values * _each(draws.brightness), 0, 255)
    values = np.clip(values + 255 * _each(draws.brightness_shift), 0, 255)
    if (draws.contrast != 1).any():
        count = np.maximum((~empty).sum(axis=(1, 2), keepdims=True), 1)
        mean = (values * ~empty).sum(axis=(1, 2), keepdims=True) / count
        values = np.clip((values - mean) * _each(draws.contrast) + mean, 0, 255)
    if (draws.saturation != 1).any():
        values = _saturate(values, _each(draws.saturation))
    if draws.hue.any():
        values = _turn_hue(values, _each(draws.hue))
    return np.where(empty, batch, np.rint(values).astype(np.uint8))


def _each(factors: np.ndarray[Any, np.dtype[np.float64]]) -> Floats:
    return factors.astype(np.float32)[:, None, None, None]


def lights(batch: Pixels) -> Floats:
    """The light of each image's empty slide, (n, 3), see ``background.light``."""
    return np.stack([light(image) for image in batch])


def _stain(draws: Draws, values: Floats, through: Floats) -> Floats:
    """Tellez 2018: each concentration times a factor, plus a shift, in optical density.

    Density is counted from each image's own empty slide, and the change is scaled down where
    there is little stain, so that blank glass and its noise stay as they are.
    """
    axes = STAIN_SPACES[draws.stain_space].astype(np.float32)
    full = through[:, None, None] + 1
    density = -np.log((values + 1) / full)
    mean = density.mean(axis=-1, keepdims=True)
    present = np.clip((mean - BLANK_NOISE) / (BLANK_DENSITY - BLANK_NOISE), 0, 1)
    amounts = density @ np.linalg.inv(axes)
    factor = draws.stain_factor.astype(np.float32)[:, None, None]
    shift = draws.stain_shift.astype(np.float32)[:, None, None]
    changed = density + present * (amounts * (factor - 1) + shift) @ axes
    return np.asarray(np.clip(full * np.exp(-changed) - 1, 0, 255))


def _saturate(values: Floats, factor: Floats) -> Floats:
    """HSV's saturation times ``factor``, at most 1; hue and value stay."""
    top = values.max(axis=-1, keepdims=True)
    chroma = top - values.min(axis=-1, keepdims=True)
    most = np.where(chroma > 0, top / np.maximum(chroma, 1e-6), 1)
    return np.asarray(top - (top - values) * np.minimum(factor, most))


def _turn_hue(values: Floats, degrees: Floats) -> Floats:
    """HSV's hue turned by ``degrees``; saturation and value stay."""
    red, green, blue = values[..., 0], values[..., 1], values[..., 2]
    top = values.max(axis=-1)
    chroma = top - values.min(axis=-1)
    safe = np.maximum(chroma, 1e-6)
    sixth = np.where(
        top == red,
        (green - blue) / safe,
        np.where(top == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    turned = np.where(chroma > 0, sixth, 0) + degrees[..., 0] / 60
    channels = []
    for start in (5, 3, 1):  # red, green, blue
        place = (start + turned) % 6
        part = np.clip(np.minimum(place, 4 - place), 0, 1)
        channels.append(top - chroma * part)
    return np.stack(channels, axis=-1)
