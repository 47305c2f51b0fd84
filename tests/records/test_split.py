"""``split.json``: there and back, and what is no split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leukoscope.errors import SplitError
from leukoscope.records.split import Fold, Split, read_split, write_split

WHOLE: dict[str, Any] = {
    "schema": 1,
    "kind": "kfold",
    "edition": "leak-free",
    "unit": "group",
    "groups": "inferred",
    "rendered": True,
    "seed": 3,
    "manifest_sha256": "ab" * 32,
    "folds": [
        {"name": "fold-0", "repeat": 0, "train": ["a.png"], "validation": [], "test": ["b#0,0,4,4"]}
    ],
    "notes": ["2 rows without a label are in no part"],
}


def written(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(WHOLE | changes), encoding="utf-8")
    return path


def test_there_and_back(tmp_path: Path) -> None:
    split = read_split(written(tmp_path / "a.json"))
    assert split.folds == (Fold(name="fold-0", train=("a.png",), test=("b#0,0,4,4",)),)
    write_split(split, tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == WHOLE
    assert read_split(tmp_path / "b.json") == split


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "kfolds"}, r"key 'kind' is 'kfolds'\. Did you mean 'kfold'\?"),
        ({"edition": "leakfree"}, r"key 'edition' is 'leakfree'\. Did you mean 'leak-free'\?"),
        ({"editon": "x"}, r"unknown key 'editon'\. Did you mean 'edition'\?"),
        ({"folds": [{"name": "a", "trian": []}]}, r"unknown key 'folds\.0\.trian'\. .*'train'"),
        ({"folds": []}, "at least one fold is needed"),
        ({"folds": WHOLE["folds"] * 2}, "two folds of repeat 0 are named 'fold-0'"),
        ({"seed": -1}, "key 'seed' is -1: expected a number greater than or equal to 0"),
        ({"schema": 2}, r"newer leukoscope \(split schema 2"),
    ],
)
def test_what_is_no_split(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        read_split(written(tmp_path / "a.json", **changes))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match=r"none\.json: there is no such split file"):
        read_split(tmp_path / "none.json")


def test_the_same_names_in_two_repeats_are_two_folds() -> None:
    folds = (Fold(name="f", train=("a",)), Fold(name="f", repeat=1, train=("a",)))
    assert len(Split(**(WHOLE | {"folds": folds})).folds) == 2
