"""Subjects: everything that one person's slide shares, whatever the cells on it are.

Stain, light, focus, magnification and the habit of the cells are drawn a subject at a time and
never look at the class: a random split can learn them, a leak-free one cannot use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ...errors import LeukoscopeError, suggestion
from .optics import BASOPHILIA, CHROMATIN, Optics

__all__ = ["STYLES", "Habit", "Style", "Subject", "draw_subject", "slide_measures"]


@dataclass(frozen=True)
class Style:
    """How one laboratory's pictures look: the middle from which its subjects are drawn."""

    absorbance: tuple[tuple[float, float, float], ...]
    light: tuple[float, float, float]
    light_spread: float
    """Relative standard deviation of the lamp's brightness between subjects."""
    tint_spread: float
    """Relative standard deviation of each colour of the light."""
    stain_spread: float
    """Log standard deviation of each dye's strength."""
    hue_spread: float
    """Relative standard deviation of each dye's absorbance in each colour."""
    blur_um: float = 0.12
    halo: float = 0.25
    noise: float = 1.2
    rouleaux: float = 0.12
    slope: float = 0.03
    vignette: float = 0.05
    pale_cytoplasm: float = 0.62
    """Most that the cytoplasm absorbs of green, relative to the nucleus."""


WRIGHT = (
    (0.82, 1.62, 0.42),
    (0.88, 0.58, 0.12),
    (0.10, 0.62, 0.36),
    (0.14, 0.36, 0.40),
)

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "c-nmc": Style(
            absorbance=((0.84, 1.66, 0.66), (1.25, 1.95, 0.66), (0.1, 0.6, 0.4), (0.5, 0.85, 0.75)),
            # A third brighter than the real set: at its own darkness CNN-3 (ten rectified layers,
            # no normalisation) often leaves its first plateau only after many epochs.
            light=(221, 200, 210),
            light_spread=0.10,
            tint_spread=0.06,
            stain_spread=0.18,
            hue_spread=0.095,
            blur_um=0.16,
            halo=0.05,
            noise=0.7,
            slope=0.06,
            pale_cytoplasm=1.0,
        ),
        "all-idb": Style(
            absorbance=WRIGHT,
            light=(176, 173, 163),
            light_spread=0.10,
            tint_spread=0.025,
            stain_spread=0.14,
            hue_spread=0.05,
            blur_um=0.11,
            halo=0.22,
            noise=1.6,
        ),
        "taleghani": Style(
            absorbance=(
                (0.56, 0.90, 0.08),
                (0.50, 0.34, 0.04),
                (0.06, 0.45, 0.18),
                (0.31, 0.24, 0.14),
            ),
            light=(249, 252, 247),
            light_spread=0.02,
            tint_spread=0.02,
            stain_spread=0.18,
            hue_spread=0.08,
            blur_um=0.30,
            halo=0.3,
            noise=1.5,
            rouleaux=0.35,
            slope=0.04,
        ),
        "sn-am": Style(
            absorbance=(
                (0.95, 1.35, 0.50),
                (0.70, 0.62, 0.20),
                (0.12, 0.62, 0.34),
                (0.10, 0.26, 0.22),
            ),
            light=(222, 206, 214),
            light_spread=0.07,
            tint_spread=0.04,
            stain_spread=0.16,
            hue_spread=0.07,
            blur_um=0.16,
            noise=1.8,
        ),
        "h&e": Style(
            absorbance=(
                (0.72, 0.95, 0.42),
                (0.5, 0.6, 0.2),
                (0.13, 0.55, 0.28),
                (0.16, 0.75, 0.42),
            ),
            light=(240, 236, 240),
            light_spread=0.03,
            tint_spread=0.02,
            stain_spread=0.22,
            hue_spread=0.09,
            blur_um=0.35,
            noise=2.5,
        ),
    }
)
"""How the pictures of each laboratory look; colours were set beside the real images."""


@dataclass(frozen=True)
class Habit:
    """How one subject's cells lean, as factors around 1 (``nucleus_ratio`` is added)."""

    size: float
    nucleus_ratio: float
    roughness: float
    grain: float
    contrast: float
    nucleoli: float


