"""One picture in two guises under two labels."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import images_of, named
from .near_identical_sets import fits, joined, near_pairs

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Near-identical images under different labels"""
    labels = context.manifest.column("label")
    pairs = [
        (a, b, fit)
        for a, b, fit in near_pairs(context)
        if labels[a] and labels[b] and labels[a] != labels[b]
    ]
    if not pairs:
        return []
    sets = joined(pairs)
    return [
        Finding(
            check="near-identical-labels",
            severity="warning",
            summary=(
                f"{counted(len(pairs), 'pair')} of near-identical images "
                f"{'has' if len(pairs) == 1 else 'have'} different labels: where both show one "
                "cell, one of the two labels is wrong."
            ),
            evidence={
                "pairs": len(pairs),
                "groups": named(context, sets),
                "least_alike": fits(context, pairs),
            },
            images=images_of(context, sets),
            mend=(
                "Look at each pair. One cell has one label; of a field that shows several cells, "
                "or of two cells at one place, say which is meant by a box."
            ),
        )
    ]
