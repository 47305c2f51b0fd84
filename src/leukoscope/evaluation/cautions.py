"""What a reader must be told beside the figures, as complete sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from .sample import Sample
from .subjects import BySubject

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["ENOUGH_GROUPS", "warnings_of"]

ENOUGH_GROUPS = 10
"""With fewer groups in a class an interval cannot be trusted."""


def warnings_of(
    predictions: Predictions,
    sample: Sample,
    subjects: BySubject,
    groups: Literal["published", "inferred", "none"] | None,
) -> list[str]:
    """All warnings of some predictions."""
    found = [*_of_groups(predictions, sample, groups)]
    for number, name in enumerate(sample.classes):
        count = int(sample.present[:, number].sum())
        if count == 0:
            found.append(f"No item of class {name}: what needs it is left empty.")
        elif count < ENOUGH_GROUPS:
            plural = "group" if count == 1 else "groups"
            found.append(
                f"Class {name} has {count} {plural}, fewer than {ENOUGH_GROUPS}: its intervals "
                "cannot be trusted."
            )
    found += _of_models(sample)
    found += _of_subjects(predictions, subjects)
    return found


def _of_groups(predictions: Predictions, sample: Sample, groups: str | None) -> list[str]:
    if not predictions.groups_known or groups == "none":
        return [
            "Neither subjects nor groups are known: every image stands for itself, and the "
            "intervals are narrower than the truth."
        ]
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
                f"{unnamed} items have no subject: the subject level counts their groups instead."
            )
    if subjects.several_labels:
        found.append(
            f"{subjects.several_labels} subjects have cells of several labels and are left out of "
            "the subject level."
        )
    if subjects.cut:
        found.append(
            f"{subjects.cut} subjects are tested in more than one fold: the split cuts them, and "
            "the subject level counts them once for each fold."
        )
    return found
