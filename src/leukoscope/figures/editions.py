"""As published beside leak-free: the size of the leak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ReportError
from .canvas import GREY, Drawing, colour, page, styled
from .words import counted, grouped, signed, value

__all__ = ["editions"]

LEFT, RIGHT, BOTTOM, STEP = 8.0, 12.0, 36.0, 54.0
SHOWN = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")


@styled
def editions(
    gap: Mapping[str, Any],
    metrics: Sequence[str] = SHOWN,
    *,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """Both editions' values with their intervals, and the gap, for each metric that both have.

    ``gap`` is what ``evaluation.comparison.gap`` gives: a is as published, b leak-free.

    Raises
    ------
    ReportError
        When none of the metrics is there.
    """
    from ..evaluation import METRICS

    found = gap["metrics"]
    rows = [name for name in metrics if found.get(name, {}).get("difference") is not None]
    if not rows:
        raise ReportError(f"editions: none of {', '.join(metrics)} was measured in both editions.")
    words = f"{counted(gap['n'], 'image')}, {grouped(gap['groups'], group_word)}"
    up = STEP * len(rows)
    made = page(
        "editions", "As published and leak-free", words, height=up + BOTTOM, note=note,
        more=["95 % intervals over groups; gap: as published − leak-free"],
    )  # fmt: skip
    axes = made.axes(LEFT, BOTTOM, 270 - LEFT - RIGHT, up)
    ends = []
    for number, name in enumerate(rows):
        entry, top = found[name], len(rows) - number
        title = METRICS[name].title
        axes.text(0, top - 0.06, title, fontsize=8.5, fontweight="bold", va="top",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        ends_text = (
            "" if entry["low"] is None else f" [{signed(entry['low'])}, {signed(entry['high'])}]"
        )
        axes.text(1, top - 0.08, f"gap {signed(entry['difference'])}{ends_text}", fontsize=7.5,
                  va="top", ha="right", transform=axes.get_yaxis_transform())  # fmt: skip
        for key, tint, marker, y in (("a", colour(0), "s", 0.49), ("b", colour(1), "o", 0.17)):
            low, high = entry[f"{key}_low"], entry[f"{key}_high"]
            place = top - 1 + y
            if low is not None and high is not None:
                axes.plot([low, high], [place, place], color=tint, linewidth=1.8,
                          gid=f"interval-{key}-{name}")  # fmt: skip
                ends += [low, high]
            axes.plot([entry[key]], [place], marker, color=tint, markersize=5.5,
                      gid=f"value-{key}-{name}")  # fmt: skip
            ends.append(entry[key])
            axes.annotate(value(entry[key]), (entry[key], place), xytext=(0, 3.5), color=tint,
                          textcoords="offset points", ha="center", fontsize=6.8)  # fmt: skip
        if number:
            axes.axhline(top, color="#d9d9d9", linewidth=0.8)
    _scale(axes, ends, len(rows))
    handles = [
        axes.plot([], [], marker, color=tint, label=label, linewidth=1.8)[0]
        for label, tint, marker in (
            ("as published", colour(0), "s"),
            ("leak-free", colour(1), "o"),
        )
    ]
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, -22 / up), ncols=2,
        borderaxespad=0,
    )  # fmt: skip
    first = found[rows[0]]
    return made.finish(
        f"{METRICS[rows[0]].title} as published {value(first['a'])}, leak-free "
        f"{value(first['b'])}: the gap is {signed(first['difference'])}. {words}."
    )


def _gap(entry: Mapping[str, Any]) -> str:
    text = f"gap {signed(entry['difference'])}"
    if entry["low"] is None:
        return text
    return f"{text} [{signed(entry['low'])}, {signed(entry['high'])}]"


def _scale(axes: Any, ends: Sequence[float], rows: int) -> None:
    """An axis from a round number below all ends to one above them."""
    low, high = min(ends), max(ends)
    margin = 0.06 * max(high - low, 0.05)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, rows)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=6)
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", color=GREY)
