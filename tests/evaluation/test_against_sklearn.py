"""Every metric beside scikit-learn's, on the sample itself and under a resample's weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as peer
from sklearn.linear_model import LogisticRegression

from leukoscope.evaluation import METRICS
from leukoscope.evaluation.sample import Sample, image_sample
from leukoscope.evaluation.weighted import Source, Weighted

EXACT = 1e-12
"""Sums of a few hundred doubles, in another order."""
BINARY = {
    "plain": {},
    "ties": {"digits": 1},
    "extreme": {"extreme": True},
    "unequal": {"items": 290, "groups": 29, "shift": 2.0},
    "mixed groups": {"mixed": True, "groups": 7},
}
SEVERAL = {
    "three": {"classes": ("a", "b", "c")},
    "ties": {"classes": ("a", "b", "c", "d"), "digits": 1},
    "extreme": {"classes": ("a", "b", "c"), "extreme": True},
}


def weighted_arrays(sample: Sample, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    w = weights[sample.group]
    return sample.label, sample.predicted, sample.probabilities, w


def average(name: str, measure: Callable[..., float]) -> Callable[..., float]:
    def compute(y, said, p, w, used):
        return measure(y, said, labels=used, average=name, sample_weight=w, zero_division=0)

    return compute


def at_specificity(target: float) -> Callable[..., float]:
    def compute(y, p, w):
        alarms, hits, _ = peer.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
        return hits[alarms <= (1 - target) * (1 + 1e-9)].max()

    return compute


def net_benefit(threshold: float) -> Callable[..., float]:
    def compute(y, p, w):
        called = p >= threshold
        _, false, _, hit = peer.confusion_matrix(y, called, sample_weight=w).ravel()
        return (hit - false * threshold / (1 - threshold)) / w.sum()

    return compute


def recall_of(positive: int) -> Callable[..., float]:
    return lambda y, said, w: peer.recall_score(y, said, pos_label=positive, sample_weight=w)


def calibration(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    x = np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))
    # C is the inverse of the penalty: this large it has none.
    model = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000)
    return float(model.fit(x[:, None], y, sample_weight=w).coef_[0, 0])


DECIDED = {
    "accuracy": lambda y, said, w: peer.accuracy_score(y, said, sample_weight=w),
    "balanced_accuracy": lambda y, said, w: peer.balanced_accuracy_score(y, said, sample_weight=w),
    "mcc": lambda y, said, w: peer.matthews_corrcoef(y, said, sample_weight=w),
    "kappa": lambda y, said, w: peer.cohen_kappa_score(y, said, sample_weight=w),
}
DECIDED_BINARY = {
    "sensitivity": recall_of(1),
    "recall": recall_of(1),
    "specificity": recall_of(0),
    "precision": lambda y, said, w: peer.precision_score(y, said, sample_weight=w),
    "npv": lambda y, said, w: peer.precision_score(y, said, pos_label=0, sample_weight=w),
    "f1": lambda y, said, w: peer.f1_score(y, said, sample_weight=w),
}
AVERAGED = {
    f"{name}_{kind}": average(kind, measure)
    for name, measure in (
        ("precision", peer.precision_score),
        ("recall", peer.recall_score),
        ("f1", peer.f1_score),
    )
    for kind in ("macro", "weighted")
}
SCORED = {
    "auroc": lambda y, p, w: peer.roc_auc_score(y, p, sample_weight=w),
    "average_precision": lambda y, p, w: peer.average_precision_score(y, p, sample_weight=w),
    "brier": lambda y, p, w: peer.brier_score_loss(y, p, sample_weight=w),
    "log_loss": lambda y, p, w: peer.log_loss(y, p, sample_weight=w),
    "sensitivity_at_specificity_0.90": at_specificity(0.90),
    "sensitivity_at_specificity_0.95": at_specificity(0.95),
    **{f"net_benefit_{t:.2f}": net_benefit(t) for t in (0.10, 0.20, 0.30, 0.50)},
}


def ours(sample: Sample, name: str, weights: np.ndarray) -> np.ndarray:
    return METRICS[name].compute(Weighted(Source(sample), weights))


def draws(sample: Sample, seed: int = 1) -> np.ndarray:
    """The sample itself, two bootstrap resamples, and one with weights that are no integers."""
    rng = np.random.default_rng(seed)
    count = len(sample.groups)
    rows = [np.ones(count)]
    for _ in range(2):
        rows.append(np.bincount(rng.integers(0, count, count), minlength=count).astype(float))
    rows.append(rng.uniform(0.5, 2.0, count))
    return np.array(rows)


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("name", [*DECIDED, *DECIDED_BINARY, *SCORED])
def test_binary(make, kind, name):
    sample = image_sample(make(**BINARY[kind]))
    weights = draws(sample)
    values = ours(sample, name, weights)
    y = (sample.label == sample.positive).astype(int)
    said = (sample.predicted == sample.positive).astype(int)
    p = sample.probabilities[:, sample.positive]
    for row, value in zip(weights, values, strict=True):
        w = row[sample.group]
        decided = {**DECIDED, **DECIDED_BINARY}
        expected = decided[name](y, said, w) if name in decided else SCORED[name](y, p, w)
        assert value == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("name", AVERAGED)
def test_averages_of_two_classes(make, kind, name):
    sample = image_sample(make(**BINARY[kind]))
    weights = draws(sample)
    for row, value in zip(weights, ours(sample, name, weights), strict=True):
        y, said, p, w = weighted_arrays(sample, row)
        assert value == pytest.approx(AVERAGED[name](y, said, p, w, [0, 1]), abs=EXACT)


@pytest.mark.parametrize("kind", SEVERAL)
@pytest.mark.parametrize(
    "name", [*DECIDED, *AVERAGED, "auroc", "average_precision", "brier", "log_loss"]
)
def test_several_classes(make, kind, name):
    sample = image_sample(make(**SEVERAL[kind]))
    weights = draws(sample)
    every = list(range(len(sample.classes)))
    for row, value in zip(weights, ours(sample, name, weights), strict=True):
        y, said, p, w = weighted_arrays(sample, row)
        if name in DECIDED:
            expected = DECIDED[name](y, said, w)
        elif name in AVERAGED:
            expected = AVERAGED[name](y, said, p, w, every)
        elif name == "auroc":
            expected = peer.roc_auc_score(
                np.eye(len(every))[y], p, average="macro", sample_weight=w
            )
        elif name == "average_precision":
            expected = peer.average_precision_score(
                np.eye(len(every))[y], p, average="macro", sample_weight=w
            )
        elif name == "brier":
            expected = np.average(((p - np.eye(len(every))[y]) ** 2).sum(axis=1), weights=w)
        else:
            expected = peer.log_loss(y, p, sample_weight=w, labels=every)
        assert value == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("kind", BINARY)
def test_calibration_slope(make, kind):
    sample = image_sample(make(**BINARY[kind]))
    weights = draws(sample)
    y = (sample.label == sample.positive).astype(int)
    p = sample.probabilities[:, sample.positive]
    values = ours(sample, "calibration_slope", weights)
    for number, (row, value) in enumerate(zip(weights, values, strict=True)):
        # The sample's own slope is exact up to the peer's convergence; resamples are fitted on a
        # histogram of 256 levels.
        tolerance = 1e-4 if number == 0 else 2e-3
        assert value == pytest.approx(calibration(y, p, row[sample.group]), abs=tolerance)


def test_calibration_intercept_makes_the_mean_right(make):
    """By its definition: shifting all logits by it, probabilities are right on the whole."""
    sample = image_sample(make(items=400))
    value = ours(sample, "calibration_intercept", np.ones((1, len(sample.groups))))[0]
    p = np.clip(sample.probabilities[:, sample.positive], 1e-6, 1 - 1e-6)
    shifted = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + value)))
    assert shifted.mean() == pytest.approx((sample.label == sample.positive).mean(), abs=1e-9)


@pytest.mark.parametrize("settings", [{}, {"digits": 1}, {"classes": ("a", "b", "c")}])
def test_ece_from_the_peers_bins(make, settings):
    from sklearn.calibration import calibration_curve

    sample = image_sample(make(items=900, **settings))
    confidence = sample.probabilities.max(axis=1)
    right = sample.probabilities.argmax(axis=1) == sample.label
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        share, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    edges = np.quantile(confidence, np.linspace(0, 1, 16)[1:-1])
    counts = np.bincount(np.searchsorted(edges, confidence), minlength=15)
    counts = counts[counts > 0]
    expected = (np.abs(share - mean) * counts).sum() / counts.sum()
    value = ours(sample, "ece", np.ones((1, len(sample.groups))))[0]
    assert value == pytest.approx(expected, abs=1e-12)


def test_many_groups_take_the_other_way(make, monkeypatch):
    """Above 512 groups the weights are laid out along the order: the values are the same."""
    from leukoscope.evaluation import rankings

    sample = image_sample(make(items=300, groups=150, digits=2))
    weights = draws(sample)
    names = ("auroc", "average_precision", "sensitivity_at_specificity_0.90")
    tabled = [ours(sample, name, weights) for name in names]
    monkeypatch.setattr(rankings, "DENSE_GROUPS", 10)
    for name, expected in zip(names, tabled, strict=True):
        np.testing.assert_allclose(ours(sample, name, weights), expected, atol=1e-12)


def test_a_resample_is_its_rows_repeated(make):
    """Weights are nothing but repetition: the same values from rows written out."""
    sample = image_sample(make())
    weights = draws(sample)[1]
    rows = np.repeat(np.arange(len(sample)), weights[sample.group].astype(int))
    y = (sample.label == sample.positive)[rows]
    p = sample.probabilities[rows, sample.positive]
    value = ours(sample, "auroc", weights[None])[0]
    assert value == pytest.approx(peer.roc_auc_score(y, p), abs=EXACT)
