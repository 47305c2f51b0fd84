"""``evaluate RUN --fuzzy`` from trained cells to verdicts, and what it says where it cannot."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukoscope import api
from leukoscope.cli import main
from leukoscope.errors import FuzzyError
from leukoscope.images.decode import decode
from leukoscope.models.fuzzy import read_system
from leukoscope.models.fuzzy.system import FuzzySystem, write_system
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.verdicts import find_verdicts, read_curves, read_verdicts
from leukoscope.smear.measurements import measure

VERDICTS = ("normal", "refer", "blast")
SMALL = {
    "split.kind": "kfold",
    "split.folds": 2,
    "split.validation": 0.4,
    "preprocess.size": 16,
    "training.epochs": 6,
    "training.batch_size": 16,
    "optimiser.learning_rate": 0.003,
    "training.device": "cpu",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rendered cells (``cells``) and a small network's run on them (``run``)."""
    place = tmp_path_factory.mktemp("fuzzy")
    api.render("rendered-allidb2", place / "cells", images=96, subjects=24, size=64)
    api.train(place / "cells", place / "run", model="cnn-1", settings=SMALL)
    return place


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    for name in ("cells", "run"):
        shutil.copytree(trained / name, tmp_path / name)
    return tmp_path


def evaluated(capsys: pytest.CaptureFixture[str], *call: object) -> dict[str, Any]:
    """What the command says of the fuzzy decision, as JSON."""
    capsys.readouterr()
    words = ["evaluate", *map(str, call), "--resamples", "200", "--json", "--quiet"]
    assert main(words) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["fuzzy"]
    return found


