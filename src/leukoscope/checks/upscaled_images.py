"""Images that were enlarged: more pixels than detail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..records.findings import Finding, Severity
from .blurred_images import blurred
from .context import Context, keys_of
from .quality import FAR, by_class, deviation, measured, peers, said, severity_of

__all__ = ["check"]

REPEATED = 0.2
"""Share of rows and columns equal to the one before: nearest-neighbour enlarging by 1.25 or more.
No image of a camera repeats a whole row."""
EMPTIER = 0.6
"""Fall of the high frequencies' power over the middle ones' (a logarithm to base 10): a quarter of
the usual. Real cells enlarged twice, by linear or cubic interpolation, fall by 0.8 to 1.5."""
EMPTY_FROM = 0.4
"""Frequency (cycles per pixel, at most one half) above which the half of a set's images hold no
more than rounding does: 1.25 times fewer pixels would have held all."""
LEAST_SPREAD = 0.1


def check(context: Context) -> list[Finding]:
    """Images that were enlarged: their spectrum is empty above a frequency"""
    found = measured(context)
    if found is None:
        return []
    known = int(found.known.sum())
    sets = peers(context)
    repeated = found["repeated_share"] >= REPEATED
    end = found["spectrum_end"]
    whole = [
        rows
        for rows in sets
        if _median(found["repeated_share"][rows]) >= REPEATED or _median(end[rows]) <= EMPTY_FROM
    ]
    fall, far = deviation(found["spectrum_fall"], sets, LEAST_SPREAD)
    emptier = (fall <= -EMPTIER) & (far <= -FAR)
    emptier[blurred(context)] = False  # out of focus empties the spectrum as well
    single = emptier | repeated
    for rows in whole:
        single[rows] = False
    findings = []
    rows = np.flatnonzero(single)
    if len(rows):
        findings.append(
            _finding(
                context, rows, severity_of(context, rows),
                f"{said(context, rows, known)} {'seems' if len(rows) == 1 else 'seem'} to be "
                "enlarged or smoothed: high frequencies that the others of their set hold are "
                "empty, or pixels repeat.",
            )
        )  # fmt: skip
    for rows in whole:
        holds = _median(end[rows])
        findings.append(
            _finding(
                context, rows, "note",
                f"{len(rows):,} of {known:,} images, a whole set, hold fewer details than pixels: "
                f"half of them nothing above {holds:.2f} cycles per pixel, so that pictures "
                f"{2 * holds:.0%} as wide would show as much.",
            )
        )  # fmt: skip
    return findings


def _median(values: np.ndarray[Any, Any]) -> float:
    """Of those that were measured; NaN, which is neither more nor less, where none was."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _finding(context: Context, rows: np.ndarray, severity: Severity, summary: str) -> Finding:
    return Finding(
        check="upscaled-images",
        severity=severity,
        summary=summary,
        evidence={
            "images": len(rows),
            "by_class": by_class(context, rows),
            "rows": keys_of(context, rows),
        },
        images=keys_of(context, rows),
        mend=(
            "Take the images as they came from the camera, or bring all to the smaller scale: "
            "enlarged and other images side by side can be told apart by it."
        ),
    )
