"""Images whose corners are dark."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import FAR, by_class, deviation, measured, peers, said, severity_of

__all__ = ["check"]

FALL = 0.25
"""Light lost from the middle to the corners: with the usual lens and lamp 2 to 12 %."""
FIT = 0.5
"""Share of the light's variation that the fall explains: cells in two corners explain less."""
LEAST_SPREAD = 0.02


def check(context: Context) -> list[Finding]:
    """Strong vignetting: corners much darker than the middle"""
    found = measured(context)
    if found is None:
        return []
    fall, fits = found["vignetting_ratio"], found["vignetting_fit"]
    strong = (fall >= FALL) & (fits >= FIT)
    known = int(found.known.sum())
    if strong.sum() > known / 2:
        rows, whole = np.flatnonzero(strong), True
    else:
        _, far = deviation(fall, peers(context), LEAST_SPREAD)
        rows, whole = np.flatnonzero(strong & (far >= FAR)), False
    if not len(rows):
        return []
    return [
        Finding(
            check="vignetted-images",
            severity="note" if whole else severity_of(context, rows),
            summary=(
                f"{said(context, rows, known)} {'is' if len(rows) == 1 else 'are'} strongly "
                f"vignetted: the corners have at least {FALL:.0%} less light than the middle"
                + (", as is usual in this set." if whole else ", which is unusual in its set.")
            ),
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "median_fall": round(float(np.nanmedian(fall[rows])), 3),
                "rows": keys_of(context, rows),
            },
            images=keys_of(context, rows),
            mend=(
                "Divide each field by an image of the empty slide (flat-field correction) before "
                "cells are cut out, in every class alike."
            ),
        )
    ]
