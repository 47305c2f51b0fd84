"""Histograms of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Drawing, colour, page, styled
from .words import counted, facts, key

if TYPE_CHECKING:
    from ..evaluation.curves import Histograms

__all__ = ["histograms"]

LEFT, ACROSS, EACH, BETWEEN, BOTTOM = 46.0, 212.0, 74.0, 20.0, 34.0


@styled
def histograms(histograms: Histograms, *, note: str = "", group_word: str = "group") -> Drawing:
    """One panel a class (or right and wrong answers), one above the other on the same scale."""
    series = list(histograms.counts.items())
    if histograms.of:
        series.sort(key=lambda entry: entry[0] != histograms.of)
    words = facts(histograms.basis, group_word)
    title = f"Probability of {histograms.of} by class" if histograms.of else "Highest probability"
    body = EACH * len(series) + BETWEEN * len(series) + BOTTOM
    made = page("histograms", title, words, height=body, note=note)
    for number, (name, counts) in enumerate(series):
        low = BOTTOM + (EACH + BETWEEN) * (len(series) - 1 - number)
        tint = colour(number if histograms.of else 1 - number)
        axes = made.axes(LEFT, low, ACROSS, EACH)
        axes.stairs(
            counts, histograms.edges, fill=True, color=tint, alpha=0.85,
            gid=f"counts-{key(name)}",
        )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(1, 1.08 * float(np.max(counts))))
        axes.locator_params(axis="y", nbins=3, integer=True)
        axes.set_xticks(np.arange(0, 1.01, 0.2))
        axes.set_ylabel("Images")
        label = f"{name}: {counted(int(counts.sum()), 'image')}"
        axes.set_title(label, loc="left", fontsize=8, color=tint, fontweight="bold", pad=4)
        if number < len(series) - 1:
            axes.set_xticklabels([])
        else:
            what = f"Probability of {histograms.of}" if histograms.of else "Highest probability"
            axes.set_xlabel(what)
    summary = "; ".join(f"{name}: {counted(int(c.sum()), 'image')}" for name, c in series)
    return made.finish(f"{title}: histograms over [0, 1]. {summary}. {words}.")
