"""Box plots over folds, seeds or draws: published beside measured, both editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ReportError
from .bars import SERIES, verify_series
from .canvas import GREY, INK, WIDTH, Drawing, page, styled
from .words import counted, key, shortened, value

__all__ = ["BoxRow", "box"]

LEFT, RIGHT, BOTTOM = 10.0, 12.0, 50.0
NAME, EACH, BETWEEN = 11.0, 15.0, 8.0
MOST_CHARACTERS = 46


@dataclass(frozen=True)
class BoxRow:
    """One system: its values in each series."""

    name: str
    values: Mapping[str, Sequence[float]]
    """``published``, ``as published``, ``leak-free`` → a value a fold, seed or draw."""


@styled
def box(
    rows: Sequence[BoxRow],
    metric: str,
    over: str,
    *,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """A box for each series of each row: quartiles, median, every value as a point.

    ``over`` is what a value is of: ``fold``, ``seed``, ``draw``. Whiskers reach to the farthest
    value within 1.5 times the box (Tukey 1977). The spread tells how much a training's chance
    moves the figure; it is no interval over subjects. ``group_word`` says nothing here; all
    figures take it.

    Raises
    ------
    ReportError
        When no row has a value, or a series is none of ``SERIES``.
    """
    del group_word
    shown = [row for row in rows if any(len(values) for values in row.values.values())]
    if not shown:
        raise ReportError(f"box plot of {metric}: nothing was published or measured.")
    verify_series("box plot", (name for row in shown for name in row.values))
    series = [name for name in SERIES if any(len(row.values.get(name, ())) for row in shown)]
    heights = [
        NAME + EACH * sum(bool(len(row.values.get(name, ()))) for name in series) + BETWEEN
        for row in shown
    ]
    up = sum(heights)
    most = max(len(values) for row in shown for values in row.values.values())
    made = page(
        "box", f"{metric} over {over}s", counted(most, over), height=up + BOTTOM, note=note,
        more=["Box: quartiles; line: median; points: every value"],
    )  # fmt: skip
    axes = made.axes(LEFT, BOTTOM, WIDTH - LEFT - RIGHT, up)
    top = up
    for row, height in zip(shown, heights, strict=True):
        axes.text(0, top - NAME + 2.5, shortened(row.name, MOST_CHARACTERS), fontsize=7.8,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        place = top - NAME - EACH / 2
        for name in (one for one in series if len(row.values.get(one, ()))):
            values = [float(one) for one in row.values[name]]
            tint = SERIES[name]
            drawn = axes.boxplot(
                [values], positions=[place], widths=[EACH - 6], orientation="horizontal",
                showfliers=False, manage_ticks=False, patch_artist=True,
                boxprops={"facecolor": "none", "edgecolor": tint, "linewidth": 1.2},
                whiskerprops={"color": tint}, capprops={"color": tint},
                medianprops={"color": tint, "linewidth": 2.2},
            )  # fmt: skip
            drawn["medians"][0].set_gid(f"median-{key(row.name)}-{key(name)}")
            axes.plot(values, [place] * len(values), "o", color=INK, markersize=2.6, alpha=0.7,
                      gid=f"values-{key(row.name)}-{key(name)}")  # fmt: skip
            place -= EACH
        top -= height
    low = min(min(values) for row in shown for values in row.values.values() if len(values))
    high = max(max(values) for row in shown for values in row.values.values() if len(values))
    margin = 0.06 * max(high - low, 0.05)
    axes.set_xlim(low - margin, min(high + margin, 1.02) if high <= 1 else high + margin)
    axes.set_ylim(0, up)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(axis="x", color=GREY)
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)
    axes.set_xlabel(metric)
    handles = [axes.plot([], [], color=SERIES[name], label=name, linewidth=2)[0] for name in series]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -30 / up),
                ncols=len(series), borderaxespad=0, columnspacing=1.2)  # fmt: skip
    return made.finish(f"{metric} over {counted(most, over)}. {_medians(shown)}.")


def _medians(rows: Sequence[BoxRow]) -> str:
    from statistics import median

    return "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{name} median {value(median(values))} ({value(min(values))} to {value(max(values))})"
            for name, values in row.values.items()
            if len(values)
        )
        for row in rows
    )
