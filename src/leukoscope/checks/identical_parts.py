"""The same picture where a model learns and where it is judged."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import conflicting, images_of, named

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Identical pixels in different parts of a split, official or made"""
    return [*_official(context), *_made(context)]


def _official(context: Context) -> list[Finding]:
    sets, found = conflicting(context, list(context.manifest.column("official_split")))
    if not sets:
        return []
    return [
        Finding(
            check="identical-parts",
            severity="warning",
            summary=(
                f"{counted(len(found), 'pair')} of images with identical pixels "
                f"{'lies' if len(found) == 1 else 'lie'} across the official parts of the data "
                "set: with these, what is tested was trained on."
            ),
            evidence={"split": "official", "pairs": len(found), "groups": named(context, sets)},
            images=images_of(context, sets),
            mend=(
                "Do not use the official parts as they are; leukoscope split makes folds of whole "
                "groups."
            ),
        )
    ]


def _made(context: Context) -> list[Finding]:
    if context.split is None:
        return []
    pairs: set[tuple[int, int]] = set()
    sets: dict[tuple[int, ...], None] = {}
    folds = []
    for fold, parts in context.parts():
        values = [parts.get(row, "") for row in range(len(context.manifest))]
        cut, found = conflicting(context, values)
        if cut:
            folds.append(fold.name)
            pairs.update(found)
            sets.update(dict.fromkeys(cut))
    if not sets:
        return []
    declared = context.split.edition == "as-published"
    return [
        Finding(
            check="identical-parts",
            severity="warning" if declared else "error",
            summary=(
                f"{counted(len(pairs), 'pair')} of images with identical pixels "
                f"{'lies' if len(pairs) == 1 else 'lie'} in two parts of this split, in "
                f"{len(folds)} of {counted(len(context.split.folds), 'fold')}"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={
                "split": "made",
                "edition": context.split.edition,
                "pairs": len(pairs),
                "folds": folds,
                "groups": named(context, sets),
            },
            images=images_of(context, sets),
            mend=(
                "Read the figures of this split beside those of a leak-free one."
                if declared
                else "Make the split again: leukoscope split keeps identical images together."
            ),
        )
    ]
