"""Calibration and threshold from validation groups: Platt's scaling, the best balanced accuracy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import _sigmoid_calibration
from sklearn.metrics import roc_curve

from leukoscope.errors import PredictionsError
from leukoscope.evaluation.calibration import logit, platt
from leukoscope.evaluation.operating import applied, fit_operating_point
from leukoscope.records.predictions import Predictions, predictions_from_table


def cells(
    p: np.ndarray, positive: np.ndarray, group: np.ndarray, part: str = "validation"
) -> Predictions:
    table = pd.DataFrame(
        {
            "image": [f"{part}-{number}.png" for number in range(len(p))],
            "label": np.where(positive, "blast", "normal"),
            "group": [f"g{number}" for number in group],
            "part": part,
            "p_blast": p.astype(str),
            "p_normal": (1 - p).astype(str),
        }
    )
    return predictions_from_table(table, positive="blast")


def drawn(seed: int, groups: int = 12, part: str = "validation") -> Predictions:
    """Groups of 1 to 40 cells, of one class each, with probabilities that are too high."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 41, groups)
    group = np.repeat(np.arange(groups), sizes)
    positive = group % 2 == 0
    x = rng.normal(0.7 + 1.5 * positive, 1.2)
    return cells(1 / (1 + np.exp(-x)), positive, group, part)


@pytest.mark.parametrize("seed", range(4))
def test_calibration_is_platts_as_scikit_learn_has_it(seed: int) -> None:
    some = drawn(seed)
    p = some.table["p_blast"].to_numpy()
    positive = (some.table["label"] == "blast").to_numpy()
    a, b = _sigmoid_calibration(logit(p), positive.astype(float))
    # Its sigmoid is 1 / (1 + exp(a x + b)); it stops earlier than Newton's method does.
    assert platt(p, positive) == pytest.approx((-b, -a), abs=1e-3)
    point = fit_operating_point(some)
    assert (point.intercept, point.slope) == platt(p, positive)


@pytest.mark.parametrize("seed", range(6))
def test_the_threshold_has_the_best_balanced_accuracy_over_groups(seed: int) -> None:
    some = drawn(seed)
    point = fit_operating_point(some)
    table = some.table
    positive = (table["label"] == "blast").to_numpy()
    weight = 1 / table.groupby("group")["group"].transform("size").to_numpy()
    p = point.calibrated(table["p_blast"].to_numpy())
    false, true, _ = roc_curve(positive, p, sample_weight=weight, drop_intermediate=False)
    answers = p >= point.threshold
    sensitivity = np.average(answers[positive], weights=weight[positive])
    specificity = np.average(~answers[~positive], weights=weight[~positive])
    assert sensitivity + specificity - 1 == pytest.approx((true - false).max())


@given(st.integers(0, 10_000))
def test_what_is_applied_is_decided_before(seed: int) -> None:
    point, test = fit_operating_point(drawn(1)), drawn(seed, part="test")
    judged = applied(point, test)
    p = judged.table["p_blast"].to_numpy()
    assert np.allclose(judged.probabilities.sum(axis=1), 1)
    assert ((judged.table["predicted"] == "blast") == (p >= point.threshold)).all()
    # One cell's answer does not depend on which others are judged with it.
    alone = applied(point, Predictions(test.table.iloc[[0]], test.classes, "blast", True))
    assert alone.table["p_blast"].iloc[0] == pytest.approx(p[0], rel=1e-12)
    # Calibration turns no order around.
    before = test.table["p_blast"].to_numpy()
    assert (np.argsort(before, kind="stable") == np.argsort(p, kind="stable")).all()


def test_too_few_groups_change_nothing_and_say_so() -> None:
    few = cells(np.array([0.9, 0.8, 0.3]), np.array([True, True, False]), np.array([0, 1, 2]))
    point = fit_operating_point(few)
    assert (point.intercept, point.slope, point.threshold) == (0.0, 1.0, 0.5)
    assert point.note.startswith("Not fitted: 2 groups of blast and 1 of the other class validate")
    assert fit_operating_point(drawn(0, groups=6)).note.startswith("Rough: 3 groups of blast and 3")
    assert not fit_operating_point(drawn(0)).note


def test_an_order_that_is_the_wrong_way_round_is_not_calibrated() -> None:
    some = drawn(2)
    p = 1 - some.table["p_blast"].to_numpy()
    wrong = cells(p, (some.table["label"] == "blast").to_numpy(), np.arange(len(p)) // 3)
    point = fit_operating_point(wrong)
    assert (point.intercept, point.slope) == (0.0, 1.0)
    assert "could not be calibrated" in point.note


def test_separated_classes_are_cut_between_them() -> None:
    p = np.array([0.05, 0.1, 0.2, 0.25, 0.7, 0.75, 0.8, 0.9])
    point = fit_operating_point(cells(p, p > 0.5, np.arange(8)))
    calibrated = point.calibrated(p)
    assert calibrated[3] < point.threshold < calibrated[4]


def test_test_rows_and_many_classes_are_refused() -> None:
    with pytest.raises(PredictionsError, match="two classes, found rows of part test"):
        fit_operating_point(drawn(0, part="test"))
    three = predictions_from_table(
        pd.DataFrame(
            {"image": ["a"], "label": ["x"], "part": ["validation"]}
            | {f"p_{name}": ["0.5" if name == "x" else "0.25"] for name in "xyz"}
        )
    )
    with pytest.raises(PredictionsError, match="two classes, found 3 classes"):
        fit_operating_point(three)
