"""A measurement of the images by class: what a shortcut looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import ReportError
from .canvas import GREY, Drawing, colour, page, styled
from .words import counted, key, shortened

__all__ = ["MeasuredByClass", "by_class"]

LEFT, ACROSS, EACH, BETWEEN, BOTTOM = 46.0, 212.0, 52.0, 20.0, 36.0
MOST_CLASSES = 12


@dataclass(frozen=True)
class MeasuredByClass:
    """Counts of a measurement's values in each class."""

    measurement: str
    counts: Mapping[str, Sequence[int]]
    """Class → images in each bin, or of each category."""
    edges: Sequence[float] = ()
    """Of the bins, one more than there are; the outer bins hold what lies beyond."""
    categories: Sequence[str] = ()
    """Where the measurement is a name (a file format); then there are no edges."""
    unit: str = ""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Class → images without a value."""


@styled
def by_class(values: MeasuredByClass, *, note: str = "", group_word: str = "group") -> Drawing:
    """One panel a class, one above the other on the same scale; heights are shares of the class.

    ``group_word`` says nothing here; all figures take it.

    Raises
    ------
    ReportError
        When there is no class, or the counts do not fit the bins or categories.
    """
    del group_word
    bins = len(values.categories) or len(values.edges) - 1
    if not values.counts or any(len(counts) != bins for counts in values.counts.values()):
        raise ReportError(
            f"by_class: counts of {len(values.counts)} classes; one count for each of {bins} bins "
            "is needed, and at least one class."
        )
    shown = list(values.counts.items())[:MOST_CLASSES]
    number = {name: int(sum(counts)) for name, counts in values.counts.items()}
    title = values.measurement[:1].upper() + values.measurement[1:]
    more = [] if len(shown) == len(values.counts) else [f"The first {MOST_CLASSES} classes"]
    made = page(
        "by_class", f"{title} by class", counted(sum(number.values()), "image"),
        height=(EACH + BETWEEN) * len(shown) + BOTTOM, note=note, more=more,
    )  # fmt: skip
    shares = {name: np.asarray(counts) / max(sum(counts), 1) for name, counts in shown}
    top = 1.1 * max(float(share.max()) for share in shares.values()) or 1.0
    for place, (name, share) in enumerate(shares.items()):
        low = BOTTOM + (EACH + BETWEEN) * (len(shares) - 1 - place)
        axes = made.axes(LEFT, low, ACROSS, EACH)
        edges = np.arange(bins + 1) - 0.5 if values.categories else np.asarray(values.edges)
        axes.stairs(share, edges, fill=True, color=colour(place), alpha=0.85,
                    gid=f"counts-{key(name)}")  # fmt: skip
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, top)
        axes.set_yticks([0, top / 1.1], ["0", f"{100 * top / 1.1:.0f} %"])
        axes.tick_params(color=GREY)
        lacking = values.missing.get(name, 0)
        words = f"{shortened(name, 24)}: {counted(number[name], 'image')}"
        words += f", {lacking:,} without" if lacking else ""
        axes.set_title(words, loc="left", fontsize=8, color=colour(place), fontweight="bold", pad=4)
        if values.categories:
            axes.set_xticks(range(bins), values.categories)
        else:
            axes.locator_params(axis="x", nbins=5)
        if place < len(shares) - 1:
            axes.set_xticklabels([])
        else:
            axes.set_xlabel(title + (f" ({values.unit})" if values.unit else ""))
    listed = "; ".join(f"{name}: {counted(n, 'image')}" for name, n in number.items())
    return made.finish(f"{title} by class, as shares of each class. {listed}.")
