"""Metrics of the order of scores: within a model only, never across models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .rankings import SPECIFICITIES
from .sample import Floats
from .weighted import Metric, Weighted

__all__ = ["RANK_METRICS", "SPECIFICITY_METRICS"]

BOTH = "no model was tested on items of both classes"


def _over_classes(at: Weighted, of_class: Callable[[int], Floats]) -> Floats:
    """The positive class's value; with more classes the mean of one against the rest."""
    if at.sample.positive is not None:
        return of_class(at.positive)
    found = np.flatnonzero(at.sample.present.any(axis=0))
    return np.asarray(np.mean([of_class(int(number)) for number in found], axis=0))


def _at_specificity(column: int, specificity: float) -> Metric:
    return Metric(
        f"sensitivity_at_specificity_{specificity:.2f}",
        f"Sensitivity at specificity {specificity:.2f}",
        f"The highest sensitivity of a threshold whose specificity is at least {specificity:.2f}; "
        "the threshold is found on these very items, so it flatters.",
        f"max TPR(t) over thresholds with TNR(t) ≥ {specificity:.2f}; mean over models by size",
        "Pepe 2003, The Statistical Evaluation of Medical Tests, section 4.3.2",
        lambda at: at.sweep(at.positive)[:, column],
        BOTH,
        binary=True,
    )


RANK_METRICS = (
    Metric(
        "auroc",
        "AUROC",
        "How often a positive item scores above a negative one; 0.5 is chance.",
        "P(s⁺ > s⁻) + ½ P(s⁺ = s⁻) within each model; mean over models by size; with more than "
        "two classes the mean of one against the rest",
        "Bamber 1975, J. Math. Psychol. 12:387, equation 4",
        lambda at: _over_classes(at, at.auroc),
        BOTH,
    ),
    Metric(
        "average_precision",
        "Average precision",
        "Precision averaged over the positive items in the order of their scores.",
        "Σ_t (R_t − R_{t−1}) P_t within each model; mean over models by size; with more than two "
        "classes the mean of one against the rest",
        "as in scikit-learn",
        lambda at: _over_classes(at, lambda number: at.sweep(number)[:, 0]),
        BOTH,
    ),
)
SPECIFICITY_METRICS = tuple(
    _at_specificity(column, value) for column, value in enumerate(SPECIFICITIES, start=1)
)
"""Sensitivity at a stated specificity; the names carry it."""
