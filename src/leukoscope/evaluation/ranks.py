"""Metrics of the order of scores: within a model only, never across models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .rankings import Ranking, auroc, average_precision, sensitivity_at_specificity
from .sample import Floats
from .weighted import Metric, Weighted

__all__ = ["RANK_METRICS"]

BOTH = "no model was tested on items of both classes"


def _over_classes(measure: Callable[[Ranking, Floats], Floats]) -> Callable[[Weighted], Floats]:
    """The positive class's value; with more classes the mean of one against the rest."""

    def compute(at: Weighted) -> Floats:
        if at.sample.positive is not None:
            return at.within_models(at.positive, measure)
        found = np.flatnonzero(at.sample.present.any(axis=0))
        values = [at.within_models(int(number), measure) for number in found]
        return np.asarray(np.mean(values, axis=0))

    return compute


def _at_specificity(specificity: float) -> Metric:
    measure = partial(sensitivity_at_specificity, specificity=specificity)
    return Metric(
        f"sensitivity_at_specificity_{specificity:.2f}",
        f"Sensitivity at specificity {specificity:.2f}",
        f"The highest sensitivity of a threshold whose specificity is at least {specificity:.2f}; "
        "the threshold is found on these very items, so it flatters.",
        f"max TPR(t) over thresholds with TNR(t) ≥ {specificity:.2f}; mean over models by size",
        "Pepe 2003, The Statistical Evaluation of Medical Tests, section 4.3.2",
        lambda at: at.within_models(at.positive, measure),
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
        _over_classes(auroc),
        BOTH,
    ),
    Metric(
        "average_precision",
        "Average precision",
        "Precision averaged over the positive items in the order of their scores.",
        "Σ_t (R_t − R_{t−1}) P_t within each model; mean over models by size; with more than two "
        "classes the mean of one against the rest",
        "as in scikit-learn",
        _over_classes(average_precision),
        BOTH,
    ),
)
SPECIFICITY_METRICS = tuple(_at_specificity(value) for value in (0.90, 0.95))
"""Sensitivity at a stated specificity; the names carry it."""
