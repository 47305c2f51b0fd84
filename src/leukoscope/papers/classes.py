"""The classification report of a cell: precision, recall, F1 and support of each class.

By scikit-learn's definition (``sklearn.metrics.classification_report``), and with the intervals
over groups that the run's ``metrics.json`` has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SCORES", "ClassRow", "Score", "classification_rows"]

SCORES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Score:
    """One score with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ClassRow:
    """One line of the report."""

    name: str
    """A class, ``macro average``, ``weighted average``, ``accuracy``."""
    scores: tuple[Score | None, ...]
    """Of ``SCORES``; accuracy stands under the last alone, as scikit-learn prints it."""
    support: int
    groups: int


def classification_rows(metrics: Mapping[str, Any]) -> tuple[ClassRow, ...]:
    """The report of what ``metrics.json`` measured by image."""
    image = metrics["levels"].get("image") or {}
    classes = metrics.get("classes") or {}
    rows = [
        ClassRow(
            name,
            tuple(_score(entry.get(score)) for score in SCORES),
            int(entry["support"]),
            int(entry["groups"]),
        )
        for name, entry in classes.items()
    ]
    whole = image.get("accuracy")
    if not rows or whole is None:
        return ()
    n, groups = int(whole.get("n") or 0), int(whole.get("groups") or 0)
    rows.append(ClassRow("accuracy", (None, None, _score(whole)), n, groups))
    for average in ("macro", "weighted"):
        scores = tuple(_score(image.get(f"{score}_{average}")) for score in SCORES)
        rows.append(ClassRow(f"{average} average", scores, n, groups))
    return tuple(rows)


def _score(entry: Mapping[str, Any] | None) -> Score:
    found = entry or {}
    value = found.get("value")
    return Score(None if value is None else float(value), found.get("low"), found.get("high"))
