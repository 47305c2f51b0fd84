"""The subject level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leukoscope.errors import PredictionsError
from leukoscope.evaluation import evaluate
from leukoscope.evaluation.curves import subject_results
from leukoscope.evaluation.subjects import by_subject

FEW = 100


def test_a_subjects_score_is_the_mean_of_its_cells(make):
    predictions = make(items=120, groups=12)
    frame = predictions.table
    expected = frame.groupby("subject")["p_blast"].mean()
    right = (frame["label"] == frame["predicted"]).groupby(frame["subject"]).mean()
    found = subject_results(predictions)
    assert len(found.results) == 12
    for result in found.results:
        assert result.score == pytest.approx(expected[result.name], abs=1e-12)
        assert result.right == pytest.approx(right[result.name], abs=1e-12)
        assert result.cells == 10
        assert result.called_right == ((result.score >= 0.5) == (result.label == "blast"))
    metrics = evaluate(predictions, resamples=FEW)
    assert metrics["levels"]["subject"]["share_right"]["value"] == pytest.approx(right.mean())
    facts = metrics["subjects"]["share_right"]["normal"]
    normal = right[frame[frame["label"] == "normal"]["subject"].unique()]
    assert facts["worst"] == pytest.approx(normal.min())
    assert facts["worst_subject"] == normal.idxmin()
    assert facts["mean"] == pytest.approx(normal.mean())


def test_calibrated_probabilities_are_used_where_they_are(make):
    predictions = make(items=60, groups=6)
    frame = predictions.table.assign(calibrated="0.25")
    sample = by_subject(replace(predictions, table=frame)).sample
    np.testing.assert_allclose(sample.probabilities[:, sample.positive], 0.25)
    partly = frame.assign(calibrated=["0.25"] * 59 + [""])
    sample = by_subject(replace(predictions, table=partly)).sample
    assert not np.allclose(sample.probabilities[:, sample.positive], 0.25)


def test_subjects_of_several_labels_are_counted_and_left_out(make):
    predictions = make(items=120, groups=12)
    frame = predictions.table.copy()
    frame.loc[0, "label"] = "normal" if frame.loc[0, "label"] == "blast" else "blast"
    found = evaluate(replace(predictions, table=frame), resamples=FEW)
    assert found["subjects"]["several_labels"] == 1
    assert found["subjects"]["count"] == 11
    assert found["levels"]["subject"]["accuracy"]["n"] == 11
    assert any("several labels" in warning for warning in found["warnings"])


def test_without_subjects_the_level_is_that_of_groups_and_says_so(make):
    predictions = make(items=120, groups=12)
    frame = predictions.table.assign(subject="")
    found = evaluate(replace(predictions, table=frame), resamples=FEW)
    assert found["subjects"]["unit"] == "group"
    assert found["subjects"]["count"] == 12
    assert any("counts groups instead" in warning for warning in found["warnings"])


def test_a_subject_cut_by_the_split_is_said(make):
    predictions = make(items=120, groups=12)
    frame = predictions.table.copy()
    frame["fold"] = np.arange(120) % 12 // 2 % 2
    frame.loc[0, "fold"] = 1 - frame.loc[0, "fold"]
    found = evaluate(replace(predictions, table=frame), resamples=FEW)
    assert found["subjects"]["cut"] == 1
    assert found["levels"]["subject"]["accuracy"]["n"] == 12
    assert any("tested in more than one fold" in warning for warning in found["warnings"])


def test_unknown_subjects_are_an_error_for_the_figure(make):
    predictions = replace(make(items=40), groups_known=False)
    with pytest.raises(PredictionsError, match="neither subjects nor groups"):
        subject_results(predictions)
