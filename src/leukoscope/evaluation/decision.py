"""Net benefit: what calling positive above a threshold is worth, harms counted against it."""

from __future__ import annotations

import numpy as np

from .sample import Floats
from .weighted import Metric, Weighted, ratio

__all__ = ["DECISION_METRICS", "THRESHOLDS", "net_benefit"]

THRESHOLDS = (0.10, 0.20, 0.30, 0.50)


def net_benefit(at: Weighted, threshold: float) -> Floats:
    """Net benefit of calling positive at ``p₊ ≥ threshold``, shape (weightings,)."""
    sample = at.sample
    called = sample.probabilities[:, at.positive] >= threshold
    positive = sample.label == at.positive
    worth = called * np.where(positive, 1.0, -threshold / (1 - threshold))
    counts = at.total(sample.group_sums(np.ones(len(worth))))
    return np.asarray(ratio(at.total(sample.group_sums(worth)), counts).mean(axis=1))


def _metric(threshold: float) -> Metric:
    return Metric(
        f"net_benefit_{threshold:.2f}",
        f"Net benefit at {threshold:.2f}",
        "True positives less false positives, weighed by the odds of the threshold "
        f"{threshold:.2f}, an item.",
        f"TP/n − FP/n · t/(1 − t), t = {threshold:.2f}, positive where p₊ ≥ t",
        "Vickers & Elkin 2006, Med. Decis. Making 26:565",
        lambda at: net_benefit(at, threshold),
        "no items",
        bounds=(float("-inf"), 1.0),
        binary=True,
    )


DECISION_METRICS = tuple(_metric(threshold) for threshold in THRESHOLDS)
