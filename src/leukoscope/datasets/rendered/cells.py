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
    outline = contour(
        rng,
        form.radius_um,
        roughness=0.014 + 0.55 * form.roughness,
        elongation=form.elongation * 0.8,
        angle=form.angle,
    )
    patch = Patch.around(float(np.abs(outline).max()) + 0.4, scale)
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
    rim = np.clip(1.9 - 1.8 * inside, 0, 1.2)
    base: Array = form.basophilia * (0.62 + 0.75 * rim)
    base *= 1 + 0.13 * patch.texture(rng, 1.1) + 0.06 * patch.texture(rng, 0.35)
    if form.halo:
        radius, room = _room(form)
        hof = -np.array(form.shift) * radius * 0.75 + np.array(form.shift) * room
        base *= 1 - min(form.halo, 0.9) * patch.blot(hof[0], hof[1], radius * 0.62)
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
        fine = np.clip(patch.texture(rng, 0.2) - 0.3, 0, 2.5) * patch.soften(cell, 0.5)
        toxic = np.float32(rng.uniform(0.08, 0.34))
        density[..., EOSIN] += free * (0.24 + 0.20 * fine)
        density[..., CHROMATIN] += free * (0.03 + toxic * fine)
    elif form.granules == "red":
        beads = np.clip(0.65 + 0.5 * patch.texture(rng, 0.34), 0.1, 1.5)
        density[..., EOSIN] += free * beads * np.float32(rng.uniform(0.9, 1.25))
        density[..., CHROMATIN] += free * 0.10 * beads
    else:
        density[..., EOSIN] += free * 0.18
        grains = np.zeros(patch.shape, np.float32)
        for _ in range(int(rng.integers(35, 80))):
            theta, away = rng.uniform(0, 2 * np.pi), form.radius_um * 0.93 * np.sqrt(rng.random())
            middle = away * np.array([np.cos(theta), np.sin(theta)])
            grain = patch.fill(contour(rng, rng.uniform(0.22, 0.42), points=16) + middle)
            grains = np.maximum(grains, grain * np.float32(rng.uniform(0.6, 1)))
        density[..., CHROMATIN] += patch.soften(grains, 0.08) * cell * 1.1


def _chromatin(
    rng: np.random.Generator, form: Form, patch: Patch, nucleus: Array, density: Array
) -> None:
    """Network or clumps with clear gaps, a denser membrane, a pale middle or a dark one, nucleoli.

    The histogram of what is drawn is a normal one of mean ``form.chromatin`` and relative
    standard deviation ``form.contrast``, whatever the pattern: the classes differ in how
    chromatin is arranged, not in how much of it there is or how much its brightness varies.
    """
    pattern = form.texture_share * _network(rng, form, patch)
    inside = patch.soften(nucleus, 0.4)
    pattern += 0.22 * np.clip(1.6 - 1.6 * inside, 0, 0.8)
    pattern += _slope(rng, form, patch)
    pale = _nucleoli(rng, form, patch)
    if form.lobes == 1:
        pattern += form.openness * _ring(form, patch)
    pattern = (1 + pattern) * (1 - pale) - 1
    amount = NUCLEUS * form.chromatin * (1 + form.contrast * _standard(patch, pattern, nucleus))
    density[..., CHROMATIN] += np.clip(amount, 0.12, None) * nucleus
    density[..., BASOPHILIA] *= 1 - 0.8 * nucleus
    density[..., BASOPHILIA] += 0.2 * np.clip(pale, 0, None) * nucleus


def _network(rng: np.random.Generator, form: Form, patch: Patch) -> Array:
    grains = patch.texture(rng, form.grain_um)
    # A steep curve turns even noise into blocks and gaps; it is scaled back to unit variance.
    steep = 0.4 + 2.6 * form.clumping
    blocks = np.tanh(steep * (grains + 0.25)) / np.float32(_spread_of_tanh(steep))
    fine, broad = patch.texture(rng, 0.4), patch.texture(rng, 2.6)
    return np.asarray(0.75 * blocks + 0.3 * fine + 0.5 * broad, np.float32)


def _slope(rng: np.random.Generator, form: Form, patch: Patch) -> Array:
    """One side of a nucleus is thicker than the other."""
    x, y = patch.grid()
    theta = rng.uniform(0, 2 * np.pi)
    steep = np.float32(rng.normal(0, 0.09) / form.radius_um)
    return steep * (np.float32(np.cos(theta)) * x + np.float32(np.sin(theta)) * y)


def _ring(form: Form, patch: Patch) -> Array:
    """A pale middle (−1), a dark ring around it (+1) and a neutral edge (0)."""
    radius, room = _room(form)
    x, y = patch.grid()
    squared = (x - np.float32(form.shift[0] * room)) ** 2
    squared += (y - np.float32(form.shift[1] * room)) ** 2
    share = np.clip(squared / np.float32(radius**2), 0, 1)
    return np.asarray(-np.cos(np.float32(1.5 * np.pi) * share), np.float32)


def _standard(patch: Patch, pattern: Array, nucleus: Array) -> Array:
    """The pattern with the histogram of a standard normal over the nucleus.

    Only what optics can show is brought to it; finer detail is kept on top.
    """
    from scipy.special import ndtri

    inside = nucleus > 0
    seen = patch.soften(np.asarray(pattern, np.float32), 0.3)
    values = seen[inside]
    count = len(values)
    if not count:
        return np.zeros_like(seen)
    ranks = np.empty(count, np.float32)
    ranks[np.argsort(values, kind="stable")] = np.arange(count, dtype=np.float32)
    even = np.zeros_like(seen)
    even[inside] = ndtri((ranks + 0.5) / count)
    detail = (pattern - seen) / np.float32(max(float(values.std()), 1e-6))
    return np.asarray(even + np.clip(detail, -3, 3), np.float32)


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
        pale = np.maximum(pale, 0.5 * spot) - 0.12 * ring
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
