"""Metrics of the confusion matrix: how many of which class were called what."""

from __future__ import annotations

import numpy as np

from .sample import Floats
from .weighted import Metric, Weighted, ratio

__all__ = ["COUNT_METRICS", "class_measure"]

ALTMAN = "Altman & Bland 1994, BMJ 308:1552 and 309:102"
SCIKIT = "as in scikit-learn"


def _mean(by_repeat: Floats) -> Floats:
    """The mean over repeats; NaN where it is not defined in one of them."""
    return np.asarray(by_repeat.mean(axis=1))


def _accuracy(at: Weighted) -> Floats:
    hits = np.trace(at.confusion, axis1=2, axis2=3)
    return _mean(ratio(hits, at.confusion.sum(axis=(2, 3))))


def _recalls(at: Weighted) -> Floats:
    return ratio(np.diagonal(at.confusion, axis1=2, axis2=3), at.confusion.sum(axis=3))


def _balanced_accuracy(at: Weighted) -> Floats:
    found = at.source.confusion.sum(axis=(0, 1, 3)) > 0
    return _mean(_recalls(at)[..., found].mean(axis=-1))


def _sensitivity(at: Weighted) -> Floats:
    hit, missed, _, _ = at.binary()
    return _mean(ratio(hit, hit + missed))


def _specificity(at: Weighted) -> Floats:
    _, _, false, refused = at.binary()
    return _mean(ratio(refused, refused + false))


def _precision(at: Weighted) -> Floats:
    hit, _, false, _ = at.binary()
    return _mean(ratio(hit, hit + false))


def _npv(at: Weighted) -> Floats:
    _, missed, _, refused = at.binary()
    return _mean(ratio(refused, refused + missed))


def _f1(at: Weighted) -> Floats:
    hit, missed, false, _ = at.binary()
    return _mean(ratio(2 * hit, 2 * hit + missed + false))


def class_measure(at: Weighted, *, name: str, number: int) -> Floats:
    """Precision, recall, F1 or specificity of one class against the rest."""
    hit, missed, false, refused = at.against_rest(number)
    if name == "precision":
        return _mean(ratio(hit, hit + false))
    if name == "recall":
        return _mean(ratio(hit, hit + missed))
    if name == "specificity":
        return _mean(ratio(refused, refused + false))
    return _mean(ratio(2 * hit, 2 * hit + missed + false))


def _by_class(at: Weighted, name: str) -> tuple[Floats, Floats]:
    """Precision, recall or F1 by class (0 where it is 0/0), and the classes' weighted support.

    Classes that neither occur nor are predicted are left out.
    """
    counts = at.confusion
    hit = np.diagonal(counts, axis1=2, axis2=3)
    true, called = counts.sum(axis=3), counts.sum(axis=2)
    parts = {"precision": (hit, called), "recall": (hit, true), "f1": (2 * hit, true + called)}
    part, whole = parts[name]
    values = np.nan_to_num(ratio(part, whole))
    everything = at.source.confusion.sum(axis=(0, 1))
    used = (everything.sum(axis=0) + everything.sum(axis=1)) > 0
    return values[..., used], true[..., used]


def _macro(name: str) -> Metric:
    def compute(at: Weighted) -> Floats:
        return _mean(_by_class(at, name)[0].mean(axis=-1))

    title = {"precision": "Precision", "recall": "Recall", "f1": "F1"}[name]
    return Metric(
        f"{name}_macro",
        f"{title}, macro",
        f"The mean of the classes' {title if name == 'f1' else name}, every class alike.",
        f"(1/K) Σ_k {name}_k, a class that is never called counting 0",
        SCIKIT,
        compute,
        "no items",
    )


def _weighted(name: str) -> Metric:
    def compute(at: Weighted) -> Floats:
        values, support = _by_class(at, name)
        return _mean(ratio((values * support).sum(axis=-1), support.sum(axis=-1)))

    title = {"precision": "Precision", "recall": "Recall", "f1": "F1"}[name]
    return Metric(
        f"{name}_weighted",
        f"{title}, weighted",
        f"The mean of the classes' {title if name == 'f1' else name}, weighted by their items.",
        f"Σ_k n_k {name}_k / n, a class that is never called counting 0",
        SCIKIT,
        compute,
        "no items",
    )


