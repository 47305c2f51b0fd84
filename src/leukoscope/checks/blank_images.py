"""Images that show nothing."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import by_class, measured, said

__all__ = ["check"]

BUSY = 0.01
"""Share of the image's blocks that vary more than noise: the smallest nucleus that is looked for
(``smear.single_cell``: 0.4 % of the image) lies in more."""
CONTRAST = 3 / 255
"""Standard deviation of the brightness below which nobody sees anything either."""


def check(context: Context) -> list[Finding]:
    """Images that are nearly blank"""
    found = measured(context)
    if found is None:
        return []
    busy = 1 - found["blank_share"]
    rows = np.flatnonzero(found.known & ((busy < BUSY) | (found["brightness_sd"] < CONTRAST)))
    if not len(rows):
        return []
    return [
        Finding(
            check="blank-images",
            severity="warning",
            summary=(
                f"{said(context, rows, int(found.known.sum()))} "
                f"{'is' if len(rows) == 1 else 'are'} nearly blank: less than {BUSY:.0%} of the "
                "picture shows anything."
            ),
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "rows": keys_of(context, rows),
            },
            images=keys_of(context, rows),
            mend="Look at them. What shows no cell has no label: leave these rows out.",
        )
    ]
