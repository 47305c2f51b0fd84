"""Augmentation drawn and applied: one affine map and a few colour factors for each image."""

from __future__ import annotations

from typing import Any

import numpy as np

from .augmentation import Augmentation
from .drawn import Draws
from .recolour import recolour

__all__ = ["apply", "draw"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Array = np.ndarray[Any, np.dtype[np.float64]]


def draw(
    augmentation: Augmentation, n: int, shape: tuple[int, int], rng: np.random.Generator
) -> Draws:
    """Draw ``augmentation`` for ``n`` images of ``shape`` = (height, width).

    What is not asked for takes nothing from ``rng``.
    """
    return Draws(
        affine=_affine(augmentation, n, shape, rng),
        stain_factor=_maybe(
            augmentation, rng, n, (1 - augmentation.stain, 1 + augmentation.stain), 1.0, columns=3
        ),
        stain_shift=_maybe(
            augmentation, rng, n, (-augmentation.stain_shift, augmentation.stain_shift), 0.0, 3
        ),
        brightness=_maybe(augmentation, rng, n, augmentation.brightness, 1.0),
        brightness_shift=_maybe(augmentation, rng, n, augmentation.brightness_shift, 0.0),
        contrast=_maybe(augmentation, rng, n, augmentation.contrast, 1.0),
        saturation=_maybe(augmentation, rng, n, augmentation.saturation, 1.0),
        hue=_maybe(augmentation, rng, n, (-augmentation.hue, augmentation.hue), 0.0),
        fill=augmentation.fill,
        fill_value=augmentation.fill_value,
        stain_space=augmentation.stain_space,
    )


def _maybe(
    augmentation: Augmentation,
    rng: np.random.Generator,
    n: int,
    ends: tuple[float, float],
    neutral: float,
    columns: int = 0,
) -> Array:
    """Uniform draws between ``ends``, ``neutral`` where a colour change is not made."""
    shape = (n, columns) if columns else (n,)
    if ends == (neutral, neutral):
        return np.full(shape, neutral)
    values = rng.uniform(*ends, size=shape)
    if augmentation.colour_probability < 1:
        made = rng.random(n) < augmentation.colour_probability
        values[~made] = neutral
    return values


def _affine(
    augmentation: Augmentation, n: int, shape: tuple[int, int], rng: np.random.Generator
) -> Array:
    """The maps (n, 2, 3) about the image's middle: crop, flips, turns, then Keras's transform."""
    height, width = shape
    maps = np.tile(np.eye(3), (n, 1, 1))
    if augmentation.crop != (1.0, 1.0):
        share = rng.uniform(*augmentation.crop, size=n)
        free = (1 - share)[:, None] * np.array([width, height])
        offset = (rng.random((n, 2)) - 0.5) * free
        maps = _scaling(share) @ maps
        maps = _moving(offset) @ maps
    if augmentation.flip_horizontal:
        maps = _where(rng.random(n) < augmentation.flip_horizontal, np.diag([-1.0, 1, 1])) @ maps
    if augmentation.flip_vertical:
        maps = _where(rng.random(n) < augmentation.flip_vertical, np.diag([1.0, -1, 1])) @ maps
    if augmentation.transpose:
        exchange = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
        maps = _where(rng.random(n) < augmentation.transpose, exchange) @ maps
    if augmentation.quarter_turns:
        turns = rng.integers(1, 4, n)
        turns[rng.random(n) >= augmentation.quarter_turns] = 0
        quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
        powers = np.stack([np.linalg.matrix_power(quarter, k) for k in range(4)])
        maps = powers[turns] @ maps
    if augmentation.zoom != (1.0, 1.0):
        maps = _scaling(1 / rng.uniform(*augmentation.zoom, size=n)) @ maps
    if augmentation.shear:
        # Keras's shear: [[1, -sin], [0, cos]] in (x, y).
        angle = np.deg2rad(rng.uniform(-augmentation.shear, augmentation.shear, n))
        shears = np.tile(np.eye(3), (n, 1, 1))
        shears[:, 0, 1] = -np.sin(angle)
        shears[:, 1, 1] = np.cos(angle)
        maps = shears @ maps
    if augmentation.shift:
        part = rng.uniform(-augmentation.shift, augmentation.shift, (n, 2))
        maps = _moving(part * np.array([width, height])) @ maps
    if augmentation.rotation:
        angle = np.deg2rad(rng.uniform(-augmentation.rotation, augmentation.rotation, n))
        turned = np.tile(np.eye(3), (n, 1, 1))
        turned[:, 0, 0] = turned[:, 1, 1] = np.cos(angle)
        turned[:, 0, 1] = -np.sin(angle)
        turned[:, 1, 0] = np.sin(angle)
        maps = turned @ maps
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    maps = _moving(np.tile(middle, (n, 1))) @ maps @ _moving(np.tile(-middle, (n, 1)))
    return np.ascontiguousarray(maps[:, :2])


def _where(chosen: np.ndarray[Any, np.dtype[np.bool_]], matrix: Array) -> Array:
    return np.where(chosen[:, None, None], matrix, np.eye(3))


def _scaling(factor: Array) -> Array:
    maps = np.zeros((len(factor), 3, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = factor
    maps[:, 2, 2] = 1
    return maps


def _moving(offset: Array) -> Array:
    maps = np.tile(np.eye(3), (len(offset), 1, 1))
    maps[:, :2, 2] = offset
    return maps


def apply(draws: Draws, batch: Pixels) -> Pixels:
    """Augmented copies of ``batch`` (n, height, width, 3), bilinear, rounded to bytes.

    An image that nothing was drawn for comes out bit for bit as it was.
    """
    result = np.empty_like(batch)
    for place, image in enumerate(batch):
        one = draws[place : place + 1]
        moved = _moved(one, image) if one.moves else image
        result[place] = recolour(one, moved[None])[0]
    return result


def _moved(draws: Draws, image: Pixels) -> Pixels:
    import cv2

    height, width = image.shape[:2]
    borders = {
        "nearest": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT,
        "constant": cv2.BORDER_CONSTANT,
    }
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ draws.affine[0].T
    moved = cv2.remap(
        image,
        places[..., 0].astype(np.float32),
        places[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=borders[draws.fill],
        borderValue=(draws.fill_value,) * 3,
    )
    return np.asarray(moved, dtype=np.uint8)
