"""What stands beside every accuracy: costs, classification reports, spread, others' results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import classification_report, roc_auc_score

from leukoscope.evaluation import evaluate
from leukoscope.papers.classes import classification_rows
from leukoscope.papers.literature import literature
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduction import audited
from leukoscope.papers.spread import fold_values
from leukoscope.papers.worst import worst_subject
from leukoscope.records.predictions import Predictions, predictions_from_table


def predictions(classes: tuple[str, ...], positive: str | None, folds: int = 1) -> Predictions:
    rng = np.random.default_rng(0)
    n = 300
    label = rng.integers(0, len(classes), n)
    p = rng.dirichlet(np.ones(len(classes)), n)
    p[np.arange(n), label] += 0.6
    p /= p.sum(axis=1, keepdims=True)
    table = pd.DataFrame({f"p_{name}": p[:, k] for k, name in enumerate(classes)})
    table["image"] = [f"{k}.png" for k in range(n)]
    table["label"] = [classes[k] for k in label]
    table["subject"] = [f"s{k % 30}-{label[k]}" for k in range(n)]
    table["fold"] = np.arange(n) % folds
    return predictions_from_table(table, positive=positive)


@pytest.mark.parametrize(
    ("classes", "positive"),
    [(("normal", "blast"), "blast"), (("benign", "early", "pre", "pro"), None)],
)
def test_the_report_is_scikit_learns(classes: tuple[str, ...], positive: str | None) -> None:
    one = predictions(classes, positive)
    rows = {row.name: row for row in classification_rows(evaluate(one, resamples=50))}
    truth, said = one.table["label"], one.table["predicted"]
    theirs = classification_report(truth, said, output_dict=True, zero_division=0)
    assert set(rows) == {*classes, "accuracy", "macro average", "weighted average"}
    for name, row in rows.items():
        key = name.replace("average", "avg")
        if name == "accuracy":
            assert row.scores[:2] == (None, None)
            assert row.scores[2] is not None
            assert row.scores[2].value == pytest.approx(theirs["accuracy"], abs=1e-12)
            continue
        for score, column in zip(row.scores, ("precision", "recall", "f1-score"), strict=True):
            assert score is not None
            assert score.value == pytest.approx(theirs[key][column], abs=1e-12)
            assert score.low is not None
            assert score.high is not None
            assert score.low <= score.value <= score.high
        assert row.support == theirs[key]["support"]


def test_nothing_measured_is_no_report() -> None:
    assert classification_rows({"levels": {}, "classes": {}}) == ()


def test_spread_over_folds_is_of_each_fold_alone() -> None:
    one = predictions(("normal", "blast"), "blast", folds=5)
    table = one.table
    right = [(f["label"] == f["predicted"]).mean() for _, f in table.groupby("fold")]
    areas = [roc_auc_score(f["label"] == "blast", f["p_blast"]) for _, f in table.groupby("fold")]
    assert fold_values(one, "accuracy") == pytest.approx(right)
    assert fold_values(one, "auc") == pytest.approx(areas)
    assert fold_values(predictions(("a", "b", "c"), None, folds=2), "auc") == ()


def test_the_worst_subject_is_the_one_with_the_smallest_share_right() -> None:
    one = predictions(("normal", "blast"), "blast")
    worst = worst_subject(evaluate(one, resamples=50))
    assert worst is not None
    right = one.table["label"] == one.table["predicted"]
    shares = right.groupby(one.table["subject"]).mean()
    assert worst.right == pytest.approx(shares.min())
    assert shares[worst.name] == pytest.approx(worst.right)
    assert worst.of == len(shares)
    assert worst_subject({"subjects": {"unit": None}}) is None


def test_literature_tables_are_context() -> None:
    counts = {}
    for paper in ("varol2024", "fata2023", "abed2022", "bhavsar2023", "murtoza2023"):
        protocol = read_protocol(paper)
        for context in literature(protocol, audited(protocol)):
            counts[paper, context.table] = len(context.rows)
            impossible = [row.name for row in context.rows if row.impossible]
            # bhavsar2023's "specificity 95.19" is an NPV: no matrix has the row as printed.
            assert bool(impossible) == (paper == "bhavsar2023")
    assert counts == {
        ("varol2024", "Table 7"): 20,
        ("fata2023", "Table 7"): 7,
        ("abed2022", "Table 2.1"): 17,
        ("bhavsar2023", "Table 5"): 1,
    }
    (varol,) = literature(read_protocol("varol2024"))
    accuracies = {(row.name, row.values[1]): row.accuracy for row in varol.rows}
    assert accuracies["Duggal et al.", "T-CNN+SD (SVD)"] == pytest.approx(0.955)
    assert accuracies["Kumar et al.", "NB"] is None  # 78-79: two numbers
