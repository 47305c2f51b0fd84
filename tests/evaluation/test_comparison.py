"""Two runs beside each other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leukoscope.errors import PredictionsError
from leukoscope.evaluation.comparison import compare, describe, gap

FEW = 400


def changed(predictions, p):
    frame = predictions.table.copy()
    frame["p_blast"], frame["p_normal"] = p, 1 - p
    frame["predicted"] = np.where(p >= 0.5, "blast", "normal")
    return replace(predictions, table=frame)


def worse(predictions, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    p = predictions.table["p_blast"].to_numpy()
    return changed(predictions, np.clip(p + noise * rng.normal(size=len(p)), 0.001, 0.999))


def test_the_difference_is_that_of_the_values(make):
    a = make(items=600, groups=30)
    b = worse(a)
    found = compare(a, b, resamples=FEW)
    y = a.table["label"] == "blast"
    expected = roc_auc_score(y, a.table["p_blast"]) - roc_auc_score(y, b.table["p_blast"])
    entry = found["metrics"]["auroc"]
    assert entry["difference"] == pytest.approx(expected, abs=1e-12)
    assert entry["low"] < entry["difference"] < entry["high"]
    assert (found["kind"], found["n"], found["groups"]) == ("paired", 600, 30)
    assert (entry["p_value"] < 0.05) == (entry["low"] > 0)
    json.dumps(found, allow_nan=False)


def test_pairing_takes_what_both_share_out_of_the_interval(make):
    """A small change to the same scores is told apart although each by itself varies widely."""
    a = make(items=600, groups=24)
    entry = compare(a, worse(a, 0.1), resamples=FEW)["metrics"]["auroc"]
    assert entry["high"] - entry["low"] < 0.3 * (entry["a_high"] - entry["a_low"])


def test_against_itself(make):
    a = make()
    entry = compare(a, a, resamples=FEW)["metrics"]["accuracy"]
    assert entry["difference"] == 0
    assert entry["reason"] == "the two are equal in every group"
    assert entry["p_value"] is None


def test_exchanged_runs_change_the_sign(make):
    a = make(items=400)
    b = worse(a)
    there, back = compare(a, b, resamples=FEW), compare(b, a, resamples=FEW)
    for name, entry in there["metrics"].items():
        if entry["difference"] is not None:
            other = back["metrics"][name]
            assert other["difference"] == pytest.approx(-entry["difference"], abs=1e-9)
            if entry["low"] is not None:
                assert other["high"] == pytest.approx(-entry["low"], abs=1e-9)


def test_only_common_rows_count_and_the_rest_is_said(make):
    a = make(items=300, groups=30)
    half = replace(a, table=a.table.iloc[:200].reset_index(drop=True))
    found = compare(half, worse(a), resamples=FEW)
    assert found["rows"] == {"common": 200, "only_a": 0, "only_b": 100}
    assert any("200 common rows" in note for note in found["notes"])


def test_other_folds_are_said(make):
    a = make(items=300, groups=30, folds=3)
    renamed = a.table.assign(fold=(a.table["fold"] + 1) % 3)
    assert not compare(a, replace(a, table=renamed), resamples=FEW)["splits_differ"]
    other = a.table.assign(fold=np.arange(300) % 3 // 2)
    found = compare(a, replace(a, table=other), resamples=FEW)
    assert found["splits_differ"]
    assert any("The splits differ" in note for note in found["notes"])


def test_classes_in_another_order_are_the_same_classes(make):
    a = make()
    b = replace(worse(a), classes=("normal", "blast"))
    straight, turned = compare(a, worse(a), resamples=FEW), compare(a, b, resamples=FEW)
    assert turned["metrics"]["auroc"] == straight["metrics"]["auroc"]


def test_groups_that_only_one_run_joins_are_joined(make):
    a = make(items=200, groups=20)
    joined = a.table.assign(group=["whole"] * 100 + list(a.table["group"].iloc[100:]))
    found = compare(a, replace(a, table=joined), resamples=FEW)
    assert found["groups"] == 1


def test_the_gap_needs_no_common_rows(make):
    a, b = make(items=400, groups=20, shift=3.0), make(items=300, groups=30, seed=5)
    other = b.table.assign(
        row="other/" + b.table["row"], image="other/" + b.table["image"],
        group="other/" + b.table["group"], subject="other/" + b.table["subject"],
    )  # fmt: skip
    found = gap(a, replace(b, table=other), resamples=FEW)
    entry = found["metrics"]["auroc"]
    assert found["kind"] == "unpaired"
    assert found["rows"] == {"common": 0, "only_a": 400, "only_b": 300}
    assert found["groups"] == 50
    assert entry["difference"] > 0
    # Independent groups: the variances add, on the plain scale at least roughly.
    halves = [(entry[f"{k}_high"] - entry[f"{k}_low"]) / 2 for k in "ab"]
    assert (entry["high"] - entry["low"]) / 2 == pytest.approx(np.hypot(*halves), rel=0.35)


def test_the_gap_on_the_same_groups_is_narrower_than_apart(make):
    a = make(items=600, groups=30)
    b = worse(a, 0.15)
    entry = gap(a, b, resamples=FEW)["metrics"]["accuracy"]
    halves = [(entry[f"{k}_high"] - entry[f"{k}_low"]) / 2 for k in "ab"]
    assert (entry["high"] - entry["low"]) / 2 < 0.7 * np.hypot(*halves)


def test_by_subject(make):
    a = make(items=600, groups=30, shift=0.3)
    found = compare(a, worse(a, 0.4), level="subject", metrics=["brier"], resamples=FEW)
    assert set(found["metrics"]) == {"brier"}
    assert found["metrics"]["brier"]["n"] == 30


def test_what_is_said_on_a_terminal(make):
    a = make(items=400)
    text = describe(compare(a, worse(a), resamples=FEW), ("cnn-3", "cnn-4"))
    assert text.startswith("cnn-3 − cnn-4 on 400 images of 20 groups")
    assert "auroc" in text
    assert "p = " in text or "p < 0.001" in text
    assert text.endswith("research use only")


def test_few_groups_are_said_and_no_difference_is_impossible(make):
    a = make(items=40, groups=4)
    found = compare(a, changed(a, 1 - a.table["p_blast"].to_numpy()), resamples=FEW)
    ends = {name: (entry["low"], entry["high"]) for name, entry in found["metrics"].items()}
    assert ends["auroc"][1] == 1.0  # 6.07 where nothing bounds it
    assert all(-1 <= end <= 1 for end in ends["auroc"] + ends["accuracy"])
    for name in ("blast", "normal"):
        warning = f"Class {name} has 2 groups, fewer than 10: its intervals cannot be trusted."
        assert warning in found["notes"]
        assert f"note: {warning}" in describe(found)
    many = compare(make(items=400), worse(make(items=400)), resamples=FEW)
    assert not any("fewer than 10" in note for note in many["notes"])


def test_what_cannot_be_compared_says_why(make):
    a = make(items=60, groups=6)
    apart = replace(a, table=a.table.assign(row="x" + a.table["row"]))
    with pytest.raises(PredictionsError, match=r"no common rows \(60 and 60\)"):
        compare(a, apart)
    with pytest.raises(PredictionsError, match="answer different questions"):
        compare(a, make(classes=("a", "b", "c")))
    relabelled = a.table.copy()
    relabelled.loc[0, "label"] = "normal" if relabelled.loc[0, "label"] == "blast" else "blast"
    with pytest.raises(PredictionsError, match=r"row 'cell-0.png' is .* in the first run"):
        compare(a, replace(a, table=relabelled))
    with pytest.raises(PredictionsError, match=r"no metric 'auc'.*Did you mean 'auroc'"):
        compare(a, a, metrics=["auc"])
    unknown = replace(a, groups_known=False)
    with pytest.raises(PredictionsError, match="nothing can be compared by subject"):
        compare(unknown, unknown, level="subject")
