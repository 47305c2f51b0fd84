"""The decision curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import GREY, INK, Drawing, colour, page, styled
from .words import facts, value

if TYPE_CHECKING:
    from ..evaluation.curves import DecisionCurve

__all__ = ["decision_curve"]

LEFT, ACROSS, UP, BOTTOM = 46.0, 212.0, 170.0, 34.0


@styled
def decision_curve(curve: DecisionCurve, *, note: str = "", group_word: str = "group") -> Drawing:
    """Net benefit over the threshold, beside calling every item positive and calling none."""
    words = facts(curve.basis, group_word)
    made = page(
        "decision_curve", f"Decision curve: {curve.positive}", words,
        height=UP + BOTTOM, note=note,
    )  # fmt: skip
    axes = made.axes(LEFT, BOTTOM, ACROSS, UP)
    lowest = -0.15 * curve.prevalence
    axes.axhline(0, color=INK, linewidth=1, label="call none", gid="none")
    axes.plot(
        curve.threshold, np.maximum(curve.treat_all, 4 * lowest), color=GREY, linewidth=1.3,
        linestyle=(0, (4, 2)), label=f"call all {curve.positive}", gid="all",
    )  # fmt: skip
    axes.fill_between(
        curve.threshold, np.maximum(curve.low, 4 * lowest), np.maximum(curve.high, 4 * lowest),
        color=colour(0), alpha=0.22, linewidth=0, gid="band",
    )  # fmt: skip
    axes.plot(
        curve.threshold, np.maximum(curve.benefit, 4 * lowest), color=colour(0), label="model",
        gid="model",
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(lowest, max(1.12 * curve.prevalence, float(curve.high.max()) * 1.05))
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"Threshold on the probability of {curve.positive}")
    axes.set_ylabel("Net benefit (true positives an item)")
    axes.legend(loc="best", borderaxespad=0.2)
    half = int(np.flatnonzero(np.isclose(curve.threshold, 0.5))[0])
    return made.finish(
        f"Net benefit of calling {curve.positive} over thresholds 0.01 to 0.99 with 95 % band; at "
        f"0.50 it is {value(float(curve.benefit[half]))}, calling all is worth "
        f"{value(float(curve.treat_all[half]))}. {words}."
    )
