"""A picture where a model learns, and its near twin where it is judged."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import images_of, named
from .near_identical_sets import Pair, fits, joined, near_pairs

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Near-identical images in different parts of a split, official or made"""
    pairs = near_pairs(context)
    return [*_official(context, pairs), *_made(context, pairs)] if pairs else []


def _official(context: Context, pairs: list[Pair]) -> list[Finding]:
    parts = context.manifest.column("official_split")
    cut = [pair for pair in pairs if _apart(str(parts[pair[0]]), str(parts[pair[1]]))]
    if not cut:
        return []
    sets = joined(cut)
    return [
        Finding(
            check="near-identical-parts",
            severity="warning",
            summary=(
                f"{counted(len(cut), 'pair')} of near-identical images "
                f"{'lies' if len(cut) == 1 else 'lie'} across the official parts of the data set: "
                "with these, what is tested was all but trained on."
            ),
            evidence={
                "split": "official",
                "pairs": len(cut),
                "groups": named(context, sets),
                "least_alike": fits(context, cut),
            },
            images=images_of(context, sets),
            mend="Do not use the official parts as they are; leukoscope split makes folds of "
            "whole groups.",
        )
    ]


def _made(context: Context, pairs: list[Pair]) -> list[Finding]:
    if context.split is None:
        return []
    cut: dict[Pair, None] = {}
    folds = []
    for fold, parts in context.parts():
        here = [pair for pair in pairs if _apart(parts.get(pair[0], ""), parts.get(pair[1], ""))]
        if here:
            folds.append(fold.name)
            cut |= dict.fromkeys(here)
    if not cut:
        return []
    declared = context.split.edition == "as-published"
    sets = joined(cut)
    return [
        Finding(
            check="near-identical-parts",
            severity="warning" if declared else "error",
            summary=(
                f"{counted(len(cut), 'pair')} of near-identical images "
                f"{'lies' if len(cut) == 1 else 'lie'} in two parts of this split, in "
                f"{len(folds)} of {counted(len(context.split.folds), 'fold')}"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={
                "split": "made",
                "edition": context.split.edition,
                "pairs": len(cut),
                "folds": folds,
                "groups": named(context, sets),
                "least_alike": fits(context, list(cut)),
            },
            images=images_of(context, sets),
            mend=(
                "Read the figures of this split beside those of a leak-free one."
                if declared
                else "Divide again with leukoscope split --group-duplicates, which keeps groups "
                "together that such images tie."
            ),
        )
    ]


def _apart(first: str, second: str) -> bool:
    return bool(first and second and first != second)
