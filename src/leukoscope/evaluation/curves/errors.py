"""The surest wrong answers: what to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..sample import image_sample

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["Case", "worst_errors"]

MOST_A_GROUP = 2


@dataclass(frozen=True)
class Case:
    """One wrong answer."""

    row: str
    image: str
    subject: str
    group: str
    label: str
    predicted: str
    probability: float
    """Of the class that was predicted."""


def worst_errors(predictions: Predictions, *, count: int = 12) -> tuple[Case, ...]:
    """Wrong answers by the probability given to the wrong class, the highest first.

    Each row once, and at most two of a group, so that one hard subject does not fill the page.
    """
    sample = image_sample(predictions)
    table = predictions.table
    p = sample.probabilities[np.arange(len(sample)), sample.predicted]
    wrong = np.flatnonzero(sample.predicted != sample.label)
    seen: set[str] = set()
    of_group: dict[str, int] = {}
    cases: list[Case] = []
    for place in wrong[np.argsort(-p[wrong], kind="stable")]:
        entry = table.iloc[int(place)]
        row, group = str(entry["row"]), str(entry["group"])
        if row in seen or of_group.get(group, 0) >= MOST_A_GROUP:
            continue
        seen.add(row)
        of_group[group] = of_group.get(group, 0) + 1
        cases.append(
            Case(
                row=row,
                image=str(entry["image"]),
                subject=str(entry["subject"]),
                group=group,
                label=str(entry["label"]),
                predicted=str(entry["predicted"]),
                probability=float(p[place]),
            )
        )
        if len(cases) == count:
            break
    return tuple(cases)
