"""The decision curve: net benefit over all thresholds, beside calling all or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import PredictionsError
from ..decision import net_benefit
from ..sample import Floats
from .basis import Basis, band, basis_of, measured

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["DecisionCurve", "decision_curve"]


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit at thresholds 0.01 to 0.99; arrays have the shape (99,)."""

    positive: str
    threshold: Floats
    benefit: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    """Net benefit of calling every item positive; calling none is worth 0."""
    prevalence: float
    basis: Basis


def decision_curve(
    predictions: Predictions, *, resamples: int = 1000, seed: int = 0
) -> DecisionCurve:
    """Vickers & Elkin 2006, Med. Decis. Making 26:565.

    Raises
    ------
    PredictionsError
        With more than two classes.
    """
    if predictions.positive is None:
        raise PredictionsError(
            f"decision curve: needs two classes, one of them positive; found "
            f"{', '.join(predictions.classes)}."
        )
    found = measured(predictions, "image", resamples, seed)
    thresholds = np.arange(1, 100) / 100
    values = np.concatenate(
        [
            np.stack([net_benefit(at, threshold) for threshold in thresholds], axis=1)
            for at in found.blocks
        ]
    )
    edges = band(found, values)
    prevalence = float((found.sample.label == found.sample.positive).mean())
    return DecisionCurve(
        positive=predictions.positive,
        threshold=thresholds,
        benefit=edges.value,
        low=edges.low,
        high=edges.high,
        treat_all=prevalence - (1 - prevalence) * thresholds / (1 - thresholds),
        prevalence=prevalence,
        basis=basis_of(found.sample),
    )