@pytest.mark.parametrize("system", ["three", "five"])
def test_a_run_gets_verdicts_and_both_rules_are_counted(
    system: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / system
    found = evaluated(capsys, trained / "run", "--fuzzy", system, "--verdicts", out)
    assert found == json.loads((out / "fuzzy.json").read_text(encoding="utf-8"))
    assert found["edition"] == "leak-free"
    table = pd.read_csv(out / "predictions.csv")
    run = pd.read_csv(trained / "run" / "predictions.csv")
    test = run[run["part"] == "test"]
    assert sorted(table["row"]) == sorted(test["row"])
    assert set(table["verdict"]) <= set(VERDICTS)
    assert table["reason"].str.len().min() > 0
    assert found["verdicts"] == {name: int((table["verdict"] == name).sum()) for name in VERDICTS}

    # Both rules' errors, counted from the files by hand.
    answered = table[table["verdict"] != "refer"]
    wrong = answered[answered["verdict"] != answered["label"]]
    fuzzy, plain = found["comparison"]["a"], found["comparison"]["b"]
    assert (fuzzy["answered"], fuzzy["errors"]) == (len(answered), len(wrong))
    assert fuzzy["missed"] == int((wrong["label"] == "blast").sum())
    errors = 0
    for _, fold in table.groupby("fold"):
        referred = int((fold["verdict"] == "refer").sum())
        sure = (fold["calibrated"] - 0.5).abs().sort_values(kind="stable").index[referred:]
        called = np.where(fold.loc[sure, "calibrated"] >= 0.5, "blast", "normal")
        errors += int((called != fold.loc[sure, "label"]).sum())
    assert (plain["answered"], plain["errors"]) == (fuzzy["answered"], errors)
    if len(answered):
        difference = (len(wrong) - errors) / len(answered)
        assert found["comparison"]["difference"]["value"] == pytest.approx(difference)
    for rule in ("by_label", "plain_by_label"):
        assert sum(sum(row.values()) for row in found[rule].values()) == len(table)

    # Cells are measured as anybody would measure them, validation cells too.
    cells = pd.read_csv(out / "cells.csv").set_index("row")
    assert set(cells.index) == set(run["row"])
    row = table["row"].iloc[0]
    own = measure(decode(trained / "cells" / row).pixels).row()
    assert cells.loc[row, "nucleus_cell_ratio"] == pytest.approx(own["nucleus_cell_ratio"])
    assert [one.name for one in read_curves(out).memberships][-1] == "score"
    for name in ("memberships", "decision_surface"):
        assert Image.open(out / f"{name}.png").width > 300
        assert (out / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")


def test_sets_are_fitted_without_the_test_groups(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied / "run"
    evaluated(capsys, run, "--fuzzy", "five", "--verdicts", copied / "before")
    table = pd.read_csv(run / "predictions.csv")
    fold = table[table["fold"] == 0]
    assert not set(fold.loc[fold["part"] == "test", "group"]) & set(
        fold.loc[fold["part"] == "validation", "group"]
    )
    # Everything of the test cells is turned round: what the model said, and the images.
    test = table["part"] == "test"
    table.loc[test, ["p_blast", "p_normal"]] = table.loc[test, ["p_normal", "p_blast"]].to_numpy()
    table.to_csv(run / "predictions.csv", index=False)
    for row in fold.loc[fold["part"] == "test", "row"]:
        pixels = decode(copied / "cells" / row).pixels
        Image.fromarray(255 - pixels).save(copied / "cells" / row)
    evaluated(capsys, run, "--fuzzy", "five", "--verdicts", copied / "after")
    before, after = copied / "before", copied / "after"
    assert (after / "fold-0.toml").read_bytes() == (before / "fold-0.toml").read_bytes()
    # Each fold has its own, and the second one validates on cells that the first one tests.
    assert (after / "fold-1.toml").read_bytes() != (before / "fold-1.toml").read_bytes()
    changed = pd.read_csv(after / "predictions.csv"), pd.read_csv(before / "predictions.csv")
    assert (changed[0]["reason"] != changed[1]["reason"]).any()
    count = tomllib.loads((before / "fold-0.toml").read_text(encoding="utf-8"))["fitted_on"]
    validation = fold[fold["part"] == "validation"]
    groups = validation["group"].nunique()
    assert count == f"{len(validation)} validation cells of {groups} groups"


def test_a_fitted_file_decides_as_it_is(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(capsys, trained / "run", "--fuzzy", "three", "--verdicts", tmp_path / "own")
    path = tmp_path / "own" / "fold-1.toml"
    found = evaluated(capsys, trained / "run", "--fuzzy", path, "--verdicts", tmp_path / "again")
    first, second = (pd.read_csv(tmp_path / d / "predictions.csv") for d in ("own", "again"))
    fold = first["fold"] == 1
    pd.testing.assert_frame_equal(first[fold], second[fold])
    # Nothing is fitted, so only the test cells are measured.
    assert found["measured"]["cells"] == first["row"].nunique()


def contrary(system: FuzzySystem) -> FuzzySystem:
    """Every rule's blast is normal, and its normal is blast."""
    other = {"blast": "normal", "normal": "blast", "refer": "refer"}
    rules = tuple(rule.model_copy(update={"then": other[rule.then]}) for rule in system.rules)
    return system.model_copy(update={"name": "contrary", "rules": rules})


def test_where_it_loses_the_report_says_so(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A model that knows most labels, and rules that say the contrary.
    table = pd.read_csv(copied / "run" / "predictions.csv")
    rng = np.random.default_rng(0)
    blast = (table["label"] == "blast").to_numpy() ^ (rng.random(len(table)) < 0.15)
    table["p_blast"] = np.where(blast, 0.8, 0.2) + rng.uniform(-0.19, 0.19, len(table))
    table["p_normal"] = 1 - table["p_blast"]
    table["predicted"] = np.where(table["p_blast"] > 0.5, "blast", "normal")
    table.to_csv(copied / "run" / "predictions.csv", index=False)
    path = copied / "contrary.toml"
    write_system(contrary(read_system("three")), path)
    place = copied / "run" / "contrary"
    found = evaluated(capsys, copied / "run", "--fuzzy", path, "--verdicts", place)
    assert found["comparison"]["b"]["errors"] < found["comparison"]["a"]["errors"]
    assert found["comparison"]["difference"]["low"] > 0
    assert found["summary"].endswith("groups: the fuzzy system loses.")
    assert find_verdicts(copied / "run") == (place,)
    assert read_verdicts(place).summary == found["summary"]
    page = api.report([copied / "run"], copied / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="fuzzy"') : page.index('<section id="limits"')]
    assert "groups: the fuzzy system loses." in section
    assert section.count("<svg") == 2


Breaking = Callable[[Path], None]


def without_validation(place: Path) -> None:
    """Every validation row of the second fold is taken away."""
    path = place / "run" / "predictions.csv"
    table = pd.read_csv(path)
    table[(table["part"] == "test") | (table["fold"] == 0)].to_csv(path, index=False)


def without_manifest(place: Path) -> None:
    """The images are elsewhere."""
    (place / "cells").rename(place / "moved")


def without_images(place: Path) -> None:
    """The folder is there and empty."""
    shutil.rmtree(place / "cells")
    (place / "cells").mkdir()


@pytest.mark.parametrize(
    ("broken", "call", "message"),
    [
        (without_validation, [], "no validation rows in fold 1 of repeat 0"),
        (without_manifest, [], "the manifest that the experiment names is not at hand"),
        (without_images, [], "none of 96 images could be read. Name the data: --data"),
        (None, ["--fuzzy", "thre"], "no such fuzzy system. Did you mean 'three'?"),
        (None, ["--fuzzy", "mine.toml"], "mine.toml: there is no such fuzzy system file"),
        (None, ["--verdicts", "run"], "run: exists already. Choose another folder"),
    ],
)
def test_what_cannot_be_decided_is_one_sentence_and_2(
    broken: Breaking | None,
    call: list[str],
    message: str,
    copied: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(copied)
    if broken:
        broken(copied)
    asked = ["evaluate", "run", "--fuzzy", "three", "--verdicts", "out", "--quiet"]
    assert main([*asked, "--resamples", "100", *call]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (copied / "out").exists()


def test_images_that_moved_are_named(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without_manifest(copied)
    found = evaluated(capsys, copied / "run", "--fuzzy", "three", "--data", copied / "moved")
    assert found["measured"]["cells"] == 96


def test_more_than_two_classes_are_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.render("rendered-taleghani", tmp_path / "cells", images=32, subjects=16, size=48)
    settings = {**SMALL, "training.epochs": 1, "split.validation": 0.25}
    run = api.train(tmp_path / "cells", tmp_path / "run", model="cnn-1", settings=settings)
    assert len(run.predictions.classes) == 4
    monkeypatch.setattr("leukoscope.decision.outcome.measure_rows", None)
    with pytest.raises(FuzzyError, match=r"decides between two classes, found 4 \(.*benign"):
        api.fuzzy(run)


def test_a_table_of_predictions_is_no_run(trained: Path) -> None:
    with pytest.raises(FuzzyError, match="a fuzzy decision is made of a run folder"):
        api.fuzzy(trained / "run" / "predictions.csv")


def test_a_holdout_with_repeats_has_a_system_for_each(tmp_path: Path) -> None:
    api.render("rendered-allidb2", tmp_path / "cells", images=60, subjects=20, size=48)
    plan = SplitPlan(kind="holdout", test=0.3, validation=0.4, repeats=2)
    division = api.split(tmp_path / "cells", plan=plan)
    settings = {**SMALL, "split.kind": "holdout", "training.epochs": 1}
    run = api.train(
        tmp_path / "cells", tmp_path / "run", model="cnn-1", settings=settings, split=division
    )
    api.fuzzy(run, out=tmp_path / "out", resamples=100)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.toml"))
    assert len(names) == 2
    assert sum(name.startswith("repeat-1") for name in names) == 1
