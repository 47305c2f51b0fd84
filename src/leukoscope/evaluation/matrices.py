"""All integer confusion matrices of a test set that have the printed figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .printed import SLACK, Figure

__all__ = ["Found", "Reading", "search"]

Reading = Literal["positive", "macro", "weighted"]
Floats = npt.NDArray[np.float64]
BLOCK = 2_000_000
"""Matrices that are tried at once; bounds the memory."""
RANGES = ("accuracy", "sensitivity", "specificity", "precision", "npv", "recall", "f1")


@dataclass(frozen=True)
class Found:
    """The confusion matrices that fit."""

    count: int
    example: tuple[int, int, int, int]
    """TP, FP, TN, FN of one of them."""
    ranges: Mapping[str, tuple[float, float]]
    """Smallest and largest value over all, of the figures that are not printed."""

    def joined(self, other: Found) -> Found:
        """Both together."""
        ranges = {
            metric: (min(low, other.ranges[metric][0]), max(high, other.ranges[metric][1]))
            for metric, (low, high) in self.ranges.items()
        }
        return Found(self.count + other.count, self.example, ranges)


def search(n: int, positives: int, figures: Mapping[str, Figure], reading: Reading) -> Found | None:
    """Try every (TP, TN) of ``positives`` and ``n − positives`` images.

    Parameters
    ----------
    figures
        Metric → what is printed; ``auc`` is tried by its bounds at the matrix's point.
    reading
        How precision, recall and F1 are averaged. Sensitivity, specificity and NPV are always the
        positive class's. A ratio of nothing is 0, as in scikit-learn.

    Returns
    -------
    Found or None
        None where no matrix fits.
    """
    negatives = n - positives
    hits = _range(figures.get("sensitivity"), positives)
    refusals = _range(figures.get("specificity"), negatives)
    if not len(hits) or not len(refusals):
        return None
    right = _range(figures.get("accuracy"), n)
    # With an accuracy only a narrow band of the matrices is left to be tried.
    others = right if "accuracy" in figures else refusals
    found: Found | None = None
    step = max(1, BLOCK // max(1, len(others)))
    for start in range(0, len(hits), step):
        tp, tn = np.meshgrid(hits[start : start + step], others, indexing="ij")
        if "accuracy" in figures:
            tn = tn - tp
            inside = (tn >= refusals[0]) & (tn <= refusals[-1])
            tp, tn = tp[inside], tn[inside]
        one = _fitting(tp.ravel(), tn.ravel(), positives, negatives, figures, reading)
        if one is not None:
            found = one if found is None else found.joined(one)
    return found


def _range(figure: Figure | None, whole: int) -> Floats:
    """The counts of so many images that a figure allows, in order and without gaps."""
    counts = np.arange(whole + 1, dtype=np.float64)
    if figure is None:
        return counts
    share = counts / whole
    return counts[(share >= figure.low - SLACK) & (share <= figure.high + SLACK)]


def _fitting(
    tp: Floats,
    tn: Floats,
    positives: int,
    negatives: int,
    figures: Mapping[str, Figure],
    reading: Reading,
) -> Found | None:
    """Those of some matrices that have all figures."""
    n = positives + negatives
    order = ("precision", "npv", "recall", "f1", "auc")
    for metric in order:
        figure = figures.get(metric)
        if figure is None:
            continue
        if metric == "auc":
            s, t = tp / positives, tn / negatives
            fits = (s * t <= figure.high + SLACK) & (1 - (1 - s) * (1 - t) >= figure.low - SLACK)
        else:
            values = _values(metric, tp, tn, positives, negatives, reading)
            fits = (values >= figure.low - SLACK) & (values <= figure.high + SLACK)
        tp, tn = tp[fits], tn[fits]
    if not len(tp):
        return None
    first = (tp[0], negatives - tn[0], tn[0], positives - tp[0])
    example: Any = tuple(int(value) for value in first)
    ranges = {}
    for metric in RANGES:
        if metric not in figures:
            values = _values(metric, tp, tn, positives, negatives, reading)
            ranges[metric] = (float(values.min()), float(values.max()))
    assert sum(example) == n
    return Found(len(tp), example, ranges)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _values(
    metric: str, tp: Floats, tn: Floats, positives: int, negatives: int, reading: Reading
) -> Floats:
    fp, fn = negatives - tn, positives - tp
    match metric:
        case "accuracy":
            return (tp + tn) / (positives + negatives)
        case "sensitivity":
            return tp / positives
        case "specificity":
            return tn / negatives
        case "npv":
            return _ratio(tn, tn + fn)
        case "precision":
            both = _ratio(tp, tp + fp), _ratio(tn, tn + fn)
        case "recall":
            both = tp / positives, tn / negatives
        case _:
            both = (
                2 * tp / (2 * tp + fp + fn + (tp + fp + fn == 0)),
                _ratio(2 * tn, 2 * tn + fp + fn),
            )
    if reading == "positive":
        return both[0]
    if reading == "macro":
        return np.asarray((both[0] + both[1]) / 2)
    return np.asarray((positives * both[0] + negatives * both[1]) / (positives + negatives))
