"""Split, model, errors and checks: what each section says of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukoscope.files import write_json
from leukoscope.records.findings import Finding
from leukoscope.records.predictions import read_predictions
from leukoscope.records.run import read_run
from leukoscope.records.split import read_split, write_split
from leukoscope.reports import write_report
from leukoscope.reports.sections import checks, data, editions, errors, model, split
from leukoscope.reports.study import read_study


def test_the_split_is_tabled_by_part(make_run: Any) -> None:
    (shown,) = split.build(read_study([make_run()])).splits
    test = next(row for row in shown.rows if row.fold == "fold-0" and row.part == "test")
    # Every fourth of 28 subjects, of which the first 14 are blasts: four and three of six cells.
    assert (test.images, test.subjects, test.groups) == ("42", "7", "7")
    assert test.classes == ("24", "18")
    assert shown.cut_groups == 0
    assert not shown.incomplete
    assert shown.words == (
        "The data was divided into 4 folds, each of which tests once; groups were never cut. "
        "Seed 0."
    )


def test_the_leak_of_an_image_level_split_is_counted(make_run: Any) -> None:
    run = make_run(edition="as-published")
    (shown,) = split.build(read_study([run])).splits
    record = read_split(run / "split.json")
    group = {key: key.split("/")[1][:2] for fold in record.folds for key in fold.test}
    cuts = [{group[k] for k in f.train} & {group[k] for k in f.test} for f in record.folds]
    assert shown.cut_groups == max(map(len, cuts)) > 0


def test_rows_that_only_train_come_from_the_manifest_or_are_dashes(make_run: Any) -> None:
    run = make_run()
    record = read_split(run / "split.json")
    first = record.model_copy(update={"folds": record.folds[:1], "kind": "holdout"})
    write_split(first, run / "split.json")
    table = read_predictions(run / "predictions.csv").table
    table[table["fold"] == 0].to_csv(run / "predictions.csv", index=False)
    (shown,) = split.build(read_study([run])).splits
    assert shown.rows[0].part == "train"
    assert shown.rows[0].groups == "14"
    (run.parent / "data" / "run.csv").unlink()
    (shown,) = split.build(read_study([run])).splits
    assert shown.incomplete
    assert (shown.rows[0].images, shown.rows[0].groups) == ("84", "—")
    assert shown.rows[-1].groups == "7"


def test_many_folds_are_summed_up(make_run: Any) -> None:
    (shown,) = split.build(read_study([make_run(folds=14)])).splits
    assert [(row.fold, row.part) for row in shown.rows] == [
        ("each of 14", "train"), ("each of 14", "validation"), ("each of 14", "test"),
    ]  # fmt: skip
    assert shown.rows[2].groups == "2"
    assert shown.rows[2].images == "12"


def test_classes_and_exclusions(make_run: Any) -> None:
    (shown,) = data.build(read_study([make_run()])).sets
    assert [(c.name, c.meaning, c.images, c.groups) for c in shown.classes] == [
        ("blast", "blast", 84, 14), ("normal", "normal", 84, 14),
    ]  # fmt: skip
    assert shown.excluded == (("unreadable", 1), ("no label", 2))
    assert {field: text for field, _, text in shown.facts}["image_size"] == "48 × 48 pixels"


def test_two_runs_of_one_data_set_show_it_once(make_run: Any) -> None:
    study = read_study([make_run("a", edition="as-published"), make_run("b")])
    assert len(data.build(study).sets) == 1
    assert len(split.build(study).splits) == 2


def test_settings_differ_where_they_do(make_run: Any) -> None:
    runs = [
        make_run("a", settings={"model": {"name": "cnn-1"}}),
        make_run("b", settings={"model": {"name": "cnn-2"}}),
    ]
    built = model.build(read_study(runs))
    rows = {row.key: row for row in built.settings}
    assert rows["model.name"].values == ("cnn-1", "cnn-2")
    assert rows["model.name"].differs
    assert not rows["training.epochs"].differs
    shown = rows["optimiser.learning_rate"].values[0]
    assert shown == "0, the default: 0.01 for SGD, 0.0003 for Adam and 0.0003 for RMSprop"
    assert not any(key.startswith("augment.") for key in rows)


@pytest.mark.parametrize(
    "plan",
    [
        {"kind": "kfold", "folds": 9, "file": "split.json"},
        {"kind": "holdout", "test": 0.35},  # a run from before its file was named
    ],
)
def test_a_given_split_is_shown_and_not_the_plan_it_replaced(
    make_run: Any, plan: dict[str, Any]
) -> None:
    planned, given = make_run("a"), make_run("b", settings={"split": plan})
    rows = {row.key: row.values for row in model.build(read_study([planned, given])).settings}
    assert rows["split.kind"] == ("kfold", "kfold (given)")
    assert rows["split.folds"] == ("4", "4 (given)")
    assert rows["split.repeats"] == ("1", "1 (given)")
    assert rows["split.test"] == ("0.2", "25.0\u00a0% (given)")
    assert rows["split.group_duplicates"] == ("yes", "— (given)")


def test_the_best_epoch_of_each_fold_is_read_from_its_history(make_run: Any) -> None:
    (shown,) = model.build(read_study([make_run()])).runs
    assert [fold.epochs for fold in shown.folds] == [6] * 4
    assert {fold.best for fold in shown.folds} <= {4, 5, 6}
    assert {fold.kept for fold in shown.folds} == {None}
    assert shown.network == ()
    assert shown.curves is not None


@pytest.mark.usefixtures("without_figures")
def test_the_epoch_kept_is_what_the_fold_says(make_run: Any, parse: Any, tmp_path: Path) -> None:
    run = make_run()
    fold = {"schema": 1, "epoch": 3, "parameters": 1234567, "precision": "float32"}
    for number in range(4):
        write_json(run / f"fold-{number}" / "model.json", fold)
    (shown,) = model.build(read_study([run])).runs
    assert {fold.kept for fold in shown.folds} == {3}
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert page.fields["model.network"] == ["1,234,567", "float32"]


@pytest.mark.usefixtures("without_figures")
def test_a_run_without_histories_is_reported_without_them(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    write_report([make_run(histories=False)], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert "model.curves" not in page.fields
    assert page.fields["model.no_history"] == ["The run folder holds no training histories."]


@pytest.mark.usefixtures("without_figures")
def test_errors_are_counted_and_shown_as_pictures(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    run = make_run(skill=0.5)
    table = read_predictions(run / "predictions.csv").table
    wrong = table[table["label"] != table["predicted"]]
    built = errors.build(read_study([run]))
    assert (built.wrong, built.of) == (len(wrong), 168)
    assert sum(row.count for row in built.confused) == len(wrong)
    assert built.pictures
    assert built.worst[0].probability == pytest.approx(
        wrong[["p_blast", "p_normal"]].max(axis=1).max()
    )
    assert all(case.label != case.predicted for case in built.worst)
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    pictures = [image for image in page.all("img") if image["alt"].startswith("Cell image")]
    assert len(pictures) == len(built.worst)
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in pictures)
    assert "labelled" in pictures[0]["alt"]


def test_hardest_subjects_are_named(make_run: Any) -> None:
    run = make_run(skill=0.5)
    table = read_predictions(run / "predictions.csv").table
    counts = table[table["label"] != table["predicted"]]["subject"].value_counts()
    built = errors.build(read_study([run]))
    assert built.unit == "subject"
    assert built.hardest[0].wrong == counts.iloc[0]
    assert {row.name: row.wrong for row in built.hardest}[counts.index[0]] == counts.iloc[0]


@pytest.mark.usefixtures("without_figures")
def test_pictures_that_are_not_at_hand_are_said_to_be_absent(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    write_report([make_run(keep_manifest=False)], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert page.fields["errors.reason"] == [
        "Pictures are not shown: the manifest that the experiment names is not at hand. The errors "
        "are listed by name."
    ]
    assert "Labelled" in page.fields["errors.worst"][0]


def test_a_finding_of_one_run_says_so(make_run: Any) -> None:
    leak = Finding(check="cut-groups", severity="error", summary="14 groups are cut.")
    note = Finding(check="size", severity="note", summary="Small.")
    study = read_study(
        [
            make_run("a", edition="as-published", findings=(note, leak)),
            make_run("b", findings=(note,)),
        ]
    )
    built = checks.build(study)
    assert [(f.check, f.runs) for f in built.findings] == [
        ("cut-groups", ("as-published",)), ("size", ()),
    ]  # fmt: skip
    assert built.counts == (("error", 1), ("note", 1))


def test_what_a_backbone_began_with_is_told() -> None:
    facts = {"source": "run:pcam", "sha256": "ab" * 32, "datasets": ["ImageNet-1k", "pcam"]}
    unknown = {**facts, "source": "file:net.safetensors", "datasets": []}
    words = [model._pretraining_words(one) for one in (facts, unknown)]
    assert words[0] == "run:pcam (SHA-256 abababababab), trained on ImageNet-1k, pcam"
    assert words[1].endswith("trained on sets that nobody names")


def test_runs_stand_beside_what_they_were_bought_with(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("first"), make_run("second", seed=1), make_run("third", folds=2)]
    for run, factor in zip(runs, (1, 2, 3), strict=True):
        for number in range(2):
            facts = {"parameters": 1000 * factor, "operations": 601_000_000 * factor}
            facts |= {"vector_length": 0, "seconds": 30.0, "head_seconds": 1.5}
            write_json(run / f"fold-{number}" / "model.json", {"schema": 1, **facts})
    found = editions.build(read_study(runs))
    assert found is not None
    efforts = [row.effort for row in found.runs]
    assert [effort.parameters for effort in efforts] == [1000, 2000, 3000]
    assert {effort.vector_length for effort in efforts} == {None}
    assert efforts[0].seconds == 63.0
    write_report(runs, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "0.601 GFLOP" in page
    assert "1.8 GFLOP" in page
    assert "1 min 03 s" in page


def test_runs_that_differ_in_their_seed_show_its_spread(make_run: Any, tmp_path: Path) -> None:
    """Mean and standard deviation by NumPy from the runs' own metrics."""
    runs = [make_run(name, seed=seed) for seed, name in enumerate(("a", "b", "c"))]
    found = editions.build(
        read_study([*runs, make_run("d", settings={"model": {"name": "cnn-2"}})])
    )
    assert found is not None
    (row,) = found.seeds
    assert row.seeds == (0, 1, 2)
    values = [read_run(run).metrics["levels"]["image"]["auroc"]["value"] for run in runs]
    spread = row.cells[0]
    assert spread is not None
    assert spread.mean == pytest.approx(np.mean(values))
    assert spread.deviation == pytest.approx(np.std(values, ddof=1))
    assert (spread.low, spread.high) == (min(values), max(values))
    write_report(runs, tmp_path / "report.html")
    assert "Spread over seeds" in (tmp_path / "report.html").read_text()
