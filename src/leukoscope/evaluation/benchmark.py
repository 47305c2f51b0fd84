"""``leukoscope bench evaluation``: all metrics with grouped intervals, beside scikit-learn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..progress import Progress

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["drawn", "run"]

ITEMS, GROUPS, RESAMPLES = 12_000, 118, 2_000
ROUNDS = 5
PEER_RESAMPLES = 100
"""scikit-learn's loop is measured on a part and multiplied: it takes minutes otherwise."""


def drawn(items: int, groups: int, rng: np.random.Generator) -> Predictions:
    """Predictions of clustered scores, two classes, groups of one class."""
    import pandas as pd

    from ..records.predictions import predictions_from_table

    group = rng.integers(0, groups, items)
    positive = group % 2 == 0
    score = np.where(positive, 0.9, -0.9) + 0.7 * rng.standard_normal(groups)[group]
    p = 1 / (1 + np.exp(-(score + rng.standard_normal(items))))
    table = pd.DataFrame(
        {
            "image": [f"cell-{number}.png" for number in range(items)],
            "subject": [f"subject-{number}" for number in group],
            "label": np.where(positive, "blast", "normal"),
            "p_blast": p,
            "p_normal": 1 - p,
        }
    )
    return predictions_from_table(table)


def run(progress: Progress) -> list[dict[str, Any]]:
    """Both sides in turn, medians: the whole ``evaluate``, and AUROC alone against scikit-learn."""
    from . import METRICS, evaluate
    from .measurement import Measured
    from .sample import image_sample

    predictions = drawn(ITEMS, GROUPS, np.random.default_rng(0))
    evaluate(drawn(500, 20, np.random.default_rng(1)))  # what is imported lazily is imported now
    sample = image_sample(predictions)

    def ours() -> None:
        Measured.alone(sample, RESAMPLES, 0).estimate(METRICS["auroc"])

    whole, auroc, peer = [], [], []
    for number in progress.track(range(ROUNDS), "evaluation", ROUNDS):
        whole.append(_seconds(lambda: evaluate(predictions, resamples=RESAMPLES)))
        auroc.append(_seconds(ours))
        seconds = _seconds(partial(_peer, predictions, seed=number))
        peer.append(seconds * RESAMPLES / PEER_RESAMPLES)
    what = f"{ITEMS:,} predictions, {GROUPS} groups, {RESAMPLES:,} resamples"
    return [
        {
            "name": "all metrics with intervals, image and subject",
            "ours": statistics.median(whole),
            "peer": None,
            "ratio": None,
            "unit": "s",
            "target": "≤ 2 s",
            "note": what,
        },
        {
            "name": "AUROC with its interval",
            "ours": statistics.median(auroc),
            "peer": statistics.median(peer),
            "ratio": statistics.median(p / o for p, o in zip(peer, auroc, strict=True)),
            "unit": "s",
            "target": "–",
            "note": f"{what}; the peer: scikit-learn in a loop, {PEER_RESAMPLES} resamples scaled",
        },
    ]


def _peer(predictions: Predictions, seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    table = predictions.table
    group = np.unique(table["group"].to_numpy(dtype=str), return_inverse=True)[1]
    y = (table["label"] == "blast").to_numpy()
    p = table["p_blast"].to_numpy()
    count = group.max() + 1
    for _ in range(PEER_RESAMPLES):
        weights = np.bincount(rng.integers(0, count, count), minlength=count)
        roc_auc_score(y, p, sample_weight=weights[group])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
