"""Sets are fitted on validation groups only, each group counting the same."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from leukoscope.errors import FuzzyError
from leukoscope.evaluation.calibration import logit
from leukoscope.models.fuzzy import read_system
from leukoscope.models.fuzzy.fitting import calibrated, fit, quantile


def values_of(system, predictions, measured):
    rows = measured.set_index("row").loc[predictions.table["row"]]
    return {one.name: rows[one.name].to_numpy() for one in system.inputs[1:]}


def test_sets_lie_where_the_classes_are(drawn):
    predictions, measured = drawn()
    validation = predictions.part("validation")
    system = read_system("three")
    values = values_of(system, validation, measured)
    fitted = fit(system, validation, values).system
    x, blast = values["nucleus_cell_ratio"], (validation.table["label"] == "blast").to_numpy()
    sets = fitted.input("nucleus_cell_ratio").sets
    # Groups are of equal size here, so that weighted quantiles are nearly numpy's.
    assert sets["low"].points[2] == pytest.approx(np.median(x[~blast]), abs=0.01)
    assert sets["high"].points[1] == pytest.approx(np.median(x[blast]), abs=0.01)
    ends = np.quantile(x[~blast], 0.9), np.quantile(x[blast], 0.1)
    assert sets["middle"].points[1] == pytest.approx(np.mean(ends), abs=0.02)
    grid = np.linspace(0, 1, 101)
    np.testing.assert_allclose(sum(one(grid) for one in sets.values()), 1, atol=1e-12)
    assert fitted.fitted_on == f"{len(validation)} validation cells of 15 groups"
    assert system.fitted_on == ""


def test_the_probability_is_calibrated_as_platt_does(drawn):
    predictions, measured = drawn()
    validation = predictions.part("validation")
    system = read_system("three")
    fitted = fit(system, validation, values_of(system, validation, measured)).system
    p = validation.probabilities[:, 0]
    blast = (validation.table["label"] == "blast").to_numpy()
    # Platt's targets as weights of both classes for each cell.
    n1, n0 = blast.sum(), (~blast).sum()
    target = np.where(blast, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.tile(logit(p), 2)[:, None],
        np.repeat([1, 0], len(p)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    assert fitted.calibration.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert fitted.calibration.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    expected = theirs.predict_proba(logit(p)[:, None])[:, 1]
    np.testing.assert_allclose(calibrated(fitted.calibration, p), expected, atol=1e-5)


def test_a_large_group_counts_once():
    values = np.array([0.0] * 90 + [1.0, 2.0, 3.0])
    weight = np.array([1 / 90] * 90 + [1.0, 1.0, 1.0])
    assert quantile(values, weight, 0.5) == pytest.approx(1.5)


def test_only_validation_rows_are_fitted_on(drawn):
    predictions, measured = drawn()
    system = read_system("three")
    with pytest.raises(FuzzyError, match=r"validation rows only, found rows of part test"):
        fit(system, predictions, values_of(system, predictions, measured))


def test_what_is_odd_in_a_fit_is_said(drawn):
    predictions, measured = drawn(groups=8)
    measured["nucleus_cell_ratio"] = 1 - measured["nucleus_cell_ratio"]
    validation = predictions.part("validation")
    system = read_system("three")
    fitted = fit(system, validation, values_of(system, validation, measured))
    assert any("2 and 2 validation groups" in note for note in fitted.notes)
    assert any("blasts have the lower nucleus-to-cell ratio" in note for note in fitted.notes)
    measured["nucleus_cell_ratio"] = 0.5
    fitted = fit(system, validation, values_of(system, validation, measured))
    assert any("ratio does not tell the classes apart" in note for note in fitted.notes)
    few, measured = drawn(groups=4, cells=40)
    with pytest.raises(FuzzyError, match="at least 2 of each are needed"):
        fit(system, few.part("validation"), values_of(system, few.part("validation"), measured))
