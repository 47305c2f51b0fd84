"""What lies around the cells: red cells, platelets, stain precipitate, smudged nuclei."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .geometry import Array, Patch, contour
from .optics import BASOPHILIA, CHROMATIN, DYES, EOSIN, HAEMOGLOBIN
from .subjects import Subject

__all__ = ["draw_grain", "draw_platelet", "draw_red_cell", "draw_smudge", "red_cell_radius_um"]


def red_cell_radius_um(rng: np.random.Generator, subject: Subject) -> float:
    """A red cell's radius in µm."""
    return float(3.65 * np.clip(rng.normal(1, subject.anisocytosis), 0.72, 1.28))


def draw_red_cell(
    rng: np.random.Generator, subject: Subject, radius_um: float, scale: float
) -> tuple[Array, Array]:
    """A red cell with its central pallor: density (n, n, 4) and coverage (n, n)."""
    elongation = float(np.clip(abs(rng.normal(0, subject.anisocytosis)), 0, 0.3))
    patch = Patch.around(radius_um * 1.4, scale)
    angle = float(rng.uniform(0, 2 * np.pi))
    outline = contour(
        rng,
        radius_um,
        roughness=0.3 * subject.anisocytosis + 0.008,
        elongation=elongation,
        angle=angle,
        points=72,
    )
    if rng.random() < subject.crenated:
        outline = _crenate(rng, outline)
    cover = patch.fill(outline)
    x, y = patch.grid()
    across = np.hypot(x, y) / np.float32(radius_um)
    depth = subject.pallor * float(np.clip(rng.normal(1, 0.35), 0, 1.4))
    width = float(np.clip(rng.normal(0.42, 0.07), 0.25, 0.6))
    # A plateau with soft shoulders, not a cone: the disc is evenly thin in its middle.
    pallor = 1 / (1 + np.exp((across - width) * 11))
    inside = patch.soften(cover, 0.3)
    edge = np.clip(1.5 - 1.5 * inside, 0, 0.6)
    amount = (1 + 0.12 * edge - np.float32(min(depth, 0.92)) * pallor) * cover
    if rng.random() < 0.05 * subject.pallor:
        amount += 0.5 * cover / (1 + np.exp((across - 0.2) * 16))
    density = np.zeros((*patch.shape, len(DYES)), np.float32)
    density[..., HAEMOGLOBIN] = amount * np.float32(np.clip(rng.normal(1, 0.07), 0.75, 1.25))
    return density, cover


def _crenate(rng: np.random.Generator, outline: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The outline of a burr cell: uneven short spikes."""
    theta = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
    theta = theta + 0.25 * np.sin(theta * 2 + rng.uniform(0, 6)) + rng.uniform(0, 6)
    height = 0.05 * (1 + 0.6 * np.sin(theta * 3 + rng.uniform(0, 6)))
    return np.asarray(outline * (1 + height * np.cos(int(rng.integers(9, 14)) * theta))[:, None])


def draw_platelet(rng: np.random.Generator, scale: float) -> tuple[Array, Array]:
    """A platelet: a small granular violet scrap."""
    radius = float(np.clip(rng.gamma(12, 0.09), 0.6, 2.0))
    patch = Patch.around(radius * 1.6, scale)
    cover = patch.fill(contour(rng, radius, roughness=0.12, elongation=rng.uniform(0, 0.25)))
    grains = np.clip(0.5 + 0.35 * patch.texture(rng, 0.22), 0.05, 1.2)
    core = patch.soften(cover, radius * 0.3) ** 2
    density = np.zeros((*patch.shape, len(DYES)), np.float32)
    density[..., CHROMATIN] = cover * core * grains * np.float32(rng.uniform(0.35, 0.7))
    density[..., BASOPHILIA] = cover * 0.12
    density[..., EOSIN] = cover * 0.16
    return density, cover


def draw_grain(rng: np.random.Generator, scale: float) -> tuple[Array, Array]:
    """A speck of stain precipitate, nearly black."""
    radius = float(rng.uniform(0.18, 0.55))
    patch = Patch.around(max(radius * 2, 1.5 / scale), scale)
    cover = patch.fill(contour(rng, radius, roughness=0.25, elongation=rng.uniform(0, 0.4)))
    density = np.zeros((*patch.shape, len(DYES)), np.float32)
    density[..., CHROMATIN] = cover * np.float32(rng.uniform(0.7, 1.7))
    density[..., BASOPHILIA] = cover * np.float32(rng.uniform(0.2, 0.8))
    return density, cover


def draw_smudge(rng: np.random.Generator, scale: float) -> tuple[Array, Array]:
    """A crushed nucleus: streaks of chromatin without an edge."""
    radius = float(rng.uniform(5.5, 9))
    patch = Patch.around(radius * 1.7, scale)
    angle = float(rng.uniform(0, np.pi))
    outline = contour(
        rng, radius, roughness=0.2, elongation=float(rng.uniform(0.05, 0.3)), angle=angle
    )
    cover = patch.fill(outline)
    soft = patch.soften(cover, 0.5)
    torn = np.clip((soft + 0.22 * patch.texture(rng, 1.1) - 0.3) * 3, 0, 1)
    ragged: Array = np.asarray(torn * patch.soften(cover, 0.25), np.float32)
    streaks = 0.62 + 0.10 * patch.texture(rng, 0.5) + 0.12 * patch.texture(rng, 1.6)
    density = np.zeros((*patch.shape, len(DYES)), np.float32)
    density[..., CHROMATIN] = ragged * np.clip(streaks, 0.1, 1) * np.float32(rng.uniform(0.5, 1.1))
    density[..., EOSIN] = ragged * np.float32(rng.uniform(0.1, 0.4))
    return density, ragged
