"""A model's operating point: calibration and threshold, found on validation groups alone.

The probability is calibrated by Platt's scaling (1999, Advances in Large Margin Classifiers). The
threshold is that of the best balanced accuracy of the validation cells, every group of a class
counting the same however many cells it has. Both are then applied unchanged to the test part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..counting import counted
from ..errors import PredictionsError
from .calibration import logit, platt
from .sample import Floats

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["OperatingPoint", "applied", "fit_operating_point"]

Bools = np.ndarray[Any, np.dtype[np.bool_]]
FEWEST_GROUPS = 2
TRUSTED_GROUPS = 5


@dataclass(frozen=True)
class OperatingPoint:
    """What is done with a model's probability of the positive class."""

    intercept: float = 0.0
    slope: float = 1.0
    """Calibrated is σ(intercept + slope · logit p)."""
    threshold: float = 0.5
    """A cell is called positive at or above this calibrated probability."""
    groups: tuple[int, int] = (0, 0)
    """Validation groups of the positive class and of the other."""
    note: str = ""
    """What a reader must know of the fit."""

    def calibrated(self, p: Floats) -> Floats:
        """Calibrated probabilities of the positive class."""
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * logit(p)))))


def fit_operating_point(validation: Predictions) -> OperatingPoint:
    """Find calibration and threshold on the validation rows of one model.

    Where a class has fewer than two groups nothing is fitted: the probability stays as it is and
    the threshold 0.5, and the note says so.

    Raises
    ------
    PredictionsError
        When rows are of another part than validation, or the task is not binary.
    """
    table = validation.table
    parts = sorted(set(table["part"]) - {"validation"})
    if parts or validation.positive is None:
        found = (
            f"rows of part {', '.join(parts)}" if parts else f"{len(validation.classes)} classes"
        )
        raise PredictionsError(
            f"an operating point is fitted on validation rows of two classes, found {found}."
        )
    positive = (table["label"] == validation.positive).to_numpy(dtype=bool)
    group = table["group"].to_numpy().astype(str)
    groups = len(set(group[positive])), len(set(group[~positive]))
    told = (
        f"{counted(groups[0], 'group')} of {validation.positive} and {groups[1]} of the other class"
    )
    if min(groups) < FEWEST_GROUPS:
        note = f"Not fitted: {told} validate; p as it is, threshold 0.5."
        return OperatingPoint(groups=groups, note=note)
    p = validation.probabilities[:, validation.classes.index(validation.positive)]
    intercept, slope = platt(p, positive)
    point = OperatingPoint(groups=groups)
    if slope > 0:  # else a higher probability does not mean more positives; False for NaN too
        point = replace(point, intercept=intercept, slope=slope)
    notes = [] if slope > 0 else ["The probability could not be calibrated."]
    if min(groups) < TRUSTED_GROUPS:
        notes.append(f"Rough: {told} validate.")
    threshold = _best_threshold(point.calibrated(p), positive, _weights(group, positive))
    return replace(point, threshold=threshold, note=" ".join(notes))


def _weights(group: np.ndarray[Any, Any], positive: Bools) -> Floats:
    """Of each cell, so that the groups of a class count the same and each class adds up to 1."""
    weights = np.zeros(len(group))
    for chosen in (positive, ~positive):
        _, place, cells = np.unique(group[chosen], return_inverse=True, return_counts=True)
        weights[chosen] = 1 / (cells[place] * len(cells))
    return weights


def _best_threshold(p: Floats, positive: Bools, weights: Floats) -> float:
    """Midway between the two values that the best cut lies between; of equals that nearest 0.5."""
    order = np.argsort(p, kind="stable")
    values = p[order]
    # Called positive are those from a cut on: sensitivity falls and specificity rises with it.
    gain = np.where(positive[order], -weights[order], weights[order])
    after = 1.0 + np.concatenate([[0.0], np.cumsum(gain)])  # sensitivity + specificity
    edges = np.concatenate([[0.0], values, [1.0]])
    cuts = (edges[:-1] + edges[1:]) / 2
    real = np.concatenate([[True], values[1:] > values[:-1], [True]])
    cuts, after = cuts[real], after[real]
    best = cuts[after >= after.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def applied(point: OperatingPoint, predictions: Predictions) -> Predictions:
    """The rows with calibrated probabilities and the answers of the threshold."""
    assert predictions.positive is not None
    other = next(name for name in predictions.classes if name != predictions.positive)
    p = point.calibrated(
        predictions.probabilities[:, predictions.classes.index(predictions.positive)]
    )
    answers = np.where(p >= point.threshold, predictions.positive, other)
    columns = {f"p_{predictions.positive}": p, f"p_{other}": 1 - p, "predicted": answers}
    return replace(predictions, table=predictions.table.assign(**columns))
