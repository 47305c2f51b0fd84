"""From cells to subjects: one score a subject, and the share of its cells that is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .sample import Floats, Sample, Unit, image_sample, numbered
from .weighted import Metric, Weighted, ratio

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["SUBJECT_METRICS", "BySubject", "by_subject"]


@dataclass(frozen=True)
class BySubject:
    """The subject level of some predictions."""

    sample: Sample | None
    """An entry a subject, fold and repeat; None where neither subjects nor groups are known, or
    every subject has several labels."""
    names: tuple[str, ...]
    """Name of each item of the sample."""
    cells: Floats
    """Cells behind each entry."""
    unit: Unit | None
    several_labels: int
    """Subjects left out because their cells have several labels."""
    cut: int
    """Subjects whose cells are tested in more than one fold of a repeat."""


def by_subject(predictions: Predictions) -> BySubject:
    """Average the cells of each subject.

    A subject's score is the mean of its cells' probabilities: of ``calibrated`` (the calibrated
    probability of the positive class) where a binary task has it, else of ``p_<class>``. The answer
    is the class of the highest mean. A subject whose cells are tested by several models counts
    once for each, as scores of different models are not mixed. Rows without a subject stand under
    their group.
    """
    if not predictions.groups_known:
        return BySubject(None, (), np.zeros(0), None, 0, 0)
    images = image_sample(predictions)
    table = predictions.table
    subject = table["subject"].to_numpy(dtype=object)
    unit: Unit = "subject" if np.any(subject != "") else "group"
    who, names = numbered(np.where(subject == "", table["group"], subject).tolist())
    labels = np.zeros((len(names), len(images.classes)), dtype=bool)
    labels[who, images.label] = True
    single = labels.sum(axis=1) == 1
    several = int((~single).sum())
    kept = single[who]
    if not kept.any():
        return BySubject(None, (), np.zeros(0), unit, several, 0)
    entry, place = np.unique(
        np.stack([images.repeat[kept], images.model[kept], who[kept]], axis=1),
        axis=0,
        return_inverse=True,
    )
    place = place.ravel()
    cells = np.bincount(place).astype(np.float64)
    scores = _scores(predictions, images)[kept]
    mean = np.stack([np.bincount(place, weights=column) / cells for column in scores.T], axis=1)
    right = (images.label == images.predicted)[kept].astype(np.float64)
    first = np.flatnonzero(kept)[np.unique(place, return_index=True)[1]]
    per_repeat = np.unique(entry[:, [0, 2]], axis=0, return_counts=True)
    item, used = np.unique(entry[:, 2], return_inverse=True)
    sample = Sample(
        classes=images.classes,
        positive=images.positive,
        label=images.label[first],
        predicted=mean.argmax(axis=1).astype(np.int64),
        probabilities=mean,
        item=used.ravel().astype(np.int64),
        **_regrouped(images, first),
        model=images.model[first],
        repeat=images.repeat[first],
        unit=unit,
        right=np.bincount(place, weights=right) / cells,
    )
    cut = len(np.unique(per_repeat[0][per_repeat[1] > 1, 1]))
    return BySubject(sample, tuple(names[i] for i in item), cells, unit, several, cut)


def _regrouped(images: Sample, entries: Any) -> dict[str, Any]:
    """Groups of the chosen entries, numbered anew so that none is empty."""
    used, group = np.unique(images.group[entries], return_inverse=True)
    return {
        "group": group.ravel().astype(np.int64),
        "groups": tuple(images.groups[number] for number in used),
    }


def _scores(predictions: Predictions, images: Sample) -> Floats:
    """Probabilities of each cell; the calibrated ones of a binary task where all are there."""
    if images.positive is None or "calibrated" not in predictions.table:
        return images.probabilities
    import pandas as pd

    calibrated = pd.to_numeric(predictions.table["calibrated"], errors="coerce").to_numpy(
        dtype=np.float64
    )
    if not np.all((calibrated >= 0) & (calibrated <= 1)):
        return images.probabilities
    scores = np.empty((len(images), 2))
    scores[:, images.positive] = calibrated
    scores[:, 1 - images.positive] = 1 - calibrated
    return scores


def _share_right(at: Weighted) -> Floats:
    sample = at.sample
    if sample.right is None:
        raise ValueError("share_right was asked of images")
    sums = at.total(sample.group_sums(sample.right))
    counts = at.total(sample.group_sums(np.ones(len(sample))))
    return np.asarray(ratio(sums, counts).mean(axis=1))


SUBJECT_METRICS = (
    Metric(
        "share_right",
        "Share of a subject’s cells that is right",
        "The mean over subjects of the share of their cells that is called right.",
        "(1/S) Σ_s (right cells of s / cells of s)",
        "Prellberg & Kramer 2019 report it for C-NMC",
        _share_right,
        "no subjects",
        level="subject",
    ),
)
