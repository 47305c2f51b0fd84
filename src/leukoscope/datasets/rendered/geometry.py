"""The drawing board: a square patch in micrometres, outlines on it and textures in it.

Everything is drawn in micrometres and sampled at the patch's scale, so that a cell has the same
form at 32 and at 450 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Patch", "contour", "notch", "texture"]

Array = npt.NDArray[np.float32]

_SHIFT = 6
"""Fractional bits of OpenCV's polygon coordinates."""


@dataclass(frozen=True)
class Patch:
    """A square of ``pixels`` × ``pixels`` at ``scale`` pixels per µm; (0, 0) µm is its centre."""

    pixels: int
    scale: float

    @classmethod
    def around(cls, radius_um: float, scale: float) -> Patch:
        """The smallest odd patch that holds a circle of ``radius_um``."""
        return cls(2 * int(np.ceil(radius_um * scale)) + 1, scale)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.pixels, self.pixels)

    def grid(self) -> tuple[Array, Array]:
        """x and y of every pixel centre in µm (shared arrays: do not write into them)."""
        return _grid(self.pixels, self.scale)

    def fill(self, outline: npt.NDArray[np.float64]) -> Array:
        """Coverage 0…1 of a closed outline (n, 2) in µm, with anti-aliased edges."""
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [self._points(outline)], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / np.float32(255)

    def stroke(self, line: npt.NDArray[np.float64], width_um: float) -> Array:
        """Coverage 0…1 of an open line (n, 2) in µm; thinner than a pixel means fainter."""
        width_px = width_um * self.scale
        mask = np.zeros(self.shape, np.uint8)
        cv2.polylines(
            mask, [self._points(line)], False, 255, max(1, round(width_px)), cv2.LINE_AA, _SHIFT
        )
        return mask.astype(np.float32) * np.float32(min(1.0, width_px) / 255)

    def blot(self, x_um: float, y_um: float, radius_um: float) -> Array:
        """A soft round blot, 1 in its middle: a Gaussian whose half height is at ``radius_um``."""
        x, y = self.grid()
        squared = (x - np.float32(x_um)) ** 2 + (y - np.float32(y_um)) ** 2
        return np.exp(squared * np.float32(-np.log(2) / radius_um**2))

    def soften(self, field: Array, sigma_um: float) -> Array:
        """Gaussian blur with a width in µm."""
        sigma_px = sigma_um * self.scale
        if sigma_px < 0.2:
            return field
        return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma_px), np.float32)

    def texture(self, rng: np.random.Generator, grain_um: float) -> Array:
        """Noise of zero mean whose grains are ``grain_um`` wide; see :func:`texture`."""
        return texture(rng, self.shape, grain_um * self.scale)

    def _points(self, outline: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        middle = (self.pixels - 1) / 2
        return np.round((outline * self.scale + middle) * (1 << _SHIFT)).astype(np.int32)


@lru_cache(maxsize=64)
def _grid(pixels: int, scale: float) -> tuple[Array, Array]:
    axis = ((np.arange(pixels) - (pixels - 1) / 2) / scale).astype(np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return x, y


def texture(rng: np.random.Generator, shape: Sequence[int], grain_px: float) -> Array:
    """Gaussian noise of zero mean and unit variance with a correlation length in pixels.

    A grain smaller than a pixel is averaged away as a camera would do: the standard deviation
    falls in proportion to ``grain_px``.
    """
    height, width = int(shape[0]), int(shape[1])
    if grain_px <= 1:
        return rng.standard_normal((height, width), np.float32) * np.float32(max(grain_px, 0.0))
    spacing = grain_px / 1.5
    coarse = (int(np.ceil(height / spacing)) + 3, int(np.ceil(width / spacing)) + 3)
    seeds: Array = np.asarray(
        cv2.GaussianBlur(rng.standard_normal(coarse, np.float32), (0, 0), 0.9), np.float32
    )
    # A Gaussian of width s averages 4 pi s^2 samples: that is how far the variance falls.
    seeds *= np.float32(np.sqrt(4 * np.pi) * 0.9)
    offset_x, offset_y = rng.uniform(0, 1, 2)
    matrix = np.array([[1 / spacing, 0, 1 + offset_x], [0, 1 / spacing, 1 + offset_y]], np.float32)
    grown = cv2.warpAffine(
        seeds,
        matrix,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(grown, np.float32)


def contour(
    rng: np.random.Generator,
    radius_um: float,
    *,
    roughness: float = 0.0,
    elongation: float = 0.0,
    angle: float = 0.0,
    points: int = 120,
) -> npt.NDArray[np.float64]:
    """A closed, smooth, irregular outline (points, 2) in µm around the origin.

    ``elongation`` is (long − short) / (long + short) of the ellipse that it follows and
    ``roughness`` the relative amplitude of the harmonics 2…9 on top. The area stays that of a
    circle of ``radius_um`` to second order.
    """
    theta = np.linspace(0, 2 * np.pi, points, endpoint=False)
    order = np.arange(2, 10)
    amplitude = roughness * rng.standard_normal(len(order)) / (order - 1) ** 1.2
    phase = rng.uniform(0, 2 * np.pi, len(order))
    waves = amplitude[:, None] * np.cos(order[:, None] * theta + phase[:, None])
    radius = radius_um * np.clip(1 + waves.sum(0), 0.6, 1.4)
    along = radius * np.cos(theta) * (1 + elongation)
    across = radius * np.sin(theta) * (1 - elongation)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([along * cosine - across * sine, along * sine + across * cosine], axis=1)


def notch(
    outline: npt.NDArray[np.float64], angle: float, depth: float, width: float
) -> npt.NDArray[np.float64]:
    """The outline with a cleft towards its centre.

    ``depth`` is the share of the radius that is cut away and ``width`` its half width in radians.
    """
    theta = np.arctan2(outline[:, 1], outline[:, 0])
    away = np.angle(np.exp(1j * (theta - angle)))
    return np.asarray(outline * (1 - depth * np.exp(-((away / width) ** 2)))[:, None])
