"""The score of a fuzzy decision over two of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .canvas import INK, Drawing, page, styled
from .words import value

__all__ = ["Surface", "decision_surface"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
LEFT, ACROSS, UP, BOTTOM, SCALE = 44.0, 164.0, 164.0, 34.0, 9.0


@dataclass(frozen=True)
class Surface:
    """Scores over a grid of two inputs."""

    x: Floats
    y: Floats
    score: Floats
    """(len(y), len(x)), 0 (normal) to 1 (blast); NaN where no rule applies."""
    x_title: str
    y_title: str
    cuts: tuple[float, float]
    """Scores at which the verdict changes."""
    held: Mapping[str, float]
    """The other inputs and the value each is held at."""


@styled
def decision_surface(surface: Surface, *, note: str = "", group_word: str = "group") -> Drawing:
    """Score as colour, the borders of ``normal``, ``refer`` and ``blast`` as lines."""
    held = ", ".join(f"{title} at {value(at, 2)}" for title, at in surface.held.items())
    facts = f"other inputs held: {held}" if held else "both inputs shown"
    made = page(
        "decision_surface", "Decision surface of the fuzzy system", facts,
        height=UP + BOTTOM, note=note,
    )  # fmt: skip
    axes = made.axes(LEFT, BOTTOM, ACROSS, UP)
    mesh = axes.pcolormesh(
        surface.x, surface.y, surface.score, cmap="RdYlBu_r", vmin=0, vmax=1, shading="gouraud",
        rasterized=True,
    )  # fmt: skip
    shares = _shares(surface)
    if np.nanmin(surface.score) < surface.cuts[1] and np.nanmax(surface.score) > surface.cuts[0]:
        axes.contour(
            surface.x, surface.y, surface.score, levels=sorted(set(surface.cuts)), colors=INK,
            linewidths=1.2, linestyles=["--", "-"][: len(set(surface.cuts))],
        )  # fmt: skip
    axes.set_xlabel(surface.x_title)
    axes.set_ylabel(surface.y_title)
    scale = made.axes(LEFT + ACROSS + 12, BOTTOM, SCALE, UP)
    bar = made.figure.colorbar(mesh, cax=scale)
    low, high = surface.cuts
    bar.set_ticks(
        [low / 2, low, (low + high) / 2, high, (1 + high) / 2],
        labels=["normal", value(low, 2), "refer", value(high, 2), "blast"],
    )
    bar.outline.set_visible(False)
    scale.tick_params(length=2)
    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
    return made.finish(
        f"Score over {surface.x_title} and {surface.y_title}; {facts}. Of this area: {told}."
    )


def _shares(surface: Surface) -> dict[str, float]:
    """How much of the area each verdict takes; what no rule covers is referred."""
    low, high = surface.cuts
    normal, blast = float((surface.score < low).mean()), float((surface.score >= high).mean())
    return {"normal": normal, "refer": 1 - normal - blast, "blast": blast}
