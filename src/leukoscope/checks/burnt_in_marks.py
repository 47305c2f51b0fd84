"""Scale bars, arrows and circles that somebody drew into the images."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..counting import counted
from ..records.findings import Finding
from .context import Context, keys_of
from .quality import by_class, measured, said, severity_of

__all__ = ["check"]

SAME_PLACE = 0.04
"""Marks so near to each other (over the image's sides) are one mark that a program drew."""


def check(context: Context) -> list[Finding]:
    """Burnt-in marks: scale bars, arrows, circles"""
    found = measured(context)
    if found is None:
        return []
    rows = np.flatnonzero(found["mark_count"] > 0)
    if not len(rows):
        return []
    places = Counter(
        (round(x / SAME_PLACE) * SAME_PLACE, round(y / SAME_PLACE) * SAME_PLACE)
        for x, y in found.columns(("mark_x", "mark_y"))[rows]
    )
    (x, y), often = places.most_common(1)[0]
    summary = (
        f"{said(context, rows, int(found.known.sum()))} "
        f"{'carries' if len(rows) == 1 else 'carry'} a burnt-in mark (scale bar, arrow, line)"
    )
    if often > 1:
        summary += f", {counted(often, 'time')} at the same place, {_place(x, y)}"
    return [
        Finding(
            check="burnt-in-marks",
            severity=severity_of(context, rows),
            summary=summary + ".",
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "places": {
                    f"{x:.2f} across, {y:.2f} down": n for (x, y), n in places.most_common(8)
                },
                "rows": keys_of(context, rows),
            },
            images=keys_of(context, rows),
            mend=(
                "Use the images as they were before the mark was drawn, or crop or cover the same "
                "place in every image; a network reads a mark before it reads a cell."
            ),
        )
    ]


def _place(x: float, y: float) -> str:
    down = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    if down and across:
        return f"the {down} {across} corner"
    return f"the {down or across} edge" if down or across else "the middle"
