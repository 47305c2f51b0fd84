"""Every subject: its mean probability, and the share of its cells that is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import GREY, Drawing, colour, page, styled
from .words import facts, key, shortened, value

if TYPE_CHECKING:
    from ..evaluation.curves import SubjectResult, Subjects

__all__ = ["subjects"]

LEFT, BETWEEN, RIGHT, BOTTOM = 62.0, 12.0, 10.0, 42.0
LEAST_CLASS = 38.0
"""Points; a class is at least this high, so that its name fits beside it."""
MOST = 80
NAMED = 40
"""Up to this many rows have their names beside them."""


@styled
def subjects(subjects: Subjects, *, note: str = "", group_word: str = "group") -> Drawing:
    """A row a subject, by class and score; a ring is a subject that is called wrong as a whole."""
    words = facts(subjects.basis, group_word)
    shown: list[SubjectResult] = []
    more = []
    for name in subjects.classes:
        members = [result for result in subjects.results if result.label == name]
        chosen = _spread(members)
        shown += chosen
        if len(chosen) < len(members):
            more.append(f"{len(chosen)} of {len(members)} of class {name} are drawn")
    fewest = min(sum(r.label == name for r in shown) for name in {r.label for r in shown})
    step = max(9.5, LEAST_CLASS / fewest) if len(shown) <= NAMED else 4.2
    up = step * len(shown) + 6
    made = page(
        "subjects", f"Results by {subjects.basis.unit}", words, height=up + BOTTOM, note=note,
        more=more,
    )  # fmt: skip
    half = (270 - LEFT - BETWEEN - RIGHT) / 2
    rows = np.arange(len(shown))[::-1]
    left = made.axes(LEFT, BOTTOM, half, up)
    right = made.axes(LEFT + half + BETWEEN, BOTTOM, half, up)
    size = 4.5 if step > 5 else 3.0
    for number, name in enumerate(_ordered(subjects)):
        places = [k for k, result in enumerate(shown) if result.label == name]
        tint = colour(number)
        for called, fill, word in ((True, tint, "right"), (False, "white", "wrong")):
            at = [k for k in places if shown[k].called_right == called]
            left.plot(
                [shown[k].score for k in at], rows[at], "o", color=tint, markerfacecolor=fill,
                markersize=size, markeredgewidth=1.2, gid=f"score-{key(name)}-{word}",
            )  # fmt: skip
        shares = [100 * shown[k].right for k in places]
        right.hlines(rows[places], 0, shares, color=tint, linewidth=1.4, gid=f"stems-{key(name)}")
        right.plot(
            shares, rows[places], "D", color=tint, markersize=size - 1, gid=f"share-{key(name)}"
        )
    for axes in (left, right):
        axes.set_ylim(-0.8, len(shown) - 0.2)
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
    left.set_xlim(-0.04, 1.04)
    left.set_xticks([0, 0.5, 1])
    if subjects.positive is not None:
        left.axvline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (3, 3)))
    right.set_xlim(0, 104)
    right.set_xticks([0, 50, 100])
    if step > 5:
        names = [shortened(result.name.split(":")[-1], 10) for result in shown]
        left.set_yticks(rows, names, fontsize=6.8)
    else:
        left.set_yticks([])
    right.set_yticks([])
    _name_classes(left, shown, rows, _ordered(subjects), step)
    of = subjects.positive or "own class"
    left.set_xlabel(f"Mean probability\nof {shortened(of, 16)}")
    right.set_xlabel("Cells right (%)\n")
    wrong = sum(not result.called_right for result in subjects.results)
    mean = float(np.mean([result.right for result in subjects.results]))
    return made.finish(
        f"Mean probability and share of cells right of each {subjects.basis.unit}; {wrong} of "
        f"{len(subjects.results)} are called wrong as a whole (rings), on average "
        f"{value(100 * mean, 1)} % of the cells are right. {words}."
    )


def _ordered(subjects: Subjects) -> list[str]:
    """The classes, the positive one first: it takes the first colour."""
    return sorted(subjects.classes, key=lambda name: name != subjects.positive)


def _spread(members: Sequence[SubjectResult]) -> list[SubjectResult]:
    """At most ``MOST`` of them, evenly over their order, both ends included."""
    if len(members) <= MOST:
        return list(members)
    places = np.unique(np.linspace(0, len(members) - 1, MOST).round().astype(int))
    return [members[place] for place in places]


def _name_classes(
    axes: Any, shown: Sequence[SubjectResult], rows: Any, names: Sequence[str], step: float
) -> None:
    """Each class's name along the left edge, at the middle of its rows."""
    for number, name in enumerate(names):
        members = [k for k, result in enumerate(shown) if result.label == name]
        if members:
            axes.annotate(
                shortened(name, max(6, int(len(members) * step / 5.2))),
                (0, float(rows[members].mean())),
                xycoords=("axes fraction", "data"),
                xytext=(-52 if step > 5 else -10, 0),
                textcoords="offset points",
                rotation=90,
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold",
                color=colour(number),
            )
