"""Nucleated cells: from a form to density maps of the dyes, with the exact masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .forms import Form
from .geometry import Array, Patch, contour, notch
from .optics import BASOPHILIA, CHROMATIN, DYES, EOSIN

__all__ = ["DrawnCell", "draw_cell"]

NUCLEUS = np.float32(1.0)
"""Chromatin of an average nucleus, in units of dye."""


@dataclass(frozen=True)
class DrawnCell:
    """One cell on a patch of its own, not yet photographed."""

    patch: Patch
    density: Array
    """(n, n, 4): amount of each dye."""
    cell: Array
    """(n, n): coverage 0…1 of the whole cell."""
    nucleus: Array
    """(n, n): coverage 0…1 of the nucleus, never more than the cell's."""


def draw_cell(rng: np.random.Generator, form: Form, scale: float) -> DrawnCell:
    """Draw one cell at ``scale`` pixels per µm."""
    patch = Patch.around(form.radius_um * (1.45 + form.elongation), scale)
    angle = form.angle
    outline = contour(
        rng,
        form.radius_um,
        roughness=0.025 + 0.4 * form.roughness,
        elongation=form.elongation * 0.8,
        angle=angle,
    )
    cell = patch.fill(outline)
    shape = _lobed if form.lobes > 1 else _round
    nucleus = shape(rng, form, patch) * cell
    density = np.zeros((*patch.shape, len(DYES)), np.float32)
    density[..., BASOPHILIA] = _cytoplasm(rng, form, patch, cell, nucleus)
    _granules(rng, form, patch, cell, nucleus, density)
    _chromatin(rng, form, patch, nucleus, density)
    return DrawnCell(patch, density, cell, nucleus)


def _room(form: Form) -> tuple[float, float]:
    """Radius of the nucleus in µm, and how far its centre may move."""
    radius = form.radius_um * float(np.sqrt(form.nucleus_ratio))
    return radius, max(form.radius_um - radius, 0.0)


def _round(rng: np.random.Generator, form: Form, patch: Patch) -> Array:
    radius, room = _room(form)
    outline = contour(
        rng, radius, roughness=form.roughness, elongation=form.elongation * 0.7, angle=form.angle
    )
    for angle, depth, width in form.clefts:
        outline = notch(outline, angle, depth, width)
    return patch.fill(outline + np.array(form.shift) * room)


def _lobed(rng: np.random.Generator, form: Form, patch: Patch) -> Array:
    """Segments on an arc, joined by threads of chromatin."""
    radius, room = _room(form)
    lobe = radius / np.sqrt(form.lobes) * 1.02
    arc = min(form.radius_um * 0.48, max(lobe * 1.05, form.radius_um - lobe * 1.35))
    spread = min(2 * np.pi * 0.82, 1.85 * lobe / arc * (form.lobes - 1))
    start = form.angle - spread / 2
    nucleus = np.zeros(patch.shape, np.float32)
    centres = []
    for number in range(form.lobes):
        theta = start + spread * number / (form.lobes - 1) + rng.normal(0, 0.1)
        away = arc * rng.uniform(0.85, 1.1)
        centre = np.array([np.cos(theta), np.sin(theta)]) * away
        centre += np.array(form.shift) * room * 0.2
        centres.append(centre)
        outline = contour(
            rng,
            lobe * rng.uniform(0.85, 1.12),
            roughness=form.roughness,
            elongation=rng.uniform(0.05, 0.25),
            angle=theta + np.pi / 2 + rng.normal(0, 0.3),
        )
        nucleus = np.maximum(nucleus, patch.fill(outline + centre))
    thread = patch.stroke(np.array(centres), rng.uniform(0.5, 1.2))
    return np.maximum(nucleus, thread)


def _cytoplasm(
    rng: np.random.Generator, form: Form, patch: Patch, cell: Array, nucleus: Array
) -> Array:
    """Basophilia: deeper towards the membrane, uneven, clear beside the nucleus."""
    inside = patch.soften(cell, 0.55)
    rim: Array = np.clip(1.9 - 1.8 * inside, 0, 1.2)
    base: Array = form.basophilia * (0.62 + 0.75 * rim)
    base *= 1 + 0.13 * patch.texture(rng, 1.1) + 0.06 * patch.texture(rng, 0.35)
    if form.halo:
        radius, room = _room(form)
        away = -np.array(form.shift) * radius * 0.75 + np.array(form.shift) * room
        base *= 1 - min(form.halo, 0.9) * patch.blot(away[0], away[1], radius * 0.62)
        base *= 1 - 0.35 * min(form.halo, 1.0) * patch.soften(nucleus, 0.7)
    if form.kind == "monocyte" or (form.lobes == 1 and rng.random() < 0.18):
        for _ in range(int(rng.integers(1, 5))):
            theta, away = rng.uniform(0, 2 * np.pi), form.radius_um * rng.uniform(0.5, 0.92)
            x, y = away * np.cos(theta), away * np.sin(theta)
            base *= 1 - 0.8 * patch.blot(x, y, rng.uniform(0.2, 0.5))
    return np.asarray(np.clip(base, 0, None) * cell, np.float32)


