"""Curves beside scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from leukoscope.errors import PredictionsError
from leukoscope.evaluation import evaluate
from leukoscope.evaluation.curves import (
    decision_curve,
    histograms,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
    worst_errors,
)

FEW = 100


def truth(predictions):
    y = (predictions.table["label"] == "blast").to_numpy()
    return y, predictions.table["p_blast"].to_numpy()


@pytest.mark.parametrize("digits", [None, 1])
def test_roc_is_the_highest_sensitivity_at_each_specificity(make, digits):
    predictions = make(digits=digits)
    (curve,) = roc(predictions, resamples=FEW)
    alarms, hits, _ = roc_curve(*truth(predictions), drop_intermediate=False)
    expected = [hits[alarms <= x + 1e-9].max() for x in curve.x]
    np.testing.assert_allclose(curve.y, expected, atol=1e-12)
    assert (curve.low <= curve.y).all()
    assert (curve.y <= curve.high).all()
    assert curve.name == "blast"
    area = evaluate(predictions, resamples=FEW)["levels"]["image"]["auroc"]
    assert curve.area.value == area["value"]


@pytest.mark.parametrize("digits", [None, 1])
def test_precision_where_a_recall_is_first_reached(make, digits):
    predictions = make(digits=digits)
    (curve,) = precision_recall(predictions, resamples=FEW)
    precision, recall, _ = precision_recall_curve(*truth(predictions))
    precision, recall = precision[:-1][::-1], recall[:-1][::-1]
    some = recall > 0
    precision, recall = precision[some], recall[some]
    expected = [precision[np.argmax(recall >= x - 1e-9)] for x in curve.x]
    np.testing.assert_allclose(curve.y, expected, atol=1e-12)
    assert curve.prevalence == pytest.approx(0.5)


def test_over_folds_the_curve_is_the_mean_of_the_models(make):
    predictions = make(items=400, folds=2)
    (curve,) = roc(predictions, resamples=FEW)
    parts = []
    for fold in (0, 1):
        one = predictions.table[predictions.table["fold"] == fold].reset_index(drop=True)
        (part,) = roc(replace(predictions, table=one), resamples=FEW)
        parts.append((part.y, len(one)))
    expected = np.average([y for y, _ in parts], axis=0, weights=[n for _, n in parts])
    np.testing.assert_allclose(curve.y, expected, atol=1e-12)
    assert curve.basis.models == 2


def test_several_classes_have_a_curve_each(make):
    curves = roc(make(classes=("a", "b", "c"), groups=30), resamples=FEW)
    assert [curve.name for curve in curves] == ["a", "b", "c"]


def test_by_subject(make):
    (curve,) = roc(make(items=400, groups=40, shift=0.2), level="subject", resamples=FEW)
    assert (curve.basis.n, curve.basis.unit) == (40, "subject")
    with pytest.raises(PredictionsError, match="no curve by subject"):
        roc(replace(make(), groups_known=False), level="subject")


def test_reliability_has_the_peers_bins(make):
    predictions = make(items=800)
    found = reliability(predictions, resamples=FEW)
    share, mean = calibration_curve(*truth(predictions), n_bins=10, strategy="quantile")
    np.testing.assert_allclose(found.observed, share, atol=1e-12)
    np.testing.assert_allclose(found.predicted, mean, atol=1e-12)
    assert found.counts.sum() == found.histogram.sum() == 800
    several = reliability(make(classes=("a", "b", "c"), groups=30), resamples=FEW)
    assert several.of == ""
    assert several.slope is None


def test_decision_curve_passes_through_the_net_benefits(make):
    predictions = make()
    curve = decision_curve(predictions, resamples=FEW)
    image = evaluate(predictions, resamples=FEW)["levels"]["image"]
    for threshold in (0.10, 0.20, 0.30, 0.50):
        at = int(np.flatnonzero(np.isclose(curve.threshold, threshold))[0])
        assert curve.benefit[at] == pytest.approx(image[f"net_benefit_{threshold:.2f}"]["value"])
    assert curve.treat_all[49] == pytest.approx(2 * curve.prevalence - 1)
    with pytest.raises(PredictionsError, match="needs two classes"):
        decision_curve(make(classes=("a", "b", "c")))


def test_risk_at_full_coverage_is_the_error_rate(make):
    predictions = make(items=400)
    curve = risk_coverage(predictions, resamples=FEW)
    frame = predictions.table
    wrong = (frame["label"] != frame["predicted"]).to_numpy()
    assert curve.risk[-1] == pytest.approx(wrong.mean())
    sure = predictions.probabilities.max(axis=1)
    half = np.argsort(-sure)[:200]
    at = int(np.flatnonzero(np.isclose(curve.coverage, 0.5))[0])
    assert curve.risk[at] == pytest.approx(wrong[half].mean())
    assert curve.area.value == pytest.approx(curve.risk.mean())


def test_equally_sure_answers_share_their_errors(make):
    predictions = make(items=200, digits=0)
    shuffled = predictions.table.sample(frac=1, random_state=0).reset_index(drop=True)
    first = risk_coverage(predictions, resamples=FEW).risk
    second = risk_coverage(replace(predictions, table=shuffled), resamples=FEW).risk
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_histograms_count_everything(make):
    found = histograms(make(items=300), bins=20)
    assert sum(counts.sum() for counts in found.counts.values()) == 300
    assert set(found.counts) == {"blast", "normal"}
    several = histograms(make(classes=("a", "b", "c"), groups=30))
    assert set(several.counts) == {"right", "wrong"}


def test_worst_errors_are_the_surest_and_of_many_groups(make):
    predictions = make(items=400, groups=20, repeats=2)
    cases = worst_errors(predictions, count=15)
    p = [case.probability for case in cases]
    assert p == sorted(p, reverse=True)
    assert all(case.label != case.predicted for case in cases)
    assert len({case.row for case in cases}) == len(cases)
    names = [case.group for case in cases]
    assert max(names.count(name) for name in names) <= 2
    frame = predictions.table
    wrong = frame[frame["label"] != frame["predicted"]]
    assert p[0] == wrong[["p_blast", "p_normal"]].max(axis=1).max()
