"""Error rate if only the surest answers are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canvas import Drawing, colour, page, styled
from .words import facts, value, with_interval

if TYPE_CHECKING:
    from ..evaluation.curves import RiskCoverage

__all__ = ["risk_coverage"]

LEFT, ACROSS, UP, BOTTOM = 42.0, 216.0, 165.0, 34.0


@styled
def risk_coverage(curve: RiskCoverage, *, note: str = "", group_word: str = "group") -> Drawing:
    """Share of wrong answers (per cent) over the share that is answered (per cent)."""
    words = facts(curve.basis, group_word)
    area = f"area {with_interval(curve.area)} (lower is better)"
    made = page(
        "risk_coverage", "Risk and coverage", words, height=UP + BOTTOM, note=note, more=[area]
    )
    axes = made.axes(LEFT, BOTTOM, ACROSS, UP)
    axes.fill_between(
        100 * curve.coverage, 100 * curve.low, 100 * curve.high, color=colour(1), alpha=0.22,
        linewidth=0, gid="band",
    )  # fmt: skip
    axes.plot(100 * curve.coverage, 100 * curve.risk, color=colour(1), gid="risk")
    axes.set_xlim(0, 101)
    axes.set_ylim(0, max(1.0, 108 * float(curve.high.max())))
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.set_xlabel("Coverage (% of images answered, surest first)")
    axes.set_ylabel("Risk (% of answers wrong)")
    return made.finish(
        f"Share of wrong answers among the surest with 95 % band: {value(100 * curve.risk[-1], 1)} "
        f"% when all are answered, {value(100 * curve.risk[len(curve.risk) // 2], 1)} % at "
        f"{round(100 * curve.coverage[len(curve.risk) // 2])} % coverage. {words}."
    )
