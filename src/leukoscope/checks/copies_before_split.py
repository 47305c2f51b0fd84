"""Augmented copies that were made before the data was divided."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from ..records.run import Run
from .context import Context
from .identical_sets import images_of, named
from .near_identical_sets import joined, near_pairs

__all__ = ["check", "of_run"]

SEVERAL = 3
"""Near-identical images in a set from which it looks made, not photographed twice."""
MANY = 0.3
"""Share of all images in such sets from which the whole collection looks augmented."""


def check(context: Context) -> list[Finding]:
    """Augmented copies made before the split, declared or not

    Declared ones are rows with a parent in the run's plan. Undeclared ones are told by their
    number: where a third of a collection and more is one picture three times and oftener, it was
    augmented before it was published.
    """
    found = [] if context.run is None else of_run(context.run)
    return [*found, *_undeclared(context)]


def of_run(run: Run) -> list[Finding]:
    """The findings of a run's records."""
    expand = run.experiment.expand
    if not expand.before_split:
        return []
    declared = run.experiment.edition == "as-published"
    made = (
        f"to {expand.per_class:,} images a class"
        if expand.per_class
        else f"to {expand.factor} times its size"
    )
    return [
        Finding(
            check="copies-before-split",
            severity="warning" if declared else "error",
            summary=(
                f"The data was expanded {made} before it was divided, so copies of one image are "
                "trained on and tested"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={"factor": expand.factor, "per_class": expand.per_class},
            mend="Divide first, then copy within training: expand.before_split = false.",
        )
    ]


def _undeclared(context: Context) -> list[Finding]:
    sets = [rows for rows in joined(near_pairs(context)) if len(rows) >= SEVERAL]
    number = sum(map(len, sets))
    of = int((context.manifest.column("parent") == "").sum())
    if not of or number / of < MANY:
        return []
    return [
        Finding(
            check="copies-before-split",
            severity="warning",
            summary=(
                f"{number:,} of {counted(of, 'image')} ({number / of:.0%}) are one picture "
                f"{SEVERAL} times and oftener, turned, mirrored or saved again: the collection "
                "looks as if it had been augmented before it was published."
            ),
            evidence={"images": number, "of": of, "groups": named(context, sets)},
            images=images_of(context, sets),
            mend="Find the originals, keep one of each set, and augment training images only.",
        )
    ]
