"""Sets are fitted on validation groups only, each group counting the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from leukoscope.errors import FuzzyError
from leukoscope.evaluation.calibration import logit
from leukoscope.models.fuzzy import read_system
from leukoscope.models.fuzzy.deciding import against_band, decide, panels, surface
from leukoscope.models.fuzzy.fitting import calibrated, fit, quantile
from leukoscope.records.predictions import predictions_from_table
from leukoscope.smear.measurements import MEASUREMENTS


def drawn(cells=600, groups=30, folds=1, seed=0, useful=True):
    """Predictions of a run and the measurements of its cells.

    The nucleus-to-cell ratio tells something that the probability does not know, or nothing.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(cells) % groups
    blast = group % 2 == 0
    ratio = np.clip(0.5 + 0.3 * (blast & useful) + 0.06 * rng.normal(size=cells), 0, 1)
    score = rng.normal(size=cells) + np.where(blast, 1.2, -1.2)
    p = 1 / (1 + np.exp(-2 * score))
    part = np.where(group < groups // 2, "validation", "test")
    table = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(cells)],
            "group": [f"g{n}" for n in group],
            "part": part,
            "fold": group // 2 % folds,
            "label": np.where(blast, "blast", "normal"),
            "p_blast": p,
            "p_normal": 1 - p,
        }
    )
    measured = pd.DataFrame({name: rng.random(cells) for name in MEASUREMENTS})
    measured["row"], measured["flags"] = table["image"], ""
    measured["nucleus_cell_ratio"] = ratio
    measured["chromatin_entropy_bits"] = 4 + rng.normal(size=cells)
    return predictions_from_table(table), measured


def values_of(system, predictions, measured):
    rows = measured.set_index("row").loc[predictions.table["row"]]
    return {one.name: rows[one.name].to_numpy() for one in system.inputs[1:]}


def test_sets_lie_where_the_classes_are():
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


def test_the_probability_is_calibrated_as_platt_does():
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


def test_only_validation_rows_are_fitted_on():
    predictions, measured = drawn()
    system = read_system("three")
    with pytest.raises(FuzzyError, match=r"validation rows only, found rows of part test"):
        fit(system, predictions, values_of(system, predictions, measured))


def test_the_test_part_changes_nothing_of_the_fit():
    predictions, measured = drawn(folds=2)
    changed = predictions.table.copy()
    test = (changed["part"] == "test").to_numpy()
    changed.loc[test, ["p_blast", "p_normal"]] = changed.loc[
        test, ["p_normal", "p_blast"]
    ].to_numpy()
    moved = measured.copy()
    moved.loc[test, "nucleus_cell_ratio"] = 0.1
    one = decide(read_system("three"), predictions, measured)
    other = decide(read_system("three"), predictions_from_table(changed), moved)
    assert one.systems == other.systems
    assert sorted(one.systems) == [(0, 0), (0, 1)]
    assert one.systems[0, 0] != one.systems[0, 1]
    assert not one.table["verdict"].equals(other.table["verdict"])


def test_what_is_odd_in_a_fit_is_said():
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


def test_verdicts_have_reasons_and_are_predictions_still():
    predictions, measured = drawn()
    measured.loc[measured["row"] == "599.png", "nucleus_cell_ratio"] = np.nan
    decision = decide(read_system("three"), predictions, measured)
    table = predictions_from_table(decision.table).table
    assert set(table["verdict"]) == {"normal", "refer", "blast"}
    assert table["reason"].ne("").all()
    last = table[table["row"] == "599.png"].iloc[0]
    assert (last["verdict"], last["reason"]) == ("refer", "not known: nucleus-to-cell ratio")
    blasts = table[table["verdict"] == "blast"]
    assert (blasts["label"] == "blast").mean() > 0.9
    assert set(table["part"]) == {"test"}


def test_a_useful_measurement_wins_and_the_comparison_says_so():
    predictions, measured = drawn(cells=3000, groups=60)
    decision = decide(read_system("three"), predictions, measured)
    found = against_band(decision, "blast", resamples=400)
    assert found.a.referred == found.b.referred > 0
    assert found.difference.high < 0
    assert "the fuzzy system wins" in found.sentence("the fuzzy system", "the band")


def test_systems_become_curves_and_surfaces():
    system = read_system("five")
    assert [one.name for one in panels(system)][-1] == "score"
    shown = surface(system, "nucleus_cell_ratio", "probability")
    assert shown.score.shape == (61, 61)
    assert np.nanmax(shown.score) > system.output.cuts[1]
    assert shown.held["chromatin entropy (bits)"] == 5
    with pytest.raises(FuzzyError, match="twice"):
        surface(system, "probability", "probability")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, m: (p, m.drop(columns="nucleus_cell_ratio")), "is not measured. Measured: cell"),
        (lambda p, m: (p, m.iloc[:500]), "45 rows are not measured, the first: 510.png"),
        (lambda p, m: (p.part("test"), m), "no validation rows in fold 0"),
        (lambda p, m: (p.part("validation"), m), "no row of the test part"),
    ],
)
def test_what_cannot_be_decided_says_why(change, message):
    predictions, measured = change(*drawn())
    with pytest.raises(FuzzyError, match=message):
        decide(read_system("three"), predictions, measured)
