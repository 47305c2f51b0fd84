"""ROC and precision-recall curves with bands; over folds the mean curve of the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..measurement import Estimate, Measured
from ..rankings import SLACK, Ranking
from ..sample import Floats
from ..weighted import Metric
from .basis import Basis, Level, band, basis_of, measured

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["Curve", "precision_recall", "roc"]

POINTS = 201


@dataclass(frozen=True)
class Curve:
    """One class against the rest; arrays have the shape (points,)."""

    name: str
    """The class."""
    x: Floats
    """1 − specificity, or recall."""
    y: Floats
    """Sensitivity, or precision."""
    low: Floats
    high: Floats
    area: Estimate
    """AUROC, or average precision."""
    prevalence: float
    """Share of the class among the items."""
    basis: Basis


def roc(
    predictions: Predictions, *, level: Level = "image", resamples: int = 1000, seed: int = 0
) -> tuple[Curve, ...]:
    """The highest sensitivity at each specificity: of the positive class, or of every class.

    Over several models the curves are averaged vertically (Fawcett 2006, Pattern Recognit. Lett.
    27:861, section 8.2), weighted by the models' items.
    """
    return _curves(predictions, level, resamples, seed, "auroc", _sensitivities)


def precision_recall(
    predictions: Predictions, *, level: Level = "image", resamples: int = 1000, seed: int = 0
) -> tuple[Curve, ...]:
    """The precision where each recall is first reached, not interpolated."""
    return _curves(predictions, level, resamples, seed, "average_precision", _precisions)


def _curves(
    predictions: Predictions,
    level: Level,
    resamples: int,
    seed: int,
    area: str,
    measure: Callable[[Ranking, Floats], Floats],
) -> tuple[Curve, ...]:
    from .. import METRICS

    found = measured(predictions, level, resamples, seed)
    sample = found.sample
    numbers = range(len(sample.classes)) if sample.positive is None else [sample.positive]
    curves = []
    for number in numbers:
        values = np.concatenate([block.over_rankings(number, measure) for block in found.blocks])
        if not np.isfinite(values[0]).any():
            continue
        edges = band(found, values)
        curves.append(
            Curve(
                name=sample.classes[number],
                x=_grid(),
                y=edges.value,
                low=edges.low,
                high=edges.high,
                area=_area(found, METRICS[area], number),
                prevalence=float((sample.label == number).mean()),
                basis=basis_of(sample),
            )
        )
    return tuple(curves)


def _grid() -> Floats:
    return np.linspace(0.0, 1.0, POINTS)


def _area(found: Measured, metric: Metric, number: int) -> Estimate:
    from dataclasses import replace

    def compute(at):  # type: ignore[no-untyped-def]
        return at.auroc(number) if metric.name == "auroc" else at.sweep(number)[:, 0]

    return found.estimate(replace(metric, compute=compute))


def _sensitivities(ranking: Ranking, weights: Floats) -> Floats:
    positives, negatives = weights @ ranking.positives, weights @ ranking.negatives
    values = np.full((len(weights), POINTS), np.nan)
    grid = _grid() * (1 + SLACK)
    for block, at in ranking.counts(weights):
        for row, (hits, alarms) in enumerate(zip(at.positives, at.negatives, strict=True)):
            place = row + block.start
            if positives[place] > 0 and negatives[place] > 0:
                reached = np.searchsorted(alarms, grid * negatives[place], side="right")
                values[place] = np.append(0.0, hits)[reached] / positives[place]
    return values


def _precisions(ranking: Ranking, weights: Floats) -> Floats:
    positives, negatives = weights @ ranking.positives, weights @ ranking.negatives
    values = np.full((len(weights), POINTS), np.nan)
    grid = _grid() * (1 - SLACK)
    for block, at in ranking.counts(weights):
        for row, (hits, alarms) in enumerate(zip(at.positives, at.negatives, strict=True)):
            place = row + block.start
            if positives[place] > 0 and negatives[place] > 0:
                needed = np.maximum(grid * positives[place], hits[hits > 0][0])
                reached = np.searchsorted(hits, needed)
                values[place] = hits[reached] / (hits + alarms)[reached]
    return values
