"""The reliability diagram with the histogram of probabilities under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.probabilities import BINS as ECE_BINS
from .canvas import GREY, Drawing, colour, page, styled
from .words import facts, value, with_interval

if TYPE_CHECKING:
    from ..evaluation.curves import Reliability

__all__ = ["reliability"]

LEFT, SIDE, BOTTOM, LOWER, BETWEEN = 46.0, 212.0, 34.0, 42.0, 8.0


@styled
def reliability(reliability: Reliability, *, note: str = "", group_word: str = "group") -> Drawing:
    """Observed share over stated probability; on the diagonal probabilities are true."""
    ece = (
        f"ECE of {ECE_BINS} bins {with_interval(reliability.ece)}; "
        f"{value(reliability.expected_ece)} expected if calibrated"
    )
    lines = [ece]
    if reliability.slope is not None and reliability.intercept is not None:
        lines += [
            f"slope {with_interval(reliability.slope, 2)}",
            f"intercept {with_interval(reliability.intercept, 2)}",
        ]
    words = facts(reliability.basis, group_word)
    made = page(
        "reliability",
        f"Reliability: probability of {reliability.of}" if reliability.of else "Reliability",
        words,
        height=SIDE + BETWEEN + LOWER + BOTTOM,
        note=note,
        more=lines,
    )
    upper = made.axes(LEFT, BOTTOM + LOWER + BETWEEN, SIDE, SIDE)
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (3, 3)), gid="perfect")
    below, above = reliability.observed - reliability.low, reliability.high - reliability.observed
    bins = upper.errorbar(
        reliability.predicted,
        reliability.observed,
        yerr=np.maximum([below, above], 0),
        fmt="o-",
        color=colour(1),
        markersize=4.5,
        linewidth=1.2,
        elinewidth=1.4,
        capsize=2.5,
    )
    bins.lines[0].set_gid("bins")
    upper.set_xlim(-0.02, 1.02)
    upper.set_ylim(-0.02, 1.02)
    upper.set_xticks(np.arange(0, 1.01, 0.2), [])
    upper.set_yticks(np.arange(0, 1.01, 0.2))
    upper.grid(visible=True)
    upper.set_ylabel(f"Share that is {reliability.of}" if reliability.of else "Share that is right")
    lower = made.axes(LEFT, BOTTOM, SIDE, LOWER)
    lower.stairs(reliability.histogram, reliability.edges, fill=True, color=GREY, gid="histogram")
    lower.set_xlim(-0.02, 1.02)
    lower.set_xticks(np.arange(0, 1.01, 0.2))
    lower.locator_params(axis="y", nbins=2)
    lower.set_ylabel("Images")
    lower.set_xlabel(
        f"Stated probability of {reliability.of}" if reliability.of else "Highest probability"
    )
    made.figure.align_ylabels([upper, lower])
    return made.finish(
        f"Observed share over stated probability in {len(reliability.counts)} bins of equal mass "
        f"with 95 % intervals; {ece}. {words}."
    )
