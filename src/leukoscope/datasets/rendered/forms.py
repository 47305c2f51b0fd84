"""What each kind of cell looks like, as ranges, and one cell's form drawn from them.

This table is the whole difference between the classes. Means and spreads of blasts and normal
lymphocytes overlap on purpose, and nothing in it is a colour: stain, light and focus belong to
the subject (``subjects.py``), so that no colour statistic can tell the classes apart.
Sizes follow the usual descriptions of Wright-Giemsa smears (Bain, *Blood Cells*, ch. 2–3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ...errors import LeukoscopeError, suggestion
from .subjects import Subject

__all__ = ["KINDS", "Form", "Kind", "draw_form"]

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """Mean and standard deviation of each measure of one kind of cell."""

    radius_um: Range
    """Of the circle with the cell's area."""
    nucleus_ratio: Range
    """Area of the nucleus over area of the cell."""
    roughness: Range
    """Of the nucleus' contour."""
    elongation: Range
    cleft_chance: float
    grain_um: Range
    """Width of the chromatin's grains."""
    clumping: Range
    """0: even network; 1: blocks with clear gaps between them."""
    openness: Range
    """How much paler the nucleus is in its middle than at its membrane; below 0, darker."""
    nucleoli: float
    """Mean number that is seen."""
    nucleolus_um: Range
    basophilia: Range
    """Of the cytoplasm, in units of dye."""
    eccentricity: Range
    """Shift of the nucleus, as a share of the room that the cell leaves it."""
    lobes: tuple[int, int] = (1, 1)
    """Fewest and most lobes of the nucleus."""
    granules: str = ""
    """``fine``, ``red`` or ``dark``."""
    halo: float = 0.0
    """Clear zone beside the nucleus, 0…1."""


_KINDS = {
    "blast": Kind(
        radius_um=(5.76, 0.62),
        nucleus_ratio=(0.815, 0.06),
        roughness=(0.052, 0.022),
        elongation=(0.09, 0.05),
        cleft_chance=0.45,
        grain_um=(0.62, 0.15),
        clumping=(0.22, 0.14),
        openness=(0.17, 0.16),
        nucleoli=1.7,
        nucleolus_um=(0.95, 0.18),
        basophilia=(0.62, 0.10),
        eccentricity=(0.45, 0.25),
    ),
    "lymphocyte": Kind(
        radius_um=(5.52, 0.62),
        nucleus_ratio=(0.79, 0.06),
        roughness=(0.032, 0.016),
        elongation=(0.05, 0.035),
        cleft_chance=0.12,
        grain_um=(1.35, 0.25),
        clumping=(0.62, 0.18),
        openness=(-0.15, 0.16),
        nucleoli=0.3,
        nucleolus_um=(0.6, 0.15),
        basophilia=(0.62, 0.10),
        eccentricity=(0.5, 0.25),
    ),
    "plasma cell": Kind(
        radius_um=(7.2, 0.8),
        nucleus_ratio=(0.33, 0.05),
        roughness=(0.025, 0.012),
        elongation=(0.05, 0.03),
        cleft_chance=0.0,
        grain_um=(1.7, 0.25),
        clumping=(0.8, 0.12),
        openness=(0.05, 0.06),
        nucleoli=0.3,
        nucleolus_um=(0.8, 0.15),
        basophilia=(0.95, 0.12),
        eccentricity=(0.82, 0.1),
        halo=0.75,
    ),
    "monocyte": Kind(
        radius_um=(7.9, 0.7),
        nucleus_ratio=(0.55, 0.06),
        roughness=(0.06, 0.02),
        elongation=(0.12, 0.05),
        cleft_chance=1.0,
        grain_um=(0.9, 0.15),
        clumping=(0.35, 0.1),
        openness=(0.0, 0.06),
        nucleoli=0.1,
        nucleolus_um=(0.6, 0.1),
        basophilia=(0.38, 0.06),
        eccentricity=(0.4, 0.2),
    ),
    "neutrophil": Kind(
        radius_um=(6.4, 0.5),
        nucleus_ratio=(0.36, 0.05),
        roughness=(0.07, 0.02),
        elongation=(0.12, 0.05),
        cleft_chance=0.0,
        grain_um=(1.2, 0.2),
        clumping=(0.75, 0.12),
        openness=(0.0, 0.06),
        nucleoli=0.0,
        nucleolus_um=(0.6, 0.1),
        basophilia=(0.05, 0.02),
        eccentricity=(0.2, 0.15),
        lobes=(2, 5),
        granules="fine",
    ),
    "eosinophil": Kind(
        radius_um=(6.9, 0.5),
        nucleus_ratio=(0.32, 0.04),
        roughness=(0.06, 0.02),
        elongation=(0.12, 0.05),
        cleft_chance=0.0,
        grain_um=(1.2, 0.2),
        clumping=(0.7, 0.12),
        openness=(0.0, 0.06),
        nucleoli=0.0,
        nucleolus_um=(0.6, 0.1),
        basophilia=(0.05, 0.02),
        eccentricity=(0.35, 0.2),
        lobes=(2, 3),
        granules="red",
    ),
    "basophil": Kind(
        radius_um=(6.0, 0.5),
        nucleus_ratio=(0.42, 0.05),
        roughness=(0.07, 0.02),
        elongation=(0.12, 0.05),
        cleft_chance=0.0,
        grain_um=(1.2, 0.2),
        clumping=(0.5, 0.12),
        openness=(0.0, 0.06),
        nucleoli=0.0,
        nucleolus_um=(0.6, 0.1),
        basophilia=(0.10, 0.03),
        eccentricity=(0.2, 0.15),
        lobes=(2, 3),
        granules="dark",
    ),
}
_KINDS |= {
    # Precursors of the B line, least to most primitive: finer chromatin, more nucleoli, larger.
    "hematogone": replace(
        _KINDS["lymphocyte"], radius_um=(4.6, 0.5), nucleus_ratio=(0.88, 0.04), clumping=(0.4, 0.15)
    ),
    "early blast": replace(
        _KINDS["blast"],
        radius_um=(5.3, 0.5),
        nucleus_ratio=(0.88, 0.04),
        grain_um=(0.9, 0.2),
        nucleoli=0.8,
        cleft_chance=0.3,
    ),
    "pre blast": replace(_KINDS["blast"], radius_um=(5.9, 0.6), nucleus_ratio=(0.80, 0.06)),
    "pro blast": replace(
        _KINDS["blast"],
        radius_um=(6.6, 0.7),
        nucleus_ratio=(0.85, 0.05),
        grain_um=(0.5, 0.1),
        nucleoli=2.6,
    ),
}
KINDS = MappingProxyType(_KINDS)
"""Every kind of nucleated cell that can be drawn."""


