"""How dye becomes a picture: absorption, light, focus, camera.

Dyes absorb by the law of Beer and Lambert: a pixel is light × exp(−Σ density × absorbance), which
is why red cells that overlap are darker where they do and why stains mix as they do on glass.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .geometry import Array, texture

__all__ = [
    "BASOPHILIA",
    "CHROMATIN",
    "DYES",
    "EOSIN",
    "HAEMOGLOBIN",
    "Optics",
    "expose",
    "supersampling",
]

CHROMATIN, BASOPHILIA, EOSIN, HAEMOGLOBIN = range(4)
DYES = ("chromatin", "basophilia", "eosin", "haemoglobin")
"""What a density map holds, in this order: azure-eosin on chromatin, azure on RNA, eosin, and
haemoglobin as it takes the stain."""

FINE_SCALE = 5.0
"""Pixels per µm below which a picture is drawn larger and averaged down."""


@dataclass(frozen=True)
class Optics:
    """One slide under one microscope."""

    absorbance: npt.NDArray[np.float32]
    """(4, 3): optical density in R, G, B of one unit of each dye (natural logarithm)."""
    light: tuple[float, float, float]
    """R, G, B of the empty background, 0…255."""
    slope: tuple[float, float] = (0.0, 0.0)
    """Relative change of the light from edge to middle, along x and y."""
    vignette: float = 0.0
    """Relative loss of light in the corners."""
    blur_um: float = 0.12
    """Standard deviation of the point spread."""
    halo: float = 0.25
    """Strength of the bright rim that refraction and sharpening leave around cells."""
    fringe_um: float = 0.04
    """Sideways chromatic aberration between red and blue."""
    fringe_angle: float = 0.0
    gamma: float = 1.0
    noise: float = 1.2
    """Standard deviation of the sensor's noise at mid grey, in grey levels."""


def supersampling(scale: float) -> int:
    """How many times larger a picture at ``scale`` px/µm is drawn before it is averaged down."""
    return max(1, int(np.ceil(FINE_SCALE / scale)))


def expose(
    density: Array, optics: Optics, rng: np.random.Generator, *, scale: float, factor: int = 1
) -> npt.NDArray[np.uint8]:
    """Photograph a density map.

    Parameters
    ----------
    density
        (h·factor, w·factor, 4): amount of each dye.
    scale
        Pixels per µm of the result.
    factor
        How many times larger the map is than the result.

    Returns
    -------
    uint8 (h, w, 3), RGB.
    """
    fine = scale * factor
    image: Array = np.asarray(
        cv2.exp(cv2.transform(density, -np.ascontiguousarray(optics.absorbance.T))), np.float32
    )
    height, width = image.shape[:2]
    image *= _light(height, width, optics)
    if optics.blur_um * fine > 0.25:
        image = _blurred(image, optics.blur_um * fine)
    if optics.halo:
        wide = _blurred(image, max(0.45 * fine, 0.6))
        image += np.float32(optics.halo) * (image - wide)
    image = _fringe(image, optics, fine)
    if factor > 1:
        size = (width // factor, height // factor)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
    image = np.clip(image, 0, 255)
    if optics.gamma != 1:
        image = np.float32(255) * (image / np.float32(255)) ** np.float32(optics.gamma)
    return _sensor(image, optics.noise, rng)


def _blurred(image: Array, sigma_px: float) -> Array:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.float32)


def _light(height: int, width: int, optics: Optics) -> Array:
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    shade = 1 + optics.slope[0] * x + optics.slope[1] * y - optics.vignette * (x**2 + y**2) / 2
    return np.asarray(shade[:, :, None] * np.array(optics.light, np.float32), np.float32)


def _fringe(image: Array, optics: Optics, fine: float) -> Array:
    reach = optics.fringe_um * fine
    if reach < 0.02:
        return image
    dx, dy = reach * np.cos(optics.fringe_angle), reach * np.sin(optics.fringe_angle)
    size = (image.shape[1], image.shape[0])
    channels = list(cv2.split(image))
    for channel, sign in ((0, 1), (2, -1)):
        matrix = np.array([[1, 0, sign * dx], [0, 1, sign * dy]], np.float32)
        channels[channel] = cv2.warpAffine(
            channels[channel], matrix, size, borderMode=cv2.BORDER_REPLICATE
        )
    return np.asarray(cv2.merge(channels), np.float32)


def _sensor(image: Array, noise: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    height, width = image.shape[:2]
    grain = rng.standard_normal(image.shape, np.float32)
    # A colour sensor fills in two of three colours from neighbours: part of its noise is smooth.
    grain = np.float32(0.5) * grain + np.float32(1.4) * cv2.GaussianBlur(grain, (0, 0), 0.8)
    brightness = texture(rng, (height, width), 1.3)[:, :, None]
    shot = np.sqrt(image / np.float32(128) + np.float32(0.15))
    noisy = image + np.float32(noise) * shot * (grain + np.float32(0.5) * brightness)
    rounded: npt.NDArray[np.uint8] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return rounded
