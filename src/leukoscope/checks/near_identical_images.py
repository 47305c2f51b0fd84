"""The same picture in two guises."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import images_of, named
from .near_identical_sets import fits, joined, near_pairs

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Near-identical images: turned, mirrored, saved again, or photographed twice

    Every pair was confirmed on its pixels (``splits.likeness``). It is a note where the groups
    keep each pair together, and a warning where they do not.
    """
    pairs = near_pairs(context)
    if not pairs:
        return []
    groups = context.manifest.column("group")
    apart = sum(groups[a] != groups[b] or not groups[a] for a, b, _ in pairs)
    sets = joined(pairs)
    kept = "all within one group" if not apart else f"{apart:,} of them in different groups"
    return [
        Finding(
            check="near-identical-images",
            severity="warning" if apart else "note",
            summary=(
                f"{counted(len(pairs), 'pair')} of images "
                f"{'shows' if len(pairs) == 1 else 'show'} the same picture in other pixels, in "
                f"{counted(len(sets), 'set')} of {sum(map(len, sets)):,} images, {kept}."
            ),
            evidence={
                "pairs": len(pairs),
                "sets": len(sets),
                "pairs_in_different_groups": apart,
                "groups": named(context, sets),
                "least_alike": fits(context, pairs),
            },
            images=images_of(context, sets),
            mend=(
                "Divide with leukoscope split --group-duplicates, which keeps groups together that "
                "such images tie."
                if apart
                else "Nothing to do for splits: they never cut a group. Count such a set as one "
                "image wherever a number of images is stated."
            ),
        )
    ]
