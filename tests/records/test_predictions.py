"""``predictions.csv``: whoever wrote it, verified; every refusal names its row."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leukoscope.errors import PredictionsError
from leukoscope.records.predictions import (
    predictions_from_table,
    read_predictions,
    write_predictions,
)

LEAST = "image,label,p_blast,p_normal\na.png,blast,0.75,0.25\nb.png,normal,0.4,0.6\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_three_kinds_of_columns_suffice(tmp_path: Path) -> None:
    read = read_predictions(written(tmp_path, LEAST))
    assert (read.classes, read.positive, read.groups_known) == (("blast", "normal"), "blast", False)
    assert read.table["row"].tolist() == read.table["group"].tolist() == ["a.png", "b.png"]
    assert read.table["part"].tolist() == ["test", "test"]
    assert read.table["predicted"].tolist() == ["blast", "normal"]
    assert read.table[["fold", "repeat"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    np.testing.assert_array_equal(read.probabilities, [[0.75, 0.25], [0.4, 0.6]])
    assert len(read.part("train")) == 0
    assert len(read.part("test")) == len(read) == 2


def test_groups_stand_in_for_each_other(tmp_path: Path) -> None:
    text = (
        "image,label,subject,group,p_blast,p_normal\n"
        "a.png,blast,s1,g1,1,0\nb.png,blast,s2,,1,0\nc.png,normal,,,0,1\n"
    )
    read = read_predictions(written(tmp_path, text))
    assert read.table["group"].tolist() == ["g1", "s2", "c.png"]
    assert read.groups_known
    assert read.alone == {"c.png"}
    assert read.part("test").alone == {"c.png"}


def test_there_and_back_in_full_precision(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 50)
    table = pd.DataFrame(
        {
            "row": [f"i{i}.png#0,0,{i + 1},4" for i in range(50)],
            "image": [f"i{i}.png" for i in range(50)],
            "subject": "s",
            "group": [f"g{i % 7}" for i in range(50)],
            "dataset": "made",
            "part": "validation",
            "fold": 2,
            "repeat": 1,
            "label": rng.choice(["x", "y", "z"], 50),
            "predicted": "y",
            "p_x": p[:, 0],
            "p_y": p[:, 1],
            "p_z": p[:, 2],
            "calibrated": [*rng.random(49), np.nan],
            "verdict": "refer",
            "reason": "",
        }
    )
    write_predictions(table, tmp_path / "p.csv")
    read = read_predictions(tmp_path / "p.csv")
    assert read.positive is None
    assert read.table.columns.tolist() == table.columns.tolist()
    np.testing.assert_array_equal(read.probabilities, p)
    np.testing.assert_array_equal(read.table["calibrated"], table["calibrated"])
    assert (read.table["fold"].tolist(), read.table["repeat"].tolist()) == ([2] * 50, [1] * 50)
    again = predictions_from_table(read.table)
    pd.testing.assert_frame_equal(again.table, read.table)


def test_standard_input_and_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(read_predictions(written(tmp_path, "\ufeff" + LEAST))) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LEAST.encode())))
    assert len(read_predictions("-")) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(PredictionsError, match="standard input: the file is empty"):
        read_predictions("-")


def test_the_positive_class_can_be_named(tmp_path: Path) -> None:
    text = LEAST.replace("blast", "ALL").replace("normal", "hem")
    path = written(tmp_path, text)
    assert read_predictions(path, "ALL").positive == "ALL"
    with pytest.raises(PredictionsError, match="which of 'ALL' and 'hem' is the positive class"):
        read_predictions(path)
    with pytest.raises(PredictionsError, match=r"positive class 'all' .* Did you mean 'ALL'\?"):
        read_predictions(path, "all")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; a CSV file with commas"),
        ("image,label,p_blast,p_normal\n", "no predictions; at least one row"),
        ("image;label;p_a;p_b\na;b;1;0\n", r"semicolons between the columns were found; a CSV"),
        (LEAST.replace("label", "truth"), "column 'label' is missing"),
        (LEAST.replace("label", "Lable"), r"'label' is missing.* Rename 'Lable' if it is that\."),
        (LEAST.replace("p_normal", "q"), r"1 column of probabilities; at least two"),
        (LEAST.replace("p_normal", "p_blast"), "column 'p_blast' stands twice"),
        (LEAST.replace("p_normal", "p_"), "column 'p_' names no class"),
        (LEAST.replace("0.6", "nan"), "row 3: p_normal is 'nan'; a probability was expected"),
        (LEAST.replace("0.6", ""), "row 3: p_normal is ''; a probability was expected"),
        (LEAST.replace("0.75,0.25", "2.5,-1.5"), "row 2: .*logits must be turned"),
        (LEAST.replace("0.6", "0.5"), r"row 3: probabilities sum to 0\.9, not to 1"),
        (LEAST.replace(",normal,", ",nromal,"), r"row 3: label 'nromal' has no .*'normal'"),
        (LEAST.replace(",normal,", ",,"), "row 3: label is empty; what is evaluated has a true"),
        (LEAST.replace("b.png", ""), "row 3: image is empty"),
        (LEAST.replace("b.png", "a.png"), r"row 3: 'a\.png' is predicted twice"),
        (LEAST + "c.png,blast,1\n", "row 4: 3 values, but the header names 4"),
        (LEAST + "c.png,blast,1,0,9\n", "row 4: 5 values, but the header names 4"),
    ],
)
def test_refusals(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PredictionsError, match=message):
        read_predictions(written(tmp_path, text))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("subject", "NA", r"row 2: subject is 'NA', .*; leave the cell empty where no subject is"),
        ("subject", "allidb2:nan", "row 2: subject is 'allidb2:nan'"),
        ("group", "None", "row 2: group is 'None'"),
        ("fold", "x", "row 2: fold is 'x'; a whole number from 0"),
        ("fold", "0.5", r"row 2: fold is '0\.5'"),
        ("repeat", "-1", "row 2: repeat is '-1'"),
        ("repeat", "", "row 2: repeat is ''"),
        ("part", "tset", r"row 2: part is 'tset'\. Did you mean 'test'\?"),
        ("predicted", "blastt", r"row 2: predicted is 'blastt'\. Did you mean 'blast'\?"),
        ("verdict", "refre", r"row 2: verdict is 'refre'\. Did you mean 'refer'\?"),
        ("calibrated", "1.5", r"row 2: calibrated is '1\.5'; a probability in \[0, 1\]"),
        ("calibrated", "high", "row 2: calibrated is 'high'"),
    ],
)
def test_refusals_of_further_columns(tmp_path: Path, column: str, value: str, message: str) -> None:
    first, *rest = LEAST.splitlines()
    text = "\n".join([f"{first},{column}", *(f"{line},{value}" for line in rest)])
    with pytest.raises(PredictionsError, match=message):
        read_predictions(written(tmp_path, text))


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="there is no such predictions file"):
        read_predictions(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(LEAST.encode() + b"\xe4,blast,1,0\n")
    with pytest.raises(PredictionsError, match=r"latin\.csv: cannot be read as a CSV file"):
        read_predictions(tmp_path / "latin.csv")


def test_an_empty_prediction_is_the_most_probable_class() -> None:
    table = pd.DataFrame(
        {"image": ["a"], "label": ["x"], "predicted": [None], "p_x": [0.2], "p_y": [0.8]}
    )
    assert predictions_from_table(table, positive="x").table["predicted"].tolist() == ["y"]


def test_the_same_row_may_be_predicted_in_another_fold_or_repeat(tmp_path: Path) -> None:
    first, a, _ = LEAST.splitlines()
    text = f"{first},fold,repeat\n{a},0,0\n{a},1,0\n{a},0,1\n"
    assert len(read_predictions(written(tmp_path, text))) == 3
