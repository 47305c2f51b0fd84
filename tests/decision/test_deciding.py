"""Verdicts of a run: fitted fold by fold on validation groups, judged beside a plain band."""

from __future__ import annotations

import numpy as np
import pytest

from leukoscope.decision import against_band, decide
from leukoscope.decision.curves import panels, surface
from leukoscope.errors import FuzzyError
from leukoscope.models.fuzzy import read_system
from leukoscope.records.predictions import predictions_from_table


def test_the_test_part_changes_nothing_of_the_fit(drawn):
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


def test_verdicts_have_reasons_and_are_predictions_still(drawn):
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


def test_a_useful_measurement_wins_and_the_comparison_says_so(drawn):
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
    # The others are held where they decide least: at a middle set's peak, in good images.
    entropy, sharpness = (system.input(n) for n in ("chromatin_entropy_bits", "sharpness_ratio"))
    assert entropy.sets["middle"](np.array([shown.held[entropy.title]])) == 1
    assert sharpness.sets["good"](np.array([shown.held[sharpness.title]])) == 1
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
def test_what_cannot_be_decided_says_why(change, message, drawn):
    predictions, measured = change(*drawn())
    with pytest.raises(FuzzyError, match=message):
        decide(read_system("three"), predictions, measured)
