"""The forest plot of two runs' differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ReportError
from .canvas import INK, Drawing, colour, page, styled
from .words import counted, grouped, shortened, signed, value

__all__ = ["comparison"]

LEFT, RIGHT, BOTTOM, STEP = 10.0, 12.0, 36.0, 30.0
PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""Behind words, so that the line at 0 does not run through them."""
SHOWN = (
    "auroc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "f1",
    "f1_macro",
    "mcc",
    "brier",
    "ece",
)


@styled
def comparison(
    outcome: Mapping[str, Any],
    *,
    names: tuple[str, str] = ("A", "B"),
    metrics: Sequence[str] | None = None,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """Differences, first run less second, with their intervals; what crosses 0 is not told apart.

    ``outcome`` is what ``evaluation.comparison.compare`` gives. Without ``metrics`` those that are
    shares (and the like) are drawn.

    Raises
    ------
    ReportError
        When none of the metrics was compared.
    """
    from ..evaluation import METRICS

    found = outcome["metrics"]
    wanted = SHOWN if metrics is None else metrics
    rows = [name for name in wanted if found.get(name, {}).get("difference") is not None]
    if not rows:
        raise ReportError(f"comparison: none of {', '.join(wanted)} was compared.")
    words = f"{counted(outcome['n'], 'image')}, {grouped(outcome['groups'], group_word)}"
    first, second = (shortened(name, 24) for name in names)
    up = STEP * len(rows)
    made = page(
        "comparison", f"{first} − {second}", words, height=up + BOTTOM, note=note,
        more=["Difference with its 95 % interval over groups (and p)"],
    )  # fmt: skip
    axes = made.axes(LEFT, BOTTOM, 270 - LEFT - RIGHT, up)
    axes.axvline(0, color=INK, linewidth=1, gid="zero")
    ends = [0.0]
    for number, name in enumerate(rows):
        entry, top = found[name], len(rows) - number
        metric = METRICS[name]
        less = " (lower is better)" if metric.better == "low" else ""
        axes.text(0, top - 0.1, f"{metric.title}{less}", fontsize=8, va="top", bbox=PLAIN,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        text = f"{signed(entry['difference'])}{_p(entry['p_value'])}"
        axes.text(1, top - 0.1, text, fontsize=7.5, va="top", ha="right", bbox=PLAIN,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        place = top - 0.72
        if entry["low"] is not None and entry["high"] is not None:
            axes.plot([entry["low"], entry["high"]], [place, place], color=colour(1),
                      linewidth=2, gid=f"interval-{name}")  # fmt: skip
            ends += [entry["low"], entry["high"]]
        axes.plot([entry["difference"]], [place], "o", color=colour(1), markersize=5,
                  gid=f"value-{name}")  # fmt: skip
        ends.append(entry["difference"])
        if number:
            axes.axhline(top, color="#d9d9d9", linewidth=0.8)
    widest = 1.12 * max(0.01, *(abs(end) for end in ends))
    axes.set_xlim(-widest, widest)
    axes.set_ylim(0, len(rows))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"Difference (right of 0: {first} is higher)", fontsize=8)
    entry = found[rows[0]]
    return made.finish(
        f"{names[0]} less {names[1]}: {METRICS[rows[0]].title} {signed(entry['difference'])}, "
        f"95 % interval {signed(entry['low'])} to {signed(entry['high'])}. {words}."
    )


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return ", p < 0.001" if p < 0.001 else f", p = {value(p)}"
