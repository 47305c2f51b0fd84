"""The audit of the papers' own tables: what is known to be wrong in them, and no more."""

from __future__ import annotations

import pytest

from leukoscope.evaluation.audit import AuditVerdict, audit
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.published import rows_to_audit


def audited(paper: str) -> dict[tuple[str, str], AuditVerdict]:
    rows = rows_to_audit(read_protocol(paper))
    return {(line.table, line.line): audit(row) for line, row in rows}


def impossible(verdicts: dict[tuple[str, str], AuditVerdict]) -> set[tuple[str, str]]:
    return {place for place, verdict in verdicts.items() if verdict.verdict == "impossible"}


def test_varol_has_five_rows_that_no_reading_explains() -> None:
    verdicts = audited("varol2024")
    assert impossible(verdicts) == {
        ("Table 2", "FEM 4 · Approach2 RF"),
        ("Table 3", "FEM 1 · Approach2 RF"),
        ("Table 3", "FEM 2 · Approach2 NB"),
        ("Table 4", "FEM 2 · Approach2 RF"),
        ("Table 4", "FEM 4 · Approach2 SVM"),
    }
    # On a balanced test part weighted and macro averages are the same.
    positive = {place for place, one in verdicts.items() if one.readings == ("positive",)}
    assert positive == {
        ("Table 3", "FEM 2 · Approach1 NN (CNN)"),
        ("Table 4", "FEM 2 · Approach2 NB"),
    }


def test_fata_implies_the_accuracies_of_its_rows() -> None:
    verdicts = audited("fata2023")
    assert impossible(verdicts) == {
        ("Table 3", "30 epochs"),
        ("Table 4", "10 epochs"),
        ("Table 5", "30 epochs"),
        ("Table 7", "Proposed TL-VGG16"),
    }
    # Intervals in per cent as found by an independent search over five sizes of the class.
    known = {
        ("Table 3", "10 epochs"): (83.6, 84.0),
        ("Table 3", "100 epochs"): (86.7, 86.8),
        ("Table 4", "40 epochs"): (84.3, 84.8),
        ("Table 5", "80 epochs"): (81.9, 82.4),
        ("Table 6", "100 epochs"): (80.5, 81.1),
    }
    for place, ends in known.items():
        implied = verdicts[place].implied["accuracy"]
        # Printed to a tenth of a per cent, found with a slightly wider rounding.
        assert [100 * end for end in implied] == pytest.approx(list(ends), abs=0.06)


def test_abed_prints_precision_and_npv_under_other_names() -> None:
    verdicts = audited("abed2022")
    exact = {
        ("Table 5.3", "Simple CNN"): "TP 1289, FP 244, TN 434, FN 166",
        ("Table 5.6", "Simple CNN"): "TP 190, FP 4, TN 203, FN 20",
    }
    nearly = {
        ("Table 5.3", "DenseNet 169"): "TP 1418, FP 276, TN 402, FN 37",
        ("Table 5.3", "VGG 19"): "TP 1351, FP 235, TN 443, FN 104",
        ("Table 5.5", "VGG 19"): "TP 209, FP 0, TN 207, FN 1",
        ("Table 5.9", "Simple CNN"): "TP 1257, FP 230, TN 448, FN 198",
    }
    for place, matrix in {**exact, **nearly}.items():
        assert verdicts[place].verdict == "impossible"
        assert matrix in verdicts[place].instead
        assert ("accuracy would be" in verdicts[place].instead) == (place in nearly)
    assert not verdicts["Table 5.2", "Simple CNN"].instead
    assert verdicts["Table 5.2", "DenseNet 169"].verdict == "possible"
    outside = [verdict for verdict in verdicts.values() if "AUC" in " ".join(verdict.reasons)]
    assert len(outside) >= 2


def test_bhavsar_has_impossible_rows_and_a_swapped_name() -> None:
    verdicts = audited("bhavsar2023")
    assert impossible(verdicts) == {
        ("Table 3", "Dataset 2"),
        ("Table 3", "Dataset 4"),
        ("Table 5", "Existing Work (SVM)"),
        ("Table 5", "Proposed Work (VGG16+VGG19)"),
    }
    svm = verdicts["Table 5", "Existing Work (SVM)"]
    assert "negative predictive value 95.19 %" in svm.instead
    assert any("97.25 does not lie between" in reason for reason in svm.reasons)
    needs = " ".join(verdicts["Table 3", "Dataset 1"].reasons)
    assert "needs a test of at least 6,667 images" in needs
