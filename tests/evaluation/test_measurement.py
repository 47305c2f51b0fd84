"""What stands in metrics.json: folds, repeats, reasons, warnings."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from leukoscope.errors import PredictionsError
from leukoscope.evaluation import METRICS, evaluate
from leukoscope.records.predictions import predictions_from_table

FEW = 200


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


def simple(labels: str, p: list[float], **more: object):
    names = {"b": "blast", "n": "normal"}
    return predictions_from_table(
        table(
            image=[f"{i}.png" for i in range(len(p))],
            label=[names[letter] for letter in labels],
            p_blast=p,
            p_normal=[1 - value for value in p],
            **more,
        )
    )


def test_auroc_is_the_size_weighted_mean_within_folds(make):
    predictions = make(items=400, folds=3, seed=4)
    frame = predictions.table
    parts = []
    for _, fold in frame.groupby("fold"):
        parts.append((roc_auc_score(fold["label"] == "blast", fold["p_blast"]), len(fold)))
    expected = np.average([a for a, _ in parts], weights=[n for _, n in parts])
    entry = evaluate(predictions, resamples=FEW)["levels"]["image"]["auroc"]
    assert entry["value"] == pytest.approx(expected, abs=1e-12)
    assert entry["value"] != pytest.approx(
        roc_auc_score(frame["label"] == "blast", frame["p_blast"]), abs=1e-6
    ), "pooling scores of several models must give another figure, or this test shows nothing"


def test_shifting_one_models_scores_does_not_change_ranks(make):
    """The reason for never pooling: a model that is bolder than the others ranks no better."""
    predictions = make(folds=2)
    frame = predictions.table.copy()
    bold = frame["fold"] == 1
    frame.loc[bold, "p_blast"] = frame.loc[bold, "p_blast"] ** 0.2
    frame["p_normal"] = 1 - frame["p_blast"]
    before = evaluate(predictions, resamples=FEW)["levels"]["image"]
    after = evaluate(replace(predictions, table=frame), resamples=FEW)["levels"]["image"]
    for name in ("auroc", "average_precision", "sensitivity_at_specificity_0.90"):
        assert after[name]["value"] == pytest.approx(before[name]["value"], abs=1e-12)


def test_repeats_are_averaged_and_counted_once(make):
    predictions = make(items=200, repeats=3)
    values = [
        accuracy_score(part["label"], part["predicted"])
        for _, part in predictions.table.groupby("repeat")
    ]
    found = evaluate(predictions, resamples=FEW)
    entry = found["levels"]["image"]["accuracy"]
    assert entry["value"] == pytest.approx(np.mean(values), abs=1e-12)
    assert entry["n"] == 200
    assert found["repeats"] == 3
    assert np.sum(found["confusion"]["counts"]) == 600


def test_sensitivity_stands_on_the_positives_alone(make):
    found = evaluate(make(items=300, groups=21), resamples=FEW)["levels"]["image"]
    assert (found["sensitivity"]["groups"], found["specificity"]["groups"]) == (11, 10)
    assert found["sensitivity"]["n"] + found["specificity"]["n"] == 300
    assert found["accuracy"]["groups"] == 21


def test_same_seed_same_figures(make):
    first, second = (evaluate(make(), resamples=FEW, seed=3) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    other = evaluate(make(), resamples=FEW, seed=4)
    assert other["levels"]["image"]["auroc"]["low"] != first["levels"]["image"]["auroc"]["low"]


def test_the_order_of_rows_does_not_matter(make):
    predictions = make(digits=1)
    shuffled = predictions.table.sample(frac=1, random_state=1).reset_index(drop=True)
    first = evaluate(predictions, resamples=FEW)["levels"]["image"]
    second = evaluate(replace(predictions, table=shuffled), resamples=FEW)["levels"]["image"]
    for name in first:
        assert second[name]["value"] == pytest.approx(first[name]["value"], abs=1e-12)
        assert second[name]["low"] == pytest.approx(first[name]["low"], abs=1e-9)


def test_one_class_is_null_with_its_reason():
    found = evaluate(simple("nnnn", [0.1, 0.2, 0.6, 0.4], subject=list("abcd")), resamples=FEW)
    image = found["levels"]["image"]
    assert image["auroc"]["value"] is None
    assert image["auroc"]["reason"] == "no model was tested on items of both classes"
    assert image["sensitivity"]["reason"] == "no blast items"
    assert image["mcc"]["value"] is None
    assert image["specificity"]["value"] == 0.75
    assert image["calibration_slope"]["value"] is None
    assert "No item of class blast: what needs it is left empty." in found["warnings"]
    json.dumps(found, allow_nan=False)


def test_nothing_predicted_positive():
    found = evaluate(simple("bnbn", [0.4, 0.1, 0.3, 0.2], subject=list("abcd")), resamples=FEW)
    image = found["levels"]["image"]
    assert image["precision"]["value"] is None
    assert image["precision"]["reason"] == "nothing was predicted blast"
    assert image["f1"]["value"] == 0
    assert image["calibration_slope"]["reason"].startswith("the classes are separated")
    assert found["classes"]["blast"]["precision"]["reason"] == "nothing was predicted blast"


def test_one_group_has_no_interval():
    found = evaluate(simple("bnbn", [0.9, 0.1, 0.3, 0.6], subject=["a"] * 4), resamples=FEW)
    entry = found["levels"]["image"]["accuracy"]
    assert (entry["value"], entry["low"], entry["high"]) == (0.5, None, None)
    assert entry["reason"] == "all items are of one group"
    assert "All items are of one group: there is no interval." in found["warnings"]
    assert found["subjects"]["several_labels"] == 1
    assert found["levels"]["subject"] == {}


def test_one_group_a_class_has_no_interval():
    found = evaluate(simple("bbnn", [0.9, 0.1, 0.3, 0.6], subject=list("aabb")), resamples=FEW)
    reason = found["levels"]["image"]["accuracy"]["reason"]
    assert reason == "one group in each class: nothing can be resampled"


def test_a_perfect_result_has_the_exact_bound_of_its_groups(make):
    predictions = make(items=200, groups=20)
    frame = predictions.table.copy()
    frame["p_blast"] = np.where(frame["label"] == "blast", 0.9, 0.1)
    frame["p_normal"] = 1 - frame["p_blast"]
    frame["predicted"] = frame["label"]
    image = evaluate(replace(predictions, table=frame), resamples=FEW)["levels"]["image"]
    for name in ("auroc", "sensitivity", "specificity", "accuracy"):
        assert image[name]["value"] == 1
        assert image[name]["low"] == pytest.approx(0.025 ** (1 / 10))
        assert image[name]["high"] == 1
    assert image["mcc"]["reason"] == "the value does not vary over groups"


def test_few_groups_are_warned_of(make):
    found = evaluate(make(groups=8), resamples=FEW)
    assert (
        "Class blast has 4 groups, fewer than 10: its intervals cannot be trusted."
        in found["warnings"]
    )
    assert not evaluate(make(groups=24), resamples=FEW)["warnings"]


@pytest.mark.parametrize(
    ("groups", "words"),
    [("inferred", "the groups are inferred"), ("none", "Neither subjects nor groups are known")],
)
def test_where_groups_come_from_is_said(make, groups, words):
    found = evaluate(make(groups=24), resamples=FEW, groups=groups)
    assert found["groups"]["source"] == groups
    assert any(words in warning for warning in found["warnings"])


def test_unknown_groups_are_said():
    found = evaluate(simple("bnbn", [0.9, 0.1, 0.3, 0.6]), resamples=FEW)
    assert any("Neither subjects nor groups are known" in text for text in found["warnings"])
    assert found["subjects"]["unit"] is None
    assert found["levels"]["subject"] == {}


def test_a_fold_of_one_class_is_left_out_and_said():
    p = [0.9, 0.2, 0.6, 0.7, 0.1, 0.3]
    predictions = simple("bnbnnn", p, subject=list("abcdef"), fold=[0, 0, 0, 0, 1, 1])
    found = evaluate(predictions, resamples=FEW)
    assert found["levels"]["image"]["auroc"]["value"] == 0.75
    assert any("1 of 2 tested models" in warning for warning in found["warnings"])


def test_binary_metrics_are_left_out_with_several_classes(make):
    found = evaluate(make(classes=("a", "b", "c"), groups=30), resamples=FEW)
    image = found["levels"]["image"]
    assert found["positive"] is None
    assert "sensitivity" not in image
    assert "auroc" in image
    assert set(found["classes"]) == {"a", "b", "c"}
    row = found["classes"]["b"]
    assert row["support"] == 100
    assert row["groups"] == 10
    assert set(row) == {
        "support", "groups", "precision", "recall", "f1", "specificity", "auroc",
        "average_precision",
    }  # fmt: skip


def test_the_class_table_agrees_with_the_binary_figures(make):
    found = evaluate(make(), resamples=FEW)
    image, blast, normal = (
        found["levels"]["image"], found["classes"]["blast"], found["classes"]["normal"],
    )  # fmt: skip
    for row, entry in (
        (blast["recall"], image["sensitivity"]),
        (normal["recall"], image["specificity"]),
        (blast["precision"], image["precision"]),
        (normal["precision"], image["npv"]),
        (blast["auroc"], image["auroc"]),
        (normal["auroc"], image["auroc"]),
    ):
        assert row == pytest.approx(entry, abs=1e-9)


def test_ece_has_its_expectation_beside_it(make):
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 4000)
    truth = np.where(rng.random(4000) < p, "b", "n")
    subject = [str(i % 40) for i in range(4000)]
    calibrated = simple("".join(truth), p.tolist(), subject=subject)
    entry = evaluate(calibrated, resamples=FEW, level="image")["levels"]["image"]["ece"]
    assert entry["value"] == pytest.approx(entry["expected_if_calibrated"], abs=0.006)
    bold = evaluate(make(items=900, shift=0.2), resamples=FEW)["levels"]["image"]["ece"]
    assert bold["value"] > 2 * bold["expected_if_calibrated"]


def test_parts_are_not_mixed(make):
    predictions = make(items=40)
    frame = predictions.table.copy()
    frame.loc[:5, "part"] = "train"
    with pytest.raises(PredictionsError, match=r"rows of test, train together"):
        evaluate(replace(predictions, table=frame))
    with pytest.raises(PredictionsError, match="no rows to evaluate"):
        evaluate(predictions.part("validation"))


@settings(max_examples=40, deadline=None)
@given(
    labels=st.lists(st.booleans(), min_size=2, max_size=30),
    data=st.data(),
)
def test_whatever_comes_in_is_json_with_sound_intervals(labels, data):
    n = len(labels)
    p = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=n, max_size=n))
    subject = data.draw(st.lists(st.sampled_from("abcdef"), min_size=n, max_size=n))
    folds = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    letters = "".join("b" if label else "n" for label in labels)
    found = evaluate(simple(letters, p, subject=subject, fold=folds), resamples=30)
    json.dumps(found, allow_nan=False)
    for level in found["levels"].values():
        for name, entry in level.items():
            low, value, high = entry["low"], entry["value"], entry["high"]
            smallest, largest = METRICS[name].bounds
            if value is None or low is None:
                assert entry["reason"]
            else:
                assert smallest <= low <= value + 1e-9
                assert value - 1e-9 <= high <= largest


def test_one_row_with_a_subject_does_not_hide_the_others():
    found = evaluate(simple("bbnn", [0.9, 0.8, 0.2, 0.1], subject=["s", "", "", ""]), resamples=FEW)
    said = (
        "3 of 4 rows name neither subject nor group: each of them stands for itself, and the "
        "intervals are narrower than the truth."
    )
    assert said in found["warnings"]
