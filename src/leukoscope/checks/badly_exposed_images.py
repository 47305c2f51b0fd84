"""Images with too much or too little light."""

from __future__ import annotations

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .quality import FAR, by_class, deviation, measured, peers, said, severity_of

__all__ = ["check"]

WHITER = 0.3
"""So much more of the picture than usual is white in every channel: an empty place of the slide
may be, a third of the picture more than in its neighbours is the cell's own pale parts."""
DARKER = 0.6
"""The brightest twentieth over the usual one: with a camera's usual curve (gamma 2.2) a third of
the usual light. Slides of one set vary between 0.75 and 1.2."""
LEAST_WHITE, LEAST_DARK = 0.02, 0.02


def check(context: Context) -> list[Finding]:
    """Images that are over- or under-exposed beside the others of their set"""
    found = measured(context)
    if found is None:
        return []
    sets = peers(context)
    more, far = deviation(found["overexposed_share"], sets, LEAST_WHITE)
    over = np.flatnonzero((more >= WHITER) & (far >= FAR))
    bright = found["brightness_p95"]
    less, far = deviation(bright, sets, LEAST_DARK)
    under = np.flatnonzero((bright <= DARKER * (bright - less)) & (far <= -FAR))
    findings = []
    for rows, word, why in (
        (over, "over", f"at least {WHITER:.0%} more of the picture than usual is plain white"),
        (under, "under", f"their brightest parts have at most {DARKER:.0%} of the usual level"),
    ):
        if not len(rows):
            continue
        findings.append(
            Finding(
                check="badly-exposed-images",
                severity=severity_of(context, rows),
                summary=(
                    f"{said(context, rows, int(found.known.sum()))} "
                    f"{'is' if len(rows) == 1 else 'are'} {word}-exposed: {why}."
                ),
                evidence={
                    "kind": f"{word}-exposed",
                    "images": len(rows),
                    "by_class": by_class(context, rows),
                    "rows": keys_of(context, rows),
                },
                images=keys_of(context, rows),
                mend=(
                    "Photograph them again, or leave them out: what is "
                    f"{'white' if word == 'over' else 'dark'} in the file cannot be brought back "
                    "by normalising it."
                ),
            )
        )
    return findings
