"""What belongs together, in two parts of a split."""

from __future__ import annotations

from ..counting import counted
from ..datasets.fields import fields
from ..records.findings import Finding
from .context import Context, shown

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """A group, a subject, a field, or a copy and its original in two parts of a split"""
    if context.split is None:
        return []
    manifest = context.manifest
    parents = set(manifest.column("parent")) - {""}
    names = {
        "group": list(manifest.column("group")),
        "subject": list(manifest.column("subject")),
        "original": [
            parent or (key if key in parents else "")
            for key, parent in zip(manifest.keys, manifest.column("parent"), strict=True)
        ],
    }
    if len(set(names["group"])) == len(set(zip(names["group"], names["subject"], strict=True))):
        # Where every group is one subject, the group's finding says all.
        del names["subject"]
    names["field"] = fields(manifest)
    findings = []
    for what, values in names.items():
        findings += _cut(context, context.split.edition, what, values)
    return findings


def _cut(context: Context, edition: str, what: str, values: list[str]) -> list[Finding]:
    """One finding for all folds: which names lie in two parts, and how much of the test part."""
    cut: set[str] = set()
    folds, worst = [], 0.0
    for fold, parts in context.parts():
        where: dict[str, set[str]] = {}
        for row, part in parts.items():
            if values[row]:
                where.setdefault(values[row], set()).add(part)
        here = {name for name, found in where.items() if len(found) > 1}
        if here:
            cut |= here
            folds.append(fold.name)
            trained = {name for name in here if "train" in where[name]}
            test = [values[row] for row, part in parts.items() if part == "test"]
            worst = max(worst, sum(name in trained for name in test) / max(1, len(test)))
    if not cut:
        return []
    declared = edition == "as-published"
    of = len(set(values) - {""})
    listed = sorted(cut)
    images = context.manifest.column("image")
    first = set(listed[:3])
    return [
        Finding(
            check="cut-groups",
            severity="warning" if declared else "error",
            summary=(
                f"{len(cut):,} of {counted(of, what)} {'lies' if len(cut) == 1 else 'lie'} in two "
                f"parts of the split ({shown(listed, 3)}); in the worst fold {worst:.0%} of the "
                f"test images have another of their {what} in training"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={
                "unit": what,
                "edition": edition,
                "cut": len(cut),
                "of": of,
                "names": listed[:50],
                "folds": folds,
                "worst_share_of_test": round(worst, 4),
            },
            images=tuple(str(images[row]) for row, value in enumerate(values) if value in first)[
                :30
            ],
            mend=(
                "Read the figures of this split beside those of a leak-free one."
                if declared
                else "Make the split again: leukoscope split never cuts a group."
            ),
        )
    ]
