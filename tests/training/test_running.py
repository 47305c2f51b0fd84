"""From an experiment and a manifest to a run folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope import api
from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError, SplitError
from leukoscope.records.experiment import Experiment, SplitPlan
from leukoscope.records.predictions import read_predictions
from leukoscope.records.run import read_history, read_run
from leukoscope.splits.splitting import make_split
from leukoscope.training import predict_run, train
from leukoscope.training.running import _refuse_other_experiment

from .conftest import make_cells

Make = Callable[..., Experiment]


def test_a_run_has_every_file_of_the_contract(cells: Manifest, small: Make, tmp_path: Path) -> None:
    run = train(small(), cells, tmp_path / "run")
    files = sorted(p.relative_to(run.folder).as_posix() for p in run.folder.rglob("*.*"))
    assert files == [
        "data.json",
        "environment.json",
        "experiment.toml",
        "findings.json",
        "fold-0/history.csv",
        "fold-0/model.json",
        "fold-0/pipeline.json",
        "fold-0/weights.safetensors",
        "metrics.json",
        "predictions.csv",
        "split.json",
    ]
    assert not (tmp_path / "run.partial").exists()
    assert run.experiment == small()
    assert run.data.used == run.data.rows == 36
    assert run.data.groups == {"normal": 6, "blast": 6}
    assert run.metrics["levels"]["image"]["auroc"]["n"] == len(run.split.folds[0].test)
    history = read_history(run.folder / "fold-0" / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert set(history) >= {"loss", "accuracy", "validation_loss", "validation_accuracy"}
    assert "test_loss" not in history


def test_images_that_have_moved_are_told_before_anything_is_begun(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    cells.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ExperimentError, match=r"none of 36 images is at hand: .*cells \(the first"):
        train(small(), cells, tmp_path / "run")
    assert not (tmp_path / "run.partial").exists()


def test_predictions_have_every_column_and_every_row(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    run = train(small(split__kind="kfold", split__folds=2), cells, tmp_path / "run")
    table = run.predictions.table
    assert list(table.columns) == [
        *("row", "image", "subject", "group", "dataset", "part", "fold", "repeat"),
        *("label", "predicted", "p_normal", "p_blast"),
    ]
    for number, fold in enumerate(run.split.folds):
        here = table[table["fold"] == number]
        for part in ("validation", "test"):
            assert set(here.loc[here["part"] == part, "row"]) == set(getattr(fold, part))
    assert np.allclose(table["p_normal"] + table["p_blast"], 1)
    chosen = np.where(table["p_blast"] > 0.5, "blast", "normal")
    assert (table["predicted"] == chosen).all()


def test_a_run_can_answer_for_raw_images(cells: Manifest, small: Make, tmp_path: Path) -> None:
    run = train(small(preprocess__subtract_mean_image=True), cells, tmp_path / "run")
    table = run.predictions.part("test").table
    images = [np.asarray(Image.open(cells.folder / name)) for name in table["image"]]
    answers = predict_run(run.folder, 0, np.stack(images))
    assert np.allclose(answers, table[["p_normal", "p_blast"]], atol=1e-6)
    with pytest.raises(RunError, match=r"fold-7: there is no such fold. Found: fold-0"):
        predict_run(run.folder, 7, np.stack(images))


def test_the_network_learns_what_can_be_learnt(small: Make, tmp_path: Path) -> None:
    cells = make_cells(tmp_path / "cells", subjects=10, each=4)
    run = train(small(training__epochs=8), cells, tmp_path / "run")
    assert run.metrics["levels"]["image"]["auroc"]["value"] > 0.95


def test_more_than_two_classes_share_a_softmax(small: Make, tmp_path: Path) -> None:
    cells = make_cells(tmp_path / "cells", ("benign", "early", "pro"))
    run = train(small(), cells, tmp_path / "run")
    assert run.predictions.classes == ("benign", "early", "pro")
    assert run.predictions.positive is None
    assert np.allclose(run.predictions.probabilities.sum(axis=1), 1)


def test_a_binary_task_follows_the_card(small: Make, tmp_path: Path) -> None:
    mapping = {"benign": "normal", "early": "blast", "pro": "blast", "other": ""}
    cells = make_cells(
        tmp_path / "cells", ("benign", "early", "pro", "other"), card={"classes": mapping}
    )
    run = train(small(data__task="binary"), cells, tmp_path / "run")
    assert run.predictions.classes == ("normal", "blast")
    assert run.predictions.positive == "blast"
    assert run.data.excluded == {"neither blast nor normal": 18}
    assert run.data.classes == {"normal": 18, "blast": 36}


def test_two_classes_without_a_known_positive_one_are_refused(small: Make, tmp_path: Path) -> None:
    cells = make_cells(tmp_path / "cells", ("big", "little"))
    with pytest.raises(ExperimentError, match=r"which of 'big' and 'little' is the positive class"):
        train(small(), cells, tmp_path / "run")
    assert not (tmp_path / "run.partial").exists()
    named = cells.with_card(positive="little")
    assert train(small(), named, tmp_path / "run").predictions.positive == "little"


def test_of_two_own_classes_the_one_that_the_card_maps_to_blast_is_positive(
    small: Make, tmp_path: Path
) -> None:
    """SN-AM: B-ALL is blast, multiple myeloma is neither, and both are told apart."""
    card = {"classes": {"b-all": "blast", "mm": ""}, "positive": "blast"}
    cells = make_cells(tmp_path / "cells", ("b-all", "mm"), card=card)
    run = train(small(), cells, tmp_path / "run")
    assert run.predictions.classes == ("mm", "b-all")
    assert run.predictions.positive == "b-all"
    assert read_run(tmp_path / "run").predictions.positive == "b-all"


def test_an_unreadable_image_is_passed_over_and_counted(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    lost = cells.column("image")[0]
    (cells.folder / lost).write_bytes(b"not an image")
    run = train(
        small(),
        cells.with_columns(sha256=[""] * 36),
        tmp_path / "run",
        failures=[("x.png", "empty")],
    )
    assert run.data.excluded == {"unreadable": 2}
    assert (run.data.rows, run.data.used) == (37, 35)
    assert [line.split(":")[0] for line in run.data.failures] == ["x.png", lost]
    assert run.data.failures[1].count(Path(lost).name) == 1
    assert run.data.failures[1].startswith(f"{lost}: data that begins with b'not an i' was found")
    assert lost not in set(run.predictions.table["row"])


def test_a_run_with_a_given_split_repeats_itself_from_its_own_files(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    given = make_split(cells, SplitPlan(kind="kfold", folds=2), seed=3, edition="leak-free")
    run = train(small(), cells, tmp_path / "run", split=given)
    assert run.experiment.split.file == "split.json"
    assert run.experiment.split.kind == "holdout"  # the plan, which was not used
    again = api.train(cells, tmp_path / "again", experiment=run.folder / "experiment.toml")
    assert again.split == given
    assert again.predictions.table.equals(run.predictions.table)


def test_a_folder_that_is_there_is_said_to_be_what_it_is(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    api.train(cells, out, experiment=small())
    with pytest.raises(RunError, match=r"run of the same experiment: there is nothing to do\."):
        api.train(cells, out, experiment=small(name="renamed"))
    with pytest.raises(
        RunError, match=r"of another experiment: training\.epochs was 2 and is now 3\. Choose"
    ):
        api.train(cells, out, experiment=small(training__epochs=3))
    with pytest.raises(
        RunError, match=r"another experiment: data\.manifest was '\.\./cells' and is"
    ):
        api.train(tmp_path / "elsewhere", out, experiment=small())
    split = make_split(cells, SplitPlan(kind="holdout", test=0.5), seed=9, edition="leak-free")
    with pytest.raises(RunError, match=r"of another experiment: the split is another one\."):
        api.train(cells, out, experiment=small(), split=split)


def test_an_existing_run_is_not_overwritten(cells: Manifest, small: Make, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(
        RunError, match=r"run: exists already and is no run\. Choose another folder"
    ):
        train(small(), cells, tmp_path / "run")


def test_a_leaking_split_is_refused_unless_it_is_as_published(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    plan = SplitPlan(kind="holdout", test=0.25, validation=0.25)
    leaking = make_split(cells, plan, seed=0, edition="as-published")
    with pytest.raises(ExperimentError, match=r"split's edition is 'as-published', the experiment"):
        train(small(), cells, tmp_path / "run", split=leaking)
    run = train(small(edition="as-published"), cells, tmp_path / "run", split=leaking)
    assert run.edition == "as-published"
    assert any(f.check == "cut-groups" for f in run.findings)
    # A leak-free split under the name of the other edition would show a gap that is no leak.
    sound = make_split(cells, plan, seed=0, edition="leak-free")
    with pytest.raises(ExperimentError, match=r"split's edition is 'leak-free', the experiment"):
        train(small(edition="as-published"), cells, tmp_path / "other", split=sound)


def test_identical_pixels_across_a_split_end_a_leak_free_training(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    """The split cuts no group, but two subjects share an image that grouping never saw."""
    split = make_split(
        cells, SplitPlan(kind="holdout", test=0.25, validation=0.25), seed=0, edition="leak-free"
    )
    hashes = list(cells.column("pixels_sha256"))
    row_of = {key: row for row, key in enumerate(cells.keys)}
    fold = split.folds[0]
    hashes[row_of[fold.test[0]]] = hashes[row_of[fold.train[0]]]
    with pytest.raises(SplitError, match=r"this split leaks, and the experiment says leak-free"):
        train(small(), cells.with_columns(pixels_sha256=hashes), tmp_path / "run", split=split)


def test_a_split_of_other_data_is_refused(cells: Manifest, small: Make, tmp_path: Path) -> None:
    other = make_cells(tmp_path / "other", each=2)
    split = make_split(other, SplitPlan(), seed=0, edition="leak-free")
    with pytest.raises(SplitError, match="made of another manifest"):
        train(small(), cells, tmp_path / "run", split=split)


def test_a_balanced_draw(cells: Manifest, small: Make, tmp_path: Path) -> None:
    run = train(small(data__balance=12), cells, tmp_path / "run")
    assert run.data.classes == {"normal": 12, "blast": 12}
    assert run.data.excluded == {"not drawn for the balanced set": 12}
    with pytest.raises(ExperimentError, match=r"asks for 19 images .* 'blast' has 18"):
        train(small(data__balance=19), cells, tmp_path / "more")


def test_an_unknown_label_is_answered_with_the_right_one(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match=r"names class 'blasts'.* Did you mean 'blast'"):
        train(small(data__leave_out=["blasts"]), cells, tmp_path / "run")
    with pytest.raises(ExperimentError, match=r"found only 'normal' after the experiment's"):
        train(small(data__leave_out=["blast"]), cells, tmp_path / "run")


def test_a_validation_rule_needs_a_validation_part(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(
        ExperimentError,
        match=r"training\.epoch looks at the validation part, but this fold has none: .* Set "
        r"split\.validation above 0 and add subjects .* training\.epoch = 'last' and",
    ):
        train(small(split__validation=0.0), cells, tmp_path / "run")
    with pytest.raises(ExperimentError, match=r"training.patience looks at the validation part"):
        train(
            small(split__validation=0.0, training__epoch="last", training__patience=3),
            cells,
            tmp_path / "other",
        )
    run = train(small(split__validation=0.0, training__epoch="last"), cells, tmp_path / "last")
    assert set(run.predictions.table["part"]) == {"test"}


def test_an_unknown_device_or_diverging_rate_is_told(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match=r"the training diverged. Lower optimiser"):
        train(
            small(optimiser__name="sgd", optimiser__learning_rate=1e20),
            cells,
            tmp_path / "run",
        )


def test_early_stopping_keeps_the_best_epoch(cells: Manifest, small: Make, tmp_path: Path) -> None:
    run = train(
        small(training__epochs=40, training__patience=2, optimiser__learning_rate=0.01),
        cells,
        tmp_path / "run",
    )
    history = read_history(run.folder / "fold-0" / "history.csv")
    model = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert len(history) < 40
    assert model["epochs"] == len(history)
    assert model["epoch"] == int(history.loc[history["validation_loss"].idxmin(), "epoch"])
    assert len(history) - model["epoch"] == 2


def test_resuming_with_another_experiment_says_what_changed(
    small: Make, tmp_path: Path, cells: Manifest
) -> None:
    before, now = small(), small(training__epochs=5, optimiser__name="sgd")
    with pytest.raises(RunError) as caught:
        _refuse_other_experiment(before, now, tmp_path / "run.partial")
    assert "optimiser.name was 'adam' and is now 'sgd'" in str(caught.value)
    assert "training.epochs was 2 and is now 5" in str(caught.value)
    _refuse_other_experiment(before, small(name="renamed"), tmp_path / "run.partial")


def test_bfloat16_learns_as_well(small: Make, tmp_path: Path) -> None:
    cells = make_cells(tmp_path / "cells", subjects=10, each=4)
    run = train(small(training__epochs=8, training__precision="bfloat16"), cells, tmp_path / "run")
    assert run.metrics["levels"]["image"]["auroc"]["value"] > 0.95
    assert run.environment["precision"] == "bfloat16"


@pytest.mark.real
@pytest.mark.slow
def test_allidb2_in_five_folds(real_data: Path, small: Make, tmp_path: Path) -> None:
    from leukoscope.splits.grouping import open_grouped

    manifest, failures = open_grouped(real_data / "allidb2")
    run = train(
        small(split__kind="kfold", split__validation=0.15, training__epochs=1),
        manifest,
        tmp_path / "run",
        failures=failures,
    )
    assert len(run.predictions.part("test")) == len(manifest) == 175
    assert run.edition == "leak-free (inferred)"
    assert read_run(run.folder).data.groups_inferred
    assert read_predictions(run.folder / "predictions.csv").positive == "blast"
