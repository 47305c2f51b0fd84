"""The same draws as ``images.draws``, applied to a whole batch of tensors at once.

Where ``images`` makes bytes for a file, this works on float32 values 0–255 of shape
(n, 3, height, width) on any device. Both round after the interpolation and at the end, so they
differ by no more than OpenCV's coordinates do, which are whole 32nds of a pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..images.augmentation import Augmentation
from ..images.background import BLACK
from ..images.drawn import Draws
from ..images.draws import draw
from ..images.recolour import STAIN_SPACES, lights
from ..images.stains import BLANK_DENSITY, BLANK_NOISE

__all__ = ["apply_draws", "augment"]


def augment(augmentation: Augmentation, values: Tensor, rng: np.random.Generator) -> Tensor:
    """Draw for each image of the batch and apply; values 0–255, (n, 3, height, width)."""
    shape = (int(values.shape[2]), int(values.shape[3]))
    return apply_draws(draw(augmentation, len(values), shape, rng), values)


def apply_draws(draws: Draws, values: Tensor) -> Tensor:
    """The batch changed as ``draws`` says, whole numbers 0–255 as float32."""
    if draws.moves:
        values = _moved(draws, values)
    if _recolours(draws):
        values = _recoloured(draws, values)
    return values


def _moved(draws: Draws, values: Tensor) -> Tensor:
    """One bilinear interpolation along each image's affine map."""
    height, width = values.shape[2:]
    theta = torch.from_numpy(_normalised(draws.affine, height, width)).to(values)
    grid = functional.affine_grid(theta, list(values.shape), align_corners=False)
    padding = {"nearest": "border", "reflect": "reflection", "constant": "zeros"}[draws.fill]
    base = float(draws.fill_value) if draws.fill == "constant" else 0.0
    moved = functional.grid_sample(
        values - base if base else values, grid, padding_mode=padding, align_corners=False
    )
    result = (moved + base if base else moved).round_()
    return result.contiguous(memory_format=torch.channels_last)


def _normalised(
    affine: np.ndarray[Any, np.dtype[np.float64]], height: int, width: int
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Pixel coordinates to torch's, in which the image spans [-1, 1] from edge to edge."""
    to_unit = np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])
    whole = np.concatenate([affine, np.tile([[[0.0, 0, 1]]], (len(affine), 1, 1))], axis=1)
    return np.asarray((to_unit @ whole @ np.linalg.inv(to_unit))[:, :2], dtype=np.float32)


def _recolours(draws: Draws) -> bool:
    return bool(
        draws.stains
        or (draws.brightness != 1).any()
        or draws.brightness_shift.any()
        or (draws.contrast != 1).any()
        or (draws.saturation != 1).any()
        or draws.hue.any()
    )


def _recoloured(draws: Draws, before: Tensor) -> Tensor:
    """Stain, brightness, contrast, saturation, hue, in this order; black pixels stay."""
    empty = before.amax(dim=1, keepdim=True) <= BLACK
    values = _stained(draws, before) if draws.stains else before
    values = (values * _each(draws.brightness, before)).clamp(0, 255)
    values = (values + 255 * _each(draws.brightness_shift, before)).clamp(0, 255)
    if (draws.contrast != 1).any():
        count = (~empty).sum(dim=(2, 3), keepdim=True).clamp(min=1)
        mean = (values * ~empty).sum(dim=(2, 3), keepdim=True) / count
        values = ((values - mean) * _each(draws.contrast, before) + mean).clamp(0, 255)
    if (draws.saturation != 1).any():
        values = _saturated(values, _each(draws.saturation, before))
    if draws.hue.any():
        values = _hue_turned(values, _each(draws.hue, before))
    result = torch.where(empty, before, values.round())
    return result.contiguous(memory_format=torch.channels_last)


def _each(factors: np.ndarray[Any, np.dtype[np.float64]], like: Tensor) -> Tensor:
    return torch.from_numpy(factors).to(like)[:, None, None, None]


def _stained(draws: Draws, values: Tensor) -> Tensor:
    axes = torch.from_numpy(STAIN_SPACES[draws.stain_space]).to(values)
    # The light of each empty slide is a matter of ranks: found on the bytes, as ``images`` does.
    seen = values.permute(0, 2, 3, 1).to("cpu", torch.uint8).numpy()
    full = torch.from_numpy(lights(seen)).to(values)[:, :, None, None] + 1
    density = -torch.log((values + 1) / full)
    mean = density.mean(dim=1, keepdim=True)
    present = ((mean - BLANK_NOISE) / (BLANK_DENSITY - BLANK_NOISE)).clamp(0, 1)
    amounts = torch.einsum("nchw,cs->nshw", density, torch.linalg.inv(axes))
    factor = torch.from_numpy(draws.stain_factor).to(values)[:, :, None, None]
    shift = torch.from_numpy(draws.stain_shift).to(values)[:, :, None, None]
    moved = torch.einsum("nshw,sc->nchw", amounts * (factor - 1) + shift, axes)
    return (full * torch.exp(-(density + present * moved)) - 1).clamp(0, 255)


def _saturated(values: Tensor, factor: Tensor) -> Tensor:
    top = values.amax(dim=1, keepdim=True)
    chroma = top - values.amin(dim=1, keepdim=True)
    most = torch.where(chroma > 0, top / chroma.clamp(min=1e-6), torch.ones_like(top))
    return top - (top - values) * torch.minimum(factor, most)


def _hue_turned(values: Tensor, degrees: Tensor) -> Tensor:
    red, green, blue = values.unbind(dim=1)
    top = values.amax(dim=1)
    chroma = top - values.amin(dim=1)
    safe = chroma.clamp(min=1e-6)
    sixth = torch.where(
        top == red,
        (green - blue) / safe,
        torch.where(top == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    turned = torch.where(chroma > 0, sixth, 0) + degrees[:, 0] / 60
    channels = []
    for start in (5, 3, 1):  # red, green, blue
        place = (start + turned) % 6
        channels.append(top - chroma * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.stack(channels, dim=1)