@dataclass(frozen=True)
class Form:
    """One cell's measures; angles in radians."""

    kind: str
    radius_um: float
    nucleus_ratio: float
    roughness: float
    elongation: float
    angle: float
    clefts: tuple[tuple[float, float, float], ...]
    """Angle, depth and width of each."""
    grain_um: float
    clumping: float
    openness: float
    nucleoli: tuple[float, ...]
    """Radius of each, in µm."""
    basophilia: float
    chromatin: float
    contrast: float
    """Relative standard deviation of the chromatin."""
    texture_share: float
    """Weight of the chromatin's network beside the broader pattern of the nucleus."""
    shift: tuple[float, float]
    """Of the nucleus, as a share of the room that the cell leaves it."""
    lobes: int
    granules: str
    halo: float


def draw_form(rng: np.random.Generator, kind: str, subject: Subject) -> Form:
    """Draw one cell of a subject.

    Raises
    ------
    LeukoscopeError
        When ``kind`` is not one of ``KINDS``.
    """
    if kind not in KINDS:
        raise LeukoscopeError(f"'{kind}' is no kind of cell. {suggestion(kind, KINDS)}")
    table = KINDS[kind]
    habit = subject.habit
    angle = float(rng.uniform(0, 2 * np.pi))
    reach = float(np.clip(_draw(rng, table.eccentricity), 0, 1))
    towards = rng.uniform(0, 2 * np.pi)
    count = int(rng.poisson(table.nucleoli * habit.nucleoli))
    return Form(
        kind=kind,
        radius_um=_draw(rng, table.radius_um, low=0.7, high=1.45) * habit.size,
        nucleus_ratio=float(
            np.clip(_draw(rng, table.nucleus_ratio) + habit.nucleus_ratio, 0.2, 0.93)
        ),
        roughness=max(0.008, _draw(rng, table.roughness)) * habit.roughness,
        elongation=float(np.clip(abs(_draw(rng, table.elongation)), 0, 0.3)),
        angle=angle,
        clefts=_clefts(rng, kind, table.cleft_chance),
        grain_um=max(0.3, _draw(rng, table.grain_um)) * habit.grain,
        clumping=float(np.clip(_draw(rng, table.clumping), 0, 1)),
        openness=_draw(rng, table.openness),
        nucleoli=tuple(max(0.35, _draw(rng, table.nucleolus_um)) for _ in range(min(count, 4))),
        basophilia=max(0.03, _draw(rng, table.basophilia)) * float(rng.lognormal(0, 0.28)),
        chromatin=float(rng.lognormal(0, 0.15)),
        contrast=float(np.clip(rng.normal(0.19, 0.035), 0.06, 0.32)) * habit.contrast,
        texture_share=0.14,
        shift=(reach * float(np.cos(towards)), reach * float(np.sin(towards))),
        lobes=int(rng.integers(table.lobes[0], table.lobes[1] + 1)),
        granules=table.granules,
        halo=table.halo * float(rng.uniform(0.7, 1.2)) if table.halo else 0.0,
    )


def _draw(
    rng: np.random.Generator, spread: Range, *, low: float = 0.0, high: float = np.inf
) -> float:
    mean, deviation = spread
    value = float(rng.normal(mean, deviation))
    return float(np.clip(value, low * mean, high * mean)) if low else value


def _clefts(
    rng: np.random.Generator, kind: str, chance: float
) -> tuple[tuple[float, float, float], ...]:
    if kind == "monocyte":
        return ((float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.3, 0.6)), 0.45),)
    return tuple(
        (
            float(rng.uniform(0, 2 * np.pi)),
            float(rng.uniform(0.10, 0.38)),
            float(rng.uniform(0.14, 0.4)),
        )
        for _ in range(2)
        if rng.random() < chance
    )
