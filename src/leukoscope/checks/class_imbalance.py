"""One class far larger than another."""

from __future__ import annotations

from collections import Counter

from ..counting import counted
from ..records.findings import Finding
from .context import Context

__all__ = ["check"]

NOTED = 2.0
WARNED = 10.0
"""Times as many images in the largest class as in the smallest."""


def check(context: Context) -> list[Finding]:
    """Class imbalance"""
    counts = Counter(label for label in context.manifest.column("label") if label)
    if len(counts) < 2:
        return []
    (largest, most), (smallest, least) = (counts.most_common()[0], counts.most_common()[-1])
    ratio, share = most / least, most / sum(counts.values())
    if ratio < NOTED:
        return []
    return [
        Finding(
            check="class-imbalance",
            severity="warning" if ratio >= WARNED else "note",
            summary=(
                f"{largest!r} has {counted(most, 'image')} and {smallest!r} {least:,}, {ratio:.1f} "
                f"times as many: always answering {largest!r} is right for {share:.1%} of the "
                "images."
            ),
            evidence={
                "counts": dict(sorted(counts.items())),
                "ratio": round(ratio, 3),
                "accuracy_of_largest": round(share, 4),
            },
            mend="Compare accuracy with that share, and judge by balanced accuracy, sensitivity "
            "and specificity; weight the classes in training (training.class_weights).",
        )
    ]
