"""Metrics of probabilities: how far they are from what happened."""

from __future__ import annotations

import numpy as np

from .sample import Floats, Integers, Sample
from .weighted import Metric, Weighted, ratio

__all__ = [
    "BINS",
    "PROBABILITY_METRICS",
    "bin_edges",
    "bins_of",
    "expected_ece",
    "top_label",
]

BINS = 15
EXPECTATION_DRAWS = 400
"""Enough that the expectation is known to about a hundredth of its spread."""


def _mean_loss(at: Weighted, losses: Floats) -> Floats:
    sums = at.total(at.sample.group_sums(losses))
    counts = at.total(at.sample.group_sums(np.ones(len(losses))))
    return np.asarray(ratio(sums, counts).mean(axis=1))


def _brier(at: Weighted) -> Floats:
    sample = at.sample
    if sample.positive is not None:
        hit = sample.label == sample.positive
        return _mean_loss(at, (sample.probabilities[:, sample.positive] - hit) ** 2)
    truth = np.eye(len(sample.classes))[sample.label]
    return _mean_loss(at, ((sample.probabilities - truth) ** 2).sum(axis=1))


def _log_loss(at: Weighted) -> Floats:
    sample = at.sample
    p = sample.probabilities[np.arange(len(sample)), sample.label]
    smallest = np.finfo(np.float64).eps
    return _mean_loss(at, -np.log(np.clip(p, smallest, 1 - smallest)))


def top_label(sample: Sample) -> tuple[Floats, Floats]:
    """The highest probability of each entry, and 1 where its class is the right one."""
    top = sample.probabilities.argmax(axis=1)
    return sample.probabilities[np.arange(len(top)), top], (top == sample.label).astype(np.float64)


def bin_edges(confidence: Floats, bins: int = BINS) -> Floats:
    """The inner edges of bins of equal mass: quantiles, so that equal values share a bin."""
    return np.asarray(np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1]))


def bins_of(confidence: Floats, edges: Floats) -> Integers:
    """The bin of each value; a value on an edge belongs to the lower bin."""
    return np.searchsorted(edges, confidence).astype(np.int64)


def _binned(sample: Sample) -> tuple[Floats, Floats, Integers]:
    """Confidence, rightness and bin (made in each repeat by itself)."""
    confidence, right = top_label(sample)
    cell = np.zeros(len(sample), dtype=np.int64)
    for repeat in range(sample.repeats):
        chosen = sample.repeat == repeat
        cell[chosen] = bins_of(confidence[chosen], bin_edges(confidence[chosen]))
    return confidence, right, cell


def _ece(at: Weighted) -> Floats:
    confidence, right, cell = _binned(at.sample)
    gaps = at.total(at.sample.cell_sums(cell, confidence - right, BINS))
    counts = at.total(at.sample.group_sums(np.ones(len(cell))))
    return np.asarray(ratio(np.abs(gaps).sum(axis=-1), counts).mean(axis=1))


def expected_ece(sample: Sample, rng: np.random.Generator, draws: int = EXPECTATION_DRAWS) -> float:
    """What the ECE would be on average if every stated probability were true.

    A finite sample's ECE is above 0 even of a perfect model (Bröcker 2012, Clim. Dyn. 39:655);
    rightness is drawn from the stated confidences, the bins stay as they are.
    """
    confidence, _, cell = _binned(sample)
    place = sample.repeat * BINS + cell
    sums = np.empty(draws)
    for draw in range(draws):
        gap = confidence - (rng.random(len(confidence)) < confidence)
        sums[draw] = np.abs(np.bincount(place, weights=gap)).sum()
    return float(sums.mean() / len(confidence))


PROBABILITY_METRICS = (
    Metric(
        "brier",
        "Brier score",
        "Mean squared distance between probability and what happened; lower is better.",
        "mean (p₊ − y)²; with more than two classes mean Σ_k (p_k − y_k)², from 0 to 2",
        "Brier 1950, Mon. Weather Rev. 78:1",
        _brier,
        "no items",
        bounds=(0.0, 2.0),
        better="low",
    ),
    Metric(
        "log_loss",
        "Log loss",
        "Mean negative logarithm of the probability given to the right class; lower is better.",
        "mean −ln p_label, p clipped to [2.2e-16, 1 − 2.2e-16]",
        "Good 1952, J. R. Stat. Soc. B 14:107; clipped as in scikit-learn",
        _log_loss,
        "no items",
        bounds=(0.0, float("inf")),
        better="low",
    ),
    Metric(
        "ece",
        "Expected calibration error",
        "Mean distance between confidence and share right over 15 bins of equal mass; a perfect "
        "model's is above 0 too, and its expectation stands beside it.",
        "Σ_b abs(Σ_{i in b} (c_i − right_i)) / n, c the highest probability, 15 quantile bins",
        "Naeini et al. 2015, AAAI; bins of equal mass: Nixon et al. 2019, CVPR Workshops",
        _ece,
        "no items",
        better="low",
    ),
)
