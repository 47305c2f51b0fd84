"""Errors among answered cells, at the same referral rate."""

from __future__ import annotations

import numpy as np
import pytest

from leukoscope.errors import PredictionsError
from leukoscope.evaluation.referral import band, compare_referrals


def test_the_band_refers_what_is_nearest_to_the_threshold():
    p = np.array([0.1, 0.49, 0.9, np.nan, 0.55])
    assert band(p, 0).sum() == 0
    assert band(p, 2).tolist() == [False, True, False, True, False]
    assert band(p, 3).tolist() == [False, True, False, True, True]


def test_errors_are_counted_by_hand():
    label = np.array([True, True, True, False, False, False])
    a = np.array(["blast", "normal", "refer", "normal", "normal", "blast"])
    b = np.array(["blast", "blast", "refer", "normal", "normal", "normal"])
    found = compare_referrals(label, list("uvwxyz"), a, b, resamples=200)
    assert (found.a.answered, found.a.referred, found.a.errors, found.a.missed) == (5, 1, 2, 1)
    assert (found.b.errors, found.b.rate.value) == (0, 0.0)
    assert found.difference.value == pytest.approx(0.4)
    assert (found.cells, found.groups) == (6, 6)
    assert "the rule loses" in found.sentence("the rule", "the band")


def test_the_interval_is_over_groups_and_holds_the_difference():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 30)
    label = group % 2 == 0
    hard = rng.random(40)[group] < 0.3
    right = np.where(label, "blast", "normal")
    wrong = np.where(label, "normal", "blast")
    # A mistakes a third of the cells of hard groups, B a tenth everywhere.
    a = np.where(hard & (rng.random(1200) < 0.33), wrong, right)
    b = np.where(rng.random(1200) < 0.1, wrong, right)
    names = [f"g{n}" for n in group]
    found = compare_referrals(label, names, a, b, resamples=1000)
    assert found.difference.low < found.difference.value < found.difference.high
    cells = compare_referrals(label, [str(n) for n in range(1200)], a, b, resamples=1000)
    # Whole groups are hard or not: taking cells for independent would be too sure.
    width = found.difference.high - found.difference.low
    assert width > 1.5 * (cells.difference.high - cells.difference.low)


def test_nothing_to_compare():
    refer = np.array(["refer", "refer"])
    found = compare_referrals(np.array([True, False]), ["a", "b"], refer, refer, resamples=100)
    assert found.difference.value is None
    assert "cannot be compared: no cell is answered" in found.sentence("A", "B")
    with pytest.raises(PredictionsError, match="no cells to compare"):
        compare_referrals(np.zeros(0, bool), [], np.array([], str), np.array([], str))


def test_a_loss_without_an_interval_is_still_a_loss():
    label = np.array([True, False] * 6)
    right = np.where(label, "blast", "normal")
    wrong = np.where(label, "normal", "blast")
    group = [f"g{n}" for n in range(12)]
    found = compare_referrals(label, group, wrong, right, resamples=200)
    assert found.difference.low is None
    told = found.sentence("the one", "the other")
    assert "difference +1.000, no interval: " in told
    assert told.endswith("; the one loses here.")
    assert "loses" not in compare_referrals(label, group, right, wrong, resamples=200).sentence(
        "the one", "the other"
    )
