"""One picture, two answers."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import conflicting, images_of, named

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Identical pixels under different labels"""
    labels = list(context.manifest.column("label"))
    sets, found = conflicting(context, labels)
    if not sets:
        return []
    counts: dict[str, int] = {}
    for a, b in found:
        both = " and ".join(sorted((labels[a], labels[b])))
        counts[both] = counts.get(both, 0) + 1
    return [
        Finding(
            check="identical-labels",
            severity="error",
            summary=(
                f"{counted(len(found), 'pair')} of images with identical pixels "
                f"{'has' if len(found) == 1 else 'have'} different labels "
                f"({', '.join(f'{both} {n}' for both, n in sorted(counts.items()))})."
            ),
            evidence={"pairs": len(found), "labels": counts, "groups": named(context, sets)},
            images=images_of(context, sets),
            mend="Ask the source which label is right; until then leave these images out.",
        )
    ]
