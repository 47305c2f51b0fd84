"""Images with too few pixels."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import by_class, deviation, measured, peers, said, severity_of

__all__ = ["check"]

LEAST_PX = 32
"""Shorter side below which a cell's chromatin has no texture: its nucleus is then under 20 pixels
wide, a grain of chromatin under one."""
HALF = 0.5
"""Shorter side over the usual one."""


def check(context: Context) -> list[Finding]:
    """Images that are too small, in pixels or beside the others of their set"""
    found = measured(context)
    if found is None:
        return []
    side = np.minimum(found["width_px"], found["height_px"])
    change, _ = deviation(side, peers(context), 1.0)
    tiny = side < LEAST_PX
    rows = np.flatnonzero(found.known & (tiny | (side < HALF * (side - change))))
    if not len(rows):
        return []
    order = rows[np.argsort(side[rows])]
    return [
        Finding(
            check="small-images",
            severity="warning" if tiny.any() else severity_of(context, rows),
            summary=(
                f"{said(context, rows, int(found.known.sum()))} "
                f"{'is' if len(rows) == 1 else 'are'} too small: the smallest has "
                f"{found['width_px'][order[0]]:.0f} × {found['height_px'][order[0]]:.0f} pixels"
                + (f", {int(tiny.sum())} less than {LEAST_PX} on a side" if tiny.any() else "")
                + f"; usual is a shorter side of {np.nanmedian(side):.0f}."
            ),
            evidence={
                "images": len(rows),
                "below_32_px": int(tiny.sum()),
                "by_class": by_class(context, rows),
                "shorter_side_px": {
                    context.manifest.keys[row]: int(side[row]) for row in order[:50]
                },
            },
            images=keys_of(context, order),
            mend=(
                "Leave out what shows no chromatin. Cut the others to the same scale as the rest "
                "and pad them: enlarging to the input of a network makes another magnification."
            ),
        )
    ]
