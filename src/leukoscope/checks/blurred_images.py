"""Images out of focus."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import FAR, by_class, deviation, measured, peers, said, severity_of

__all__ = ["blurred", "check"]

DROP = 0.5
"""Fall of the sharpness (a logarithm to base 10): fine detail with less than a third of the usual
variance. Real cells blurred by 2 pixels fall by 0.45 to 0.55, by 3 pixels by 0.7 to 0.9."""
LEAST_SPREAD = 0.05


def check(context: Context) -> list[Finding]:
    """Images that are blurred beside the others of their set"""
    found = measured(context)
    if found is None:
        return []
    rows = blurred(context)
    if not len(rows):
        return []
    usual = float(np.nanmedian(found["sharpness"]))
    order = rows[np.argsort(found["sharpness"][rows])]
    return [
        Finding(
            check="blurred-images",
            severity=severity_of(context, rows),
            summary=(
                f"{said(context, rows, int(found.known.sum()))} "
                f"{'is' if len(rows) == 1 else 'are'} blurred: less than a third of the fine "
                "detail that is usual in the set."
            ),
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "usual_sharpness": round(usual, 3),
                "sharpness": {
                    context.manifest.keys[row]: round(float(found["sharpness"][row]), 3)
                    for row in order[:50]
                },
            },
            images=keys_of(context, order),
            mend=(
                "Look at them, and photograph them again where that is possible. Where they stay, "
                "see that each class has its share, or focus tells the class."
            ),
        )
    ]


def blurred(context: Context) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Row numbers of the blurred images."""
    found = measured(context)
    if found is None:
        return np.array([], np.int64)
    fall, far = deviation(found["sharpness"], peers(context), LEAST_SPREAD)
    return np.flatnonzero((fall <= -DROP) & (far <= -FAR))
