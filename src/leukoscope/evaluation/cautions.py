"""What a reader must be told beside the figures, as complete sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..counting import counted
from .sample import Sample
from .subjects import BySubject

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["ENOUGH_GROUPS", "few_groups", "standing_alone", "warnings_of"]

ENOUGH_GROUPS = 10
"""With fewer groups in a class an interval cannot be trusted."""
ALL_ALONE = (
    "Neither subjects nor groups are known: every image stands for itself, and the intervals are "
    "narrower than the truth."
)


def warnings_of(
    predictions: Predictions,
    sample: Sample,
    subjects: BySubject,
    groups: Literal["published", "inferred", "none"] | None,
) -> list[str]:
    """All warnings of some predictions."""
    found = [*_of_groups(predictions, sample, groups)]
    counts = sample.groups_by_class()
    found += [
        f"No item of class {name}: what needs it is left empty."
        for name, count in counts.items()
        if not count
    ]
    found += few_groups(counts)
    found += _of_models(sample)
    found += _of_subjects(predictions, subjects)
    return found


def few_groups(counts: Mapping[str, int]) -> list[str]:
    """A warning for each class that has too few groups; ``counts`` are groups of each class."""
    return [
        f"Class {name} has {counted(count, 'group')}, fewer than {ENOUGH_GROUPS}: its intervals "
        "cannot be trusted."
        for name, count in counts.items()
        if 0 < count < ENOUGH_GROUPS
    ]


def standing_alone(predictions: Predictions) -> str:
    """A warning of rows that name neither subject nor group; empty where there is none."""
    rows = set(predictions.table["row"])
    alone = len(rows & predictions.alone)
    if predictions.groups_known and not alone:
        return ""
    if not predictions.groups_known or alone == len(rows):
        return ALL_ALONE
    return (
        f"{alone} of {counted(len(rows), 'row')} name neither subject nor group: each of them "
        "stands for itself, and the intervals are narrower than the truth."
    )


def _of_groups(predictions: Predictions, sample: Sample, groups: str | None) -> list[str]:
    alone = ALL_ALONE if groups == "none" else standing_alone(predictions)
    if alone:
        return [alone]
    if groups == "inferred":
        return [
            "Subjects are not published for this data: the groups are inferred, and so are all "
            "intervals."
        ]
    if len(sample.groups) == 1:
        return ["All items are of one group: there is no interval."]
    return []


def _of_models(sample: Sample) -> list[str]:
    lacking = 0
    for chosen in sample.models:
        seen = np.unique(sample.label[chosen])
        if len(seen) < 2:
            lacking += 1
    if not lacking:
        return []
    return [
        f"{lacking} of {len(sample.models)} tested models saw items of one class only: AUROC and "
        "the other metrics of rank leave them out."
    ]


def _of_subjects(predictions: Predictions, subjects: BySubject) -> list[str]:
    found = []
    if subjects.unit == "group":
        found.append("No subject is published: the subject level counts groups instead.")
    elif subjects.unit == "subject":
        unnamed = int((predictions.table["subject"] == "").sum())
        if unnamed:
            found.append(
                f"{counted(unnamed, 'item')} without a subject: the subject level counts "
                "groups instead."
            )
    if subjects.several_labels:
        found.append(
            f"{counted(subjects.several_labels, 'subject')} with cells of several labels: left out "
            "of the subject level."
        )
    if subjects.cut:
        found.append(
            f"{counted(subjects.cut, 'subject')} tested in more than one fold: the split cuts "
            "what belongs together, and the subject level counts it once for each fold."
        )
    return found
