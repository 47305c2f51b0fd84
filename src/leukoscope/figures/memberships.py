"""Membership functions: one panel an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .canvas import GREY, Drawing, colour, page, styled
from .words import counted, key, value

__all__ = ["Panel", "memberships"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
LEFT, ACROSS, UP, BOTTOM, GAP = 40.0, 218.0, 62.0, 30.0, 42.0
TOP = 8.0
"""Room for the names of the uppermost sets."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class Panel:
    """One variable and its sets."""

    name: str
    title: str
    x: Floats
    """Places, rising."""
    sets: Mapping[str, Floats]
    """Membership of each set at these places."""
    cuts: tuple[float, ...] = ()
    """Where verdicts change."""


@styled
def memberships(panels: Sequence[Panel], *, note: str = "", group_word: str = "group") -> Drawing:
    """How far each value belongs to each set: of every input, and last of the score."""
    height = len(panels) * (UP + GAP) + BOTTOM - GAP + TOP
    facts = f"{counted(len(panels) - 1, 'input')} and the score"
    made = page("memberships", "Membership functions", facts, height=height, note=note)
    told = []
    for place, panel in enumerate(panels):
        bottom = BOTTOM + (len(panels) - 1 - place) * (UP + GAP)
        axes = made.axes(LEFT, bottom, ACROSS, UP)
        for number, (name, curve) in enumerate(panel.sets.items()):
            # Low and normal blue, middle and refer grey-green, high and blast the positive's.
            shade = colour((1, 2, 0)[number] if len(panel.sets) == 3 else number + 1)
            axes.plot(
                panel.x, curve, color=shade, linestyle=DASHES[number % len(DASHES)],
                gid=f"set-{key(panel.name)}-{key(name)}",
            )  # fmt: skip
            # Names stand in the middle of where the set is full.
            full = panel.x[curve >= curve.max() - 1e-9]
            middle = float(np.clip((full[0] + full[-1]) / 2, *_inner(panel.x)))
            axes.text(middle, 1.06, name, ha="center", va="bottom", fontsize=7, color=shade)
        for cut in panel.cuts:
            axes.axvline(cut, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set_xlim(float(panel.x[0]), float(panel.x[-1]))
        axes.set_ylim(0, 1.05)
        axes.set_yticks([0, 0.5, 1])
        axes.set_xlabel(panel.title, labelpad=1.5)
        if place == len(panels) // 2:
            axes.set_ylabel("Membership")
        ends = f"{value(float(panel.x[0]), 2)} to {value(float(panel.x[-1]), 2)}"
        told.append(f"{panel.title} ({ends}): {', '.join(panel.sets)}")
    return made.finish(f"Membership functions. {'; '.join(told)}.")


def _inner(x: Floats) -> tuple[float, float]:
    """Where a name has room."""
    margin = 0.05 * float(x[-1] - x[0])
    return float(x[0]) + margin, float(x[-1]) - margin