@dataclass(frozen=True)
class Subject:
    """One person's slide."""

    name: str
    label: str
    optics: Optics
    magnification: float
    """Factor around 1 on the scale of the pictures."""
    habit: Habit
    pallor: float
    """Of the red cells, 0…1."""
    anisocytosis: float
    """Spread of the red cells' size and form."""
    crenated: float
    """Share of the red cells that are burr cells."""
    crowding: float
    """Share of a field that red cells cover."""
    precipitate: float
    """Stain grains per 1,000 µm²."""
    platelets: float
    """Per 1,000 µm²."""
    rouleaux: float
    """Chance that a red cell lies against another one, 0…1."""


def draw_subject(rng: np.random.Generator, name: str, label: str, style: str) -> Subject:
    """Draw a subject; ``label`` is carried along and changes nothing.

    Raises
    ------
    LeukoscopeError
        When ``style`` is not one of ``STYLES``.
    """
    if style not in STYLES:
        raise LeukoscopeError(f"'{style}' is no style of picture. {suggestion(style, STYLES)}")
    return Subject(
        name=name,
        label=label,
        optics=_draw_optics(rng, STYLES[style]),
        magnification=_within(rng.normal(1, 0.045), 0.88, 1.12),
        habit=Habit(
            size=_within(rng.normal(1, 0.055), 0.85, 1.15),
            nucleus_ratio=_within(rng.normal(0, 0.03), -0.07, 0.07),
            contrast=float(rng.lognormal(0, 0.28)),
            roughness=float(rng.lognormal(0, 0.15)),
            grain=float(rng.lognormal(0, 0.12)),
            nucleoli=float(rng.lognormal(0, 0.2)),
        ),
        pallor=_within(rng.normal(0.45, 0.2), 0.05, 0.9),
        anisocytosis=float(rng.uniform(0.03, 0.10)),
        crenated=_within(rng.gamma(0.5, 0.04), 0, 0.3),
        crowding=float(rng.uniform(0.22, 0.5)),
        precipitate=float(rng.gamma(1.0, 0.12)),
        platelets=float(rng.gamma(2.0, 0.35)),
        rouleaux=STYLES[style].rouleaux * float(rng.uniform(0.3, 1.7)),
    )


def slide_measures(subject: Subject) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What colour statistics see of a slide: (9,) colours of nucleus and cytoplasm, and habits."""
    optics = subject.optics
    light = np.log(optics.light)
    dyes = optics.absorbance
    return np.array(
        [
            *(optics.gamma * (light - dyes[CHROMATIN])),
            *(optics.gamma * (light - 0.6 * dyes[BASOPHILIA])),
            np.log(subject.habit.contrast),
            subject.habit.nucleus_ratio,
            subject.habit.size,
        ],
        dtype=float,
    )


def _draw_optics(rng: np.random.Generator, look: Style) -> Optics:
    base = np.array(look.absorbance)
    strength = rng.lognormal(0, look.stain_spread, len(base))[:, None]
    absorbance = base * strength * np.clip(rng.normal(1, look.hue_spread, base.shape), 0.6, 1.4)
    # Cytoplasm never takes more stain than a nucleus, in whatever laboratory.
    absorbance[1] *= min(1.0, look.pale_cytoplasm * absorbance[0, 1] / absorbance[1, 1])
    lamp = _within(rng.normal(1, look.light_spread), 0.7, 1.3)
    tint = np.clip(rng.normal(1, look.tint_spread, 3), 0.8, 1.2)
    light = np.clip(np.array(look.light) * lamp * tint, 40, 254)
    return Optics(
        absorbance=absorbance.astype(np.float32),
        light=(float(light[0]), float(light[1]), float(light[2])),
        blur_um=look.blur_um * float(rng.lognormal(0, 0.35)),
        gamma=_within(rng.normal(1, 0.05), 0.85, 1.15),
        halo=look.halo * float(rng.uniform(0.4, 1.6)),
        slope=(float(rng.normal(0, look.slope)), float(rng.normal(0, look.slope))),
        vignette=float(abs(rng.normal(0, look.vignette))),
        fringe_um=float(abs(rng.normal(0, 0.06))),
        fringe_angle=float(rng.uniform(0, 2 * np.pi)),
        noise=look.noise * float(rng.lognormal(0, 0.25)),
    )


def _within(value: float, low: float, high: float) -> float:
    return float(np.clip(value, low, high))
