"""Bars of published beside measured figures, both editions, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ReportError
from .canvas import GREY, INK, WIDTH, Drawing, colour, page, styled
from .words import counted, grouped, key, shortened, value

__all__ = ["SERIES", "Bar", "BarRow", "bars", "verify_series"]

LEFT, RIGHT, BOTTOM = 10.0, 34.0, 50.0
NAME, EACH, BETWEEN = 11.0, 9.0, 7.0
"""Points up: the name above its bars, a bar, what lies between two names."""
SERIES = {"published": "#8a8a8a", "as published": colour(0), "leak-free": colour(1)}
"""What a row may have → its colour, the same as in ``editions``."""
MOST_CHARACTERS = 46


@dataclass(frozen=True)
class Bar:
    """One value; without ends it has no interval."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Images it stands on; 0 where that is not known."""
    groups: int = 0


@dataclass(frozen=True)
class BarRow:
    """What belongs together: one system's published and measured figure."""

    name: str
    bars: Mapping[str, Bar] = field(default_factory=dict)
    """``published``, ``as published``, ``leak-free``: those there are."""


@styled
def bars(
    rows: Sequence[BarRow], metric: str, *, note: str = "", group_word: str = "group"
) -> Drawing:
    """A bar for each series of each row, from 0 to 1; whiskers are 95 % intervals over groups.

    Raises
    ------
    ReportError
        When there is no row with a bar, or a series that is none of ``SERIES``.
    """
    shown = [row for row in rows if row.bars]
    if not shown:
        raise ReportError(f"bars of {metric}: nothing was published or measured.")
    verify_series("bars", (name for row in shown for name in row.bars))
    series = [name for name in SERIES if any(name in row.bars for row in shown)]
    heights = [NAME + EACH * len(row.bars) + BETWEEN for row in shown]
    up = sum(heights)
    made = page("bars", metric, _facts(shown, group_word), height=up + BOTTOM, note=note)
    axes = made.axes(LEFT, BOTTOM, WIDTH - LEFT - RIGHT, up)
    top = up
    for row, height in zip(shown, heights, strict=True):
        axes.text(0.012, top - NAME + 2.5, shortened(row.name, MOST_CHARACTERS), fontsize=7.8,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        place = top - NAME - EACH / 2
        for name in (one for one in series if one in row.bars):
            bar = row.bars[name]
            axes.barh(place, bar.value, height=EACH - 1.5, color=SERIES[name],
                      gid=f"bar-{key(row.name)}-{key(name)}")  # fmt: skip
            if bar.low is not None and bar.high is not None:
                axes.plot([bar.low, bar.high], [place, place], color=INK, linewidth=1,
                          gid=f"interval-{key(row.name)}-{key(name)}")  # fmt: skip
            axes.text(1.02, place, value(bar.value), fontsize=7, va="center", color=INK,
                      transform=axes.get_yaxis_transform())  # fmt: skip
            place -= EACH
        top -= height
    axes.set_xlim(0, 1)
    axes.set_ylim(0, up)
    axes.set_yticks([])
    axes.spines["left"].set_color(GREY)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)
    axes.set_xlabel(f"{metric}; whiskers: 95 % intervals over groups", fontsize=8)
    handles = [axes.barh([0], [0], color=SERIES[name])[0] for name in series]
    axes.legend(handles, series, loc="upper left", bbox_to_anchor=(0, -30 / up),
                ncols=len(series), borderaxespad=0, columnspacing=1.2)  # fmt: skip
    said = "; ".join(
        f"{row.name}: " + ", ".join(f"{name} {value(bar.value)}" for name, bar in row.bars.items())
        for row in shown
    )
    return made.finish(f"{metric}. {said}. {_facts(shown, group_word)}.")


def verify_series(figure: str, names: Iterable[str]) -> None:
    """Raise ReportError for a series that is none of ``SERIES``."""
    for name in names:
        if name not in SERIES:
            raise ReportError(f"{figure}: series '{name}' is none of {', '.join(SERIES)}.")


def _facts(rows: Sequence[BarRow], group_word: str) -> str:
    """What the measured bars stand on; where they differ, from the least to the most."""
    measured = [bar for row in rows for bar in row.bars.values() if bar.n]
    if not measured:
        return "published figures only; nothing was measured"
    images, groups = ({bar.n for bar in measured}, {bar.groups for bar in measured})
    least = f"{min(images):,} to " if len(images) > 1 else ""
    fewest = f"{min(groups):,} to " if len(groups) > 1 else ""
    return f"{least}{counted(max(images), 'image')}, {fewest}{grouped(max(groups), group_word)}"
