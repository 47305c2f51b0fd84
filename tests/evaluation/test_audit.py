"""The audit finds what is known to be wrong and nothing in tables of true confusion matrices."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from leukoscope.errors import AuditError
from leukoscope.evaluation.audit import AuditVerdict, audit, smallest_n
from leukoscope.evaluation.matrices import search
from leukoscope.evaluation.printed import figure, published_row, read_table


def judged(**texts: str) -> AuditVerdict:
    n, positives = texts.pop("n", ""), texts.pop("positives", "")
    return audit(published_row("row", texts, n=n, positives=positives))


def printed(value: float, digits: int, rounding: str) -> str:
    """As a paper prints it."""
    scaled = 100 * value
    if rounding == "truncate":
        scaled = math.floor(scaled * 10**digits + 1e-9) / 10**digits
    return f"{scaled:.{digits}f} %"


def _random_row(rng: np.random.Generator) -> tuple[dict[str, str], str, str]:
    """Figures of a random confusion matrix by scikit-learn, and of a random curve through it."""
    positives, negatives = (int(rng.integers(2, 400)) for _ in range(2))
    hits, refusals = int(rng.integers(0, positives + 1)), int(rng.integers(0, negatives + 1))
    truth = np.repeat([1, 0], [positives, negatives])
    said = np.repeat([1, 0, 0, 1], [hits, positives - hits, refusals, negatives - refusals])
    average = str(rng.choice(["binary", "macro", "weighted"]))
    s, t = hits / positives, refusals / negatives
    low, high = s * t, 1 - (1 - s) * (1 - t)
    values = {
        "accuracy": (hits + refusals) / (positives + negatives),
        "sensitivity": s,
        "specificity": t,
        "precision": precision_score(truth, said, average=average, zero_division=0),
        "recall": recall_score(truth, said, average=average, zero_division=0),
        "f1": f1_score(truth, said, average=average, zero_division=0),
        "npv": refusals / max(1, refusals + positives - hits),
        "auc": low + (high - low) * rng.random(),
    }
    kept = [name for name in values if rng.random() < 0.6] or ["accuracy"]
    digits, rounding = int(rng.integers(0, 4)), str(rng.choice(["round", "truncate"]))
    texts = {name: printed(values[name], digits, rounding) for name in kept}
    known = rng.random()
    n = str(positives + negatives) if known < 0.8 else ""
    return texts, n, str(positives) if known < 0.6 else ""


@pytest.mark.parametrize(
    "rows", [400, pytest.param(10_000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_no_alarm_on_true_tables(rows: int) -> None:
    rng = np.random.default_rng(20241121)
    seen = set()
    for _ in range(rows):
        texts, n, positives = _random_row(rng)
        verdict = audit(published_row("row", texts, n=n, positives=positives))
        assert verdict.verdict != "impossible", (texts, n, positives, verdict.reasons)
        seen.add(verdict.verdict)
    assert seen == {"possible", "cannot know"}


@pytest.mark.parametrize("average", ["binary", "macro", "weighted"])
def test_every_matrix_is_found_under_its_own_averaging(average: str) -> None:
    rng = np.random.default_rng(5)
    reading = "positive" if average == "binary" else average
    for _ in range(20):
        hits, refusals = int(rng.integers(0, 31)), int(rng.integers(0, 24))
        truth = np.repeat([1, 0], [30, 23])
        said = np.repeat([1, 0, 0, 1], [hits, 30 - hits, refusals, 23 - refusals])
        scores = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
        figures = {
            name: figure(
                f"{score(truth, said, average=average, zero_division=0):.6f}",
                percent=False,
                rounding="round",
            )
            for name, score in scores.items()
        }
        figures["accuracy"] = figure(
            f"{(hits + refusals) / 53:.6f}", percent=False, rounding="round"
        )
        found = search(53, 30, figures, reading)  # type: ignore[arg-type]
        assert found is not None
        assert found.example == (hits, 23 - refusals, refusals, 30 - hits) or found.count > 1


def test_accuracy_is_a_share_of_the_images() -> None:
    verdict = judged(n="417", accuracy="99.49 %")
    assert verdict.verdict == "impossible"
    assert "414/417 = 99.281 % and 415/417 = 99.520 %" in verdict.reasons[0]
    # 1822/2133 = 85.4196: printed truncated, which either way of shortening allows.
    assert judged(n="2133", positives="1455", accuracy="85.41 %").verdict == "possible"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"accuracy": "85.32", "sensitivity": "85.18", "specificity": "80.98"}, "between"),
        ({"precision": "0.75", "recall": "0.75", "f1": "0.79"}, "above the mean of precision"),
        ({"sensitivity": "83.70", "specificity": "91.57", "auc": "61"}, "AUC 61 is outside"),
        ({"sensitivity": "84.53", "specificity": "69.34", "auc": "96"}, "58.61 to 95.26"),
        ({"accuracy": "98.26", "precision": "99.56", "recall": "99.11"}, "positives of 1.31"),
        ({"accuracy": "98.26", "precision": "99.56", "recall": "99.11"}, "read as macro"),
        ({"accuracy": "98.26", "precision": "99.56", "recall": "99.11"}, "read as weighted"),
        ({"precision": "100.00", "specificity": "95.19"}, "so specificity is 100 %"),
    ],
)
def test_relations_that_are_broken_are_named(texts: dict[str, str], words: str) -> None:
    verdict = judged(**texts)
    assert verdict.verdict == "impossible"
    assert any(words in reason for reason in verdict.reasons), verdict.reasons


def test_without_false_alarms_the_positive_precision_is_full_and_a_mean_one_need_not_be() -> None:
    texts = {"precision": "95.19", "specificity": "100.00"}
    row = published_row("row", texts, averaging="positive")
    assert "so precision is 100 %" in audit(row).reasons[0]
    assert judged(**texts).verdict == "cannot know"


def test_precision_and_npv_under_other_names_are_found() -> None:
    # abed2022, simple CNN on C-NMC (Table 5.3): sensitivity 88.59, specificity 64.01 in truth.
    verdict = judged(
        n="2133", positives="1455", accuracy="80.77", sensitivity="84.08", specificity="72.33"
    )
    assert verdict.verdict == "impossible"
    assert "TP 1289, FP 244, TN 434, FN 166" in verdict.instead
    assert "sensitivity is 88.59 and specificity 64.01 %" in verdict.instead
    assert "accuracy would be" not in verdict.instead


def test_npv_as_specificity_without_counts() -> None:
    # bhavsar2023, Table 5.
    row = published_row(
        "SVM",
        {"accuracy": "97.25", "precision": "100.00", "recall": "93.97", "specificity": "95.19"},
        averaging="positive",
    )
    verdict = audit(row)
    assert verdict.verdict == "impossible"
    assert any("does not lie between" in reason for reason in verdict.reasons)
    assert "negative predictive value 95.19 %" in verdict.instead


def test_too_little_is_no_verdict() -> None:
    verdict = judged(accuracy="99.99 %")
    assert verdict.verdict == "cannot know"
    assert verdict.reasons[1] == "accuracy 99.99 % needs a test of at least 6,667 images"
    assert judged(n="2133", accuracy="80.77").reasons[0].startswith("positives is not stated")
    assert smallest_n(figure("50", percent=True, rounding="round")) == 2


def test_implied_figures_and_readings_are_told() -> None:
    verdict = judged(n="10", positives="5", precision="1.00", recall="0.80")
    assert verdict.verdict == "possible"
    assert verdict.readings == ("positive",)
    assert verdict.example == (4, 0, 5, 1)
    assert verdict.implied["accuracy"] == (0.9, 0.9)


def test_tables_are_read_and_faults_named() -> None:
    rows = read_table(
        ["model,n,positives,accuracy,f1", 'a,"2,133",1455,"87,00 %",', "b,352,50 %,0.817,0.81"],
        "t.csv",
    )
    assert (rows[0].n, rows[0].positives, rows[0].figures["accuracy"].value) == (2133, 1455, 0.87)
    assert (rows[1].n, rows[1].positives) == (352, 176)
    with pytest.raises(AuditError, match=r"unknown column 'acuracy'. Did you mean 'accuracy'"):
        read_table(["model,acuracy", "a,1"], "t.csv")
    with pytest.raises(AuditError, match="holds none of the columns"):
        read_table(["model,n", "a,1"], "t.csv")
    with pytest.raises(AuditError, match="line 2: a: column 'accuracy': 'high' is no number"):
        read_table(["model,accuracy", "a,high"], "t.csv")
    with pytest.raises(AuditError, match="column 'n' is 'many'"):
        read_table(["model,n,accuracy", "a,many,0.5"], "t.csv")
    with pytest.raises(AuditError, match="9 positives of 9"):
        read_table(["model,n,positives,accuracy", "a,9,9,0.5"], "t.csv")
    with pytest.raises(AuditError, match="holds no row"):
        read_table(["model,accuracy"], "t.csv")
    with pytest.raises(AuditError, match="not between 0 and 1"):
        read_table(["model,accuracy", "a,180 %"], "t.csv")
    with pytest.raises(AuditError, match="a share lies between"):
        read_table(["model,positives,accuracy", "a,100 %,0.5"], "t.csv")


def test_the_command_answers_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from leukoscope.cli import main

    table = tmp_path / "t.csv"
    table.write_text("model,n,accuracy\na,417,99.49 %\n", "utf-8")
    assert main(["audit", str(table)]) == 1
    assert "impossible: a\n    accuracy 99.49 % is no share" in capsys.readouterr().out
    assert main(["audit", "--row", "n=417,positives=210,accuracy=94.24%"]) == 0
    assert "1 possible" in capsys.readouterr().out
    assert main(["audit", str(tmp_path / "none.csv")]) == 2
    assert "there is no table" in capsys.readouterr().err
    assert main(["audit", "abed2023"]) == 2
    assert "Did you mean 'abed2022'" in capsys.readouterr().err
    assert main(["audit"]) == 2
    assert "give a table, a paper, or rows" in capsys.readouterr().err