def _mcc(at: Weighted) -> Floats:
    counts = at.confusion
    n = counts.sum(axis=(2, 3))
    hits = np.trace(counts, axis1=2, axis2=3)
    true, called = counts.sum(axis=3), counts.sum(axis=2)
    covariance = hits * n - (true * called).sum(axis=-1)
    spread = (n**2 - (true**2).sum(axis=-1)) * (n**2 - (called**2).sum(axis=-1))
    return _mean(ratio(covariance, np.sqrt(np.maximum(spread, 0.0))))


def _kappa(at: Weighted) -> Floats:
    counts = at.confusion
    n = counts.sum(axis=(2, 3))
    hits = np.trace(counts, axis1=2, axis2=3)
    chance = (counts.sum(axis=3) * counts.sum(axis=2)).sum(axis=-1)
    return _mean(ratio(hits * n - chance, n**2 - chance))


COUNT_METRICS = (
    Metric(
        "accuracy", "Accuracy", "Share of items that are called what they are.",
        "Σ_k C_kk / n", SCIKIT, _accuracy, "no items",
    ),
    Metric(
        "balanced_accuracy", "Balanced accuracy",
        "The mean over classes of the share that is called right.",
        "(1/K) Σ_k C_kk / n_k, over classes that occur",
        "Brodersen et al. 2010, ICPR, equation 1", _balanced_accuracy,
        "a class of the task has no items",
    ),
    Metric(
        "sensitivity", "Sensitivity", "Share of the positive items that is called positive.",
        "TP / (TP + FN)", ALTMAN, _sensitivity, "no {positive} items", binary=True, of="positive",
    ),
    Metric(
        "specificity", "Specificity", "Share of the negative items that is called negative.",
        "TN / (TN + FP)", ALTMAN, _specificity, "no {negative} items", binary=True, of="negative",
    ),
    Metric(
        "precision", "Precision", "Share of the items called positive that is positive.",
        "TP / (TP + FP)", ALTMAN, _precision, "nothing was predicted {positive}", binary=True,
    ),
    Metric(
        "npv", "Negative predictive value",
        "Share of the items called negative that is negative.",
        "TN / (TN + FN)", ALTMAN, _npv, "nothing was predicted {negative}", binary=True,
    ),
    Metric(
        "recall", "Recall", "Sensitivity under its other name.",
        "TP / (TP + FN)", SCIKIT, _sensitivity, "no {positive} items", binary=True, of="positive",
    ),
    Metric(
        "f1", "F1", "The harmonic mean of precision and recall of the positive class.",
        "2 TP / (2 TP + FP + FN)", "van Rijsbergen 1979, Information Retrieval, ch. 7", _f1,
        "no {positive} items, and nothing was predicted {positive}", binary=True,
    ),
    *(_macro(name) for name in ("precision", "recall", "f1")),
    *(_weighted(name) for name in ("precision", "recall", "f1")),
    Metric(
        "mcc", "Matthews correlation",
        "The correlation between label and answer; 0 is chance, 1 is perfect.",
        "(n Σ_k C_kk − Σ_k t_k c_k) / √((n² − Σ t_k²)(n² − Σ c_k²)), t true and c called counts",
        "Gorodkin 2004, Comput. Biol. Chem. 28:367, equation 8", _mcc,
        "all items, or all answers, are of one class", bounds=(-1.0, 1.0),
    ),
    Metric(
        "kappa", "Cohen’s kappa",
        "Agreement beyond what the classes' frequencies give by chance.",
        "(n Σ_k C_kk − Σ_k t_k c_k) / (n² − Σ_k t_k c_k)",
        "Cohen 1960, Educ. Psychol. Meas. 20:37", _kappa,
        "all items and all answers are of the same class", bounds=(-1.0, 1.0),
    ),
)  # fmt: skip
"""In the order in which they are shown."""
