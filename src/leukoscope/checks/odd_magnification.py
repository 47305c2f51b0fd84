"""Images taken or scaled at another magnification than their set."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import FAR, by_class, deviation, measured, peers, said, severity_of

__all__ = ["check"]

OCTAVES = 0.7
"""Difference in the logarithm to base 2 of the object's diameter: 1.6 times, more than the
largest blast over the smallest lymphocyte of one slide, less than from 40x to 100x (2.5)."""
FINER = 2.0
"""Robust deviations by which the detail must be coarser (or finer) in the same sense: a large
cell has the usual detail, an enlarged one has not."""
LEAST_SPREAD, LEAST_DETAIL = 0.05, 0.05


def check(context: Context) -> list[Finding]:
    """Objects and detail of another scale than in the rest of the class

    An object is measured beside those of its class, because a blast may be larger than a
    lymphocyte; one whose detail has not changed with its size is a large cell and no finding.
    """
    found = measured(context)
    if found is None:
        return []
    sets = peers(context, with_label=True)
    diameter = np.log2(found["object_area_px"]) / 2
    change, far = deviation(diameter, sets, LEAST_SPREAD)
    _, detail = deviation(found["sharpness"], sets, LEAST_DETAIL)
    scale_fits = np.sign(change) * detail <= -FINER
    rows = np.flatnonzero((np.abs(change) >= OCTAVES) & (np.abs(far) >= FAR) & scale_fits)
    if not len(rows):
        return []
    times = 2 ** change[rows]
    return [
        Finding(
            check="odd-magnification",
            severity=severity_of(context, rows),
            summary=(
                f"{said(context, rows, int(found.known.sum()))} "
                f"{'seems' if len(rows) == 1 else 'seem'} to be of another magnification: "
                f"{_sizes(times)}, with detail to match."
            ),
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "times_usual_diameter": {
                    context.manifest.keys[row]: round(float(one), 2)
                    for row, one in zip(rows[:50], times, strict=False)
                },
            },
            images=keys_of(context, rows),
            mend=(
                "Look up the objective and the camera's pixel size of these images and bring all "
                "to one scale, or leave them out."
            ),
        )
    ]


def _sizes(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    low, high = float(times.min()), float(times.max())
    if f"{low:.1f}" == f"{high:.1f}":
        return f"objects of {low:.1f} times the usual diameter of their class"
    return f"objects of {low:.1f} to {high:.1f} times the usual diameter of their class"
