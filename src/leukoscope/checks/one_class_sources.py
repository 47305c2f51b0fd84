"""Whether where an image comes from gives its class away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..counting import counted
from ..records.findings import Finding, Severity
from .context import Context, shown

__all__ = ["check"]

ENOUGH_IMAGES = 10
"""A source with fewer images of one class may have it by chance."""
WORDS = {"dataset": "data set", "site": "site", "group": "group"}


def check(context: Context) -> list[Finding]:
    """One class per site, data set or group: the shortcut one can read off a table"""
    manifest = context.manifest
    labelled = (manifest.column("label") != "") & (manifest.column("parent") == "")
    labels = manifest.column("label")[labelled]
    findings = []
    if len(set(labels)) > 1:
        for column in WORDS:
            findings += _source(column, manifest.column(column)[labelled], labels)
    return findings


def _source(column: str, sources: Any, labels: Any) -> list[Finding]:
    """The finding for one column, where it has at least two sources and one is one-sided."""
    known = sources != ""
    if len(set(sources[known])) < 2 or len(set(labels[known])) < 2:
        return []
    table = pd.crosstab(sources[known], labels[known])
    counts = table.to_numpy()
    pure = (counts > 0).sum(axis=1) == 1
    told = _told_apart(counts)
    if column == "group":
        # A patient's cells are all blasts: to be expected, and still worth knowing.
        if not pure.all():
            return []
        return [_finding(column, table, pure, told, "note")]
    one_sided = pure & (counts.sum(axis=1) >= ENOUGH_IMAGES)
    if not one_sided.any():
        return []
    return [_finding(column, table, one_sided, told, "error" if pure.all() else "warning")]


def _told_apart(counts: np.ndarray[Any, Any]) -> float:
    """The share of images whose class is right if each source answers its commonest class."""
    return float(counts.max(axis=1).sum() / counts.sum())


def _finding(
    column: str, table: pd.DataFrame, one_sided: Any, told: float, severity: Severity
) -> Finding:
    counts = table.to_numpy()
    chance = float(counts.sum(axis=0).max() / counts.sum())
    word = WORDS[column]
    names = [
        f"{source}: {counts[row].sum():,} {table.columns[int(counts[row].argmax())]}"
        for row, source in enumerate(table.index)
        if one_sided[row]
    ]
    number = int(one_sided.sum())
    if column == "group":
        summary = (
            f"Each of the {counted(number, 'group')} has images of one class only, so a model may "
            "learn to know the slide or the patient (stain, light, focus) instead of the cell."
        )
    else:
        summary = (
            f"{number:,} of {counted(len(table), word)} {'has' if number == 1 else 'have'} images "
            f"of one class only ({shown(names)}). Answering by {word} alone is right for "
            f"{told:.1%} of the images; answering always the same class for {chance:.1%}."
        )
    return Finding(
        check="one-class-sources",
        severity=severity,
        summary=summary,
        evidence={
            "source": column,
            "one_class": number,
            "sources": len(table),
            "accuracy_by_source": round(told, 4),
            "accuracy_of_largest": round(chance, 4),
            "counts": {
                str(source): {str(name): int(n) for name, n in zip(table.columns, row, strict=True)}
                for source, row in zip(table.index[:50], counts[:50], strict=True)
            },
        },
        mend=(
            "Test on subjects of another laboratory too (leukoscope split --kind lodo), and "
            "compare with a model of colour statistics alone."
            if column == "group"
            else f"Add images of the other class from the same {word}, or leave one {word} out for "
            "the test (leukoscope split --kind lodo for data sets)."
        ),
    )