def _granules(
    rng: np.random.Generator,
    form: Form,
    patch: Patch,
    cell: Array,
    nucleus: Array,
    density: Array,
) -> None:
    if not form.granules:
        return
    free = cell * (1 - nucleus)
    if form.granules == "fine":
        fine = np.clip(patch.texture(rng, 0.42) - 0.5, 0, 2.5)
        density[..., EOSIN] += free * (0.22 + 0.18 * fine)
        density[..., CHROMATIN] += free * (0.02 + 0.16 * fine)
    elif form.granules == "red":
        coarse = _beads(patch, rng, 0.75)
        density[..., EOSIN] += free * (0.55 + 0.75 * coarse)
        density[..., CHROMATIN] += free * (0.05 + 0.10 * coarse)
    else:
        free = patch.soften(cell, 0.3) * cell
        coarse = np.clip(patch.texture(rng, 0.95) - 0.55, 0, 0.8) / np.float32(0.8)
        density[..., EOSIN] += cell * (1 - nucleus) * 0.18
        density[..., CHROMATIN] += free * coarse * 1.05


def _beads(patch: Patch, rng: np.random.Generator, grain_um: float) -> Array:
    """Packed round grains: tops of a band-limited noise."""
    return np.asarray(np.clip(patch.texture(rng, grain_um) * 0.9 + 0.1, -0.3, 1), np.float32)


def _chromatin(
    rng: np.random.Generator, form: Form, patch: Patch, nucleus: Array, density: Array
) -> None:
    """Network or clumps with clear gaps, a denser membrane, nucleoli, one thicker side.

    The standard deviation is ``form.contrast`` whatever the grain and the clumping: the classes
    differ in how chromatin is arranged, not in how much its brightness varies.
    """
    grains = patch.texture(rng, form.grain_um)
    # A steep curve turns even noise into blocks and gaps; it is scaled back to unit variance.
    steep = 0.4 + 2.6 * form.clumping
    blocks = np.tanh(steep * (grains + 0.25)) / np.float32(_spread_of_tanh(steep))
    network = 0.75 * blocks + 0.3 * patch.texture(rng, 0.4) + 0.5 * patch.texture(rng, 2.6)
    inside = patch.soften(nucleus, 0.4)
    membrane = np.clip(1.6 - 1.6 * inside, 0, 0.8)
    x, y = patch.grid()
    theta = rng.uniform(0, 2 * np.pi)
    slope = rng.normal(0, 0.09) / form.radius_um
    thickness = 1 + np.float32(slope) * (
        np.float32(np.cos(theta)) * x + np.float32(np.sin(theta)) * y
    )
    amount = NUCLEUS * form.chromatin * thickness * (1 + form.contrast * network + 0.22 * membrane)
    pale = _nucleoli(rng, form, patch)
    amount *= 1 - pale
    density[..., CHROMATIN] += np.clip(amount, 0.12, None) * nucleus
    density[..., BASOPHILIA] *= 1 - 0.55 * nucleus
    density[..., BASOPHILIA] += 0.25 * pale * nucleus


def _nucleoli(rng: np.random.Generator, form: Form, patch: Patch) -> Array:
    """How much paler the nucleus is: round nucleoli, and the small clear spots every cell has."""
    radius, room = _room(form)
    centre = np.array(form.shift) * room
    pale = np.zeros(patch.shape, np.float32)
    if form.lobes > 1:
        return pale
    for size in form.nucleoli:
        theta, away = rng.uniform(0, 2 * np.pi), radius * 0.62 * np.sqrt(rng.random())
        x, y = centre + away * np.array([np.cos(theta), np.sin(theta)])
        spot = patch.blot(x, y, size)
        ring = patch.blot(x, y, size * 1.5) - spot
        pale = np.maximum(pale, 0.42 * spot) - 0.12 * ring
    for _ in range(int(rng.poisson(max(0.0, 5 - 1.5 * len(form.nucleoli))))):
        theta, away = rng.uniform(0, 2 * np.pi), radius * 0.9 * np.sqrt(rng.random())
        x, y = centre + away * np.array([np.cos(theta), np.sin(theta)])
        pale = np.maximum(pale, rng.uniform(0.1, 0.35) * patch.blot(x, y, rng.uniform(0.2, 0.45)))
    return pale


def _spread_of_tanh(steep: float) -> float:
    """Standard deviation of tanh(steep · (g + 0.25)) for standard normal g, by quadrature."""
    g = np.linspace(-4, 4, 81)
    weight = np.exp(-g * g / 2)
    weight /= weight.sum()
    values = np.tanh(steep * (g + 0.25))
    return float(np.sqrt((weight * values**2).sum() - (weight * values).sum() ** 2))
