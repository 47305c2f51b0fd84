"""Whether there is a test part at all, apart from what was trained on."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from ..records.split import Fold
from .context import Context, shown

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """No test part, or rows that are trained on and tested

    Rows in two parts of one fold are an error in every edition: no published protocol wants them.
    """
    if context.split is None:
        return []
    folds = context.split.folds
    return [*_none(folds), *_twice(folds)]


def _none(folds: tuple[Fold, ...]) -> list[Finding]:
    without = [fold.name for fold in folds if not fold.test]
    if not without:
        return []
    return [
        Finding(
            check="test-part",
            severity="error",
            summary=(
                f"{len(without):,} of {counted(len(folds), 'fold')} "
                f"{'tests' if len(without) == 1 else 'test'} nothing ({shown(without)}): a figure "
                "could only be made from what was trained on."
            ),
            evidence={"folds_without_test": without[:50], "folds": len(folds)},
            mend="Divide again with a test part: leukoscope split.",
        )
    ]


def _twice(folds: tuple[Fold, ...]) -> list[Finding]:
    rows: dict[str, None] = {}
    where: dict[str, int] = {}
    for fold in folds:
        parts = {name: set(getattr(fold, name)) for name in ("train", "validation", "test")}
        for one, other in (("train", "test"), ("validation", "test"), ("train", "validation")):
            both = sorted(parts[one] & parts[other])
            if both:
                where[f"{one} and {other}"] = where.get(f"{one} and {other}", 0) + len(both)
                rows |= dict.fromkeys(both)
    if not rows:
        return []
    listed = ", ".join(f"{parts}: {n:,}" for parts, n in where.items())
    return [
        Finding(
            check="test-part",
            severity="error",
            summary=f"{counted(len(rows), 'row')} {'stands' if len(rows) == 1 else 'stand'} in two "
            f"parts of one fold ({listed}).",
            evidence={"rows": len(rows), "parts": where, "names": list(rows)[:50]},
            images=tuple(rows)[:30],
            mend="A row belongs to one part. Divide again: leukoscope split.",
        )
    ]
