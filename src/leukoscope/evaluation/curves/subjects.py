"""Every subject by itself: its score and the share of its cells that is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import PredictionsError
from ..subjects import by_subject
from .basis import Basis, basis_of

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["SubjectResult", "Subjects", "subject_results"]


@dataclass(frozen=True)
class SubjectResult:
    """One subject (or group, where no subject is published)."""

    name: str
    label: str
    cells: int
    score: float
    """Mean probability of the positive class; with more classes, of the subject's own class."""
    right: float
    """Share of its cells that is called right."""
    called_right: bool
    """Whether the subject as a whole is."""


@dataclass(frozen=True)
class Subjects:
    """All subjects, by class and then by score."""

    results: tuple[SubjectResult, ...]
    classes: tuple[str, ...]
    positive: str | None
    several_labels: int
    """Subjects left out because their cells have several labels."""
    basis: Basis


def subject_results(predictions: Predictions) -> Subjects:
    """The result of each subject, averaged over the models that tested it.

    Raises
    ------
    PredictionsError
        Where neither subjects nor groups are known, or every subject has several labels.
    """
    found = by_subject(predictions)
    sample = found.sample
    if sample is None:
        raise PredictionsError(
            "predictions: neither subjects nor groups with one label are known, so there are no "
            "results by subject. Add a column 'subject'."
        )
    times = np.bincount(sample.item)
    label = np.zeros(len(times), dtype=np.int64)
    label[sample.item] = sample.label
    of = sample.label if sample.positive is None else np.full(len(sample), sample.positive)
    p = np.bincount(sample.item, weights=sample.probabilities[np.arange(len(sample)), of]) / times
    mean = np.stack(
        [np.bincount(sample.item, weights=column) / times for column in sample.probabilities.T],
        axis=1,
    )
    right = np.zeros(len(sample)) if sample.right is None else sample.right
    share = np.bincount(sample.item, weights=right * found.cells)
    cells = np.bincount(sample.item, weights=found.cells)
    results = [
        SubjectResult(
            name=found.names[i],
            label=sample.classes[label[i]],
            cells=round(cells[i] / sample.repeats),
            score=float(p[i]),
            right=float(share[i] / cells[i]),
            called_right=bool(mean[i].argmax() == label[i]),
        )
        for i in np.lexsort((p, label))
    ]
    return Subjects(
        results=tuple(results),
        classes=sample.classes,
        positive=None if sample.positive is None else sample.classes[sample.positive],
        several_labels=found.several_labels,
        basis=basis_of(sample),
    )
