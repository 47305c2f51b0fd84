"""What as-published differs in, and nothing else: split unit, copies, selection, fitting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError
from leukoscope.images.pipeline import pipeline_load
from leukoscope.records.experiment import Experiment
from leukoscope.records.run import Run, read_history
from leukoscope.records.split import Fold
from leukoscope.training import train
from leukoscope.training.division import Copies, fold_rows
from leukoscope.training.task import define_task

Make = Callable[..., Experiment]
COPIES = {"expand__factor": 4, "expand__augmentation": {"rotation": 30.0}}


def _cut(run: Run) -> bool:
    subject = {}
    fold = run.split.folds[0]
    for part in ("train", "validation", "test"):
        for key in getattr(fold, part):
            name = key.rsplit("-", 1)[0]
            if subject.setdefault(name, part) != part:
                return True
    return False


def _model(run: Run) -> dict[str, object]:
    found: dict[str, object] = json.loads((run.folder / "fold-0" / "model.json").read_text())
    return found


def test_the_split_unit(cells: Manifest, small: Make, tmp_path: Path) -> None:
    clean = train(small(), cells, tmp_path / "clean")
    published = train(small(edition="as-published"), cells, tmp_path / "published")
    assert (clean.split.unit, published.split.unit) == ("group", "image")
    assert not _cut(clean)
    assert _cut(published)


def test_the_epoch_chosen_on_the_test_part(cells: Manifest, small: Make, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="needs edition = 'as-published'"):
        small(training__epoch="best-test")
    run = train(
        small(edition="as-published", training__epoch="best-test", training__epochs=6),
        cells,
        tmp_path / "run",
    )
    history = read_history(run.folder / "fold-0" / "history.csv")
    best = history["test_accuracy"].max()
    among = history[history["test_accuracy"] == best]
    assert _model(run)["epoch"] == int(among.loc[among["test_loss"].idxmin(), "epoch"])
    assert "as published: it leaks" in str(_model(run)["chosen_by"])
    accuracy = run.metrics["levels"]["image"]["accuracy"]["value"]
    assert accuracy == pytest.approx(best)


def test_a_curve_of_the_test_part_chooses_nothing(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="needs edition = 'as-published'"):
        small(training__curves_on_test=True)
    asked = {"edition": "as-published", "split__kind": "image", "split__validation": 0.0}
    runs = [
        train(
            small(**asked, training__epoch="last", training__curves_on_test=curve),
            cells,
            tmp_path / str(curve),
        )
        for curve in (True, False)
    ]
    drawn, plain = (read_history(run.folder / "fold-0" / "history.csv") for run in runs)
    assert len(drawn["test_loss"]) == len(drawn) == 2
    # The last epoch's is what the metrics say of the test part.
    accuracy = runs[0].metrics["levels"]["image"]["accuracy"]["value"]
    assert drawn["test_accuracy"].iloc[-1] == pytest.approx(accuracy)
    assert not any(name.startswith("test_") for name in plain)
    weights = [(run.folder / "fold-0" / "weights.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("edition", ["leak-free", "as-published"])
@pytest.mark.parametrize("copies", [False, True])
def test_the_mean_image_is_of_training_images_in_both_editions(
    cells: Manifest, small: Make, tmp_path: Path, edition: str, copies: bool
) -> None:
    asked = {"edition": edition, "preprocess__subtract_mean_image": True, "preprocess__size": 10}
    if copies:
        asked |= {**COPIES, "expand__before_split": edition == "as-published"}
    run = train(small(**asked), cells, tmp_path / "run")
    own = set(cells.keys)
    keys = [key for key in run.split.folds[0].train if key in own]
    assert _model(run)["fitted_on"] == f"the {len(keys)} training images of this fold"
    assert _model(run)["fitted_rows"] == "training"
    fitted = pipeline_load(run.folder / "fold-0").fitted
    assert fitted is not None
    assert fitted.mean_image is not None
    # The files are 10 px, so nothing is resized and NumPy's mean over the files is the oracle.
    train_images, all_images = (
        np.mean([np.asarray(Image.open(cells.folder / key), dtype=float) for key in rows], axis=0)
        for rows in (keys, cells.keys)
    )
    assert np.abs(fitted.mean_image - train_images).max() < 1e-3
    assert np.abs(fitted.mean_image - all_images).max() > 0.5


def test_stain_normalisation_is_fitted_on_training_rows(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    run = train(
        small(split__kind="kfold", split__folds=2, preprocess__steps=[{"name": "reinhard"}]),
        cells,
        tmp_path / "run",
    )
    fitted = [pipeline_load(run.folder / f"fold-{number}").fitted for number in (0, 1)]
    assert fitted[0] is not None
    assert fitted[1] is not None
    first, second = (next(iter(one.steps.values())) for one in fitted if one is not None)
    assert any(not np.allclose(first[name], second[name]) for name in first)


def test_copies_after_the_split_train_beside_their_parents_only(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    run = train(small(**COPIES), cells, tmp_path / "run")
    task = define_task(small(**COPIES), cells)
    rows = fold_rows(small(**COPIES), task, run.split.folds[0], Copies(), np.ones(36, dtype=bool))
    originals = rows.train[rows.train < 36]
    assert len(rows.train) == 4 * len(originals)
    assert set(rows.copies.parents) == set(originals)
    assert not any("~" in key for key in run.predictions.table["row"])
    assert not (run.folder / "copies.npy").exists()


def test_copies_before_the_split_leak_as_published(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    run = train(
        small(edition="as-published", expand__before_split=True, **COPIES), cells, tmp_path / "run"
    )
    fold = run.split.folds[0]
    assert len(fold.train) + len(fold.validation) + len(fold.test) == 4 * 36
    tested = run.predictions.part("test").table
    copies = tested[tested["row"].str.contains("~")]
    assert len(copies) > 0
    # A copy is of its parent's class and group, so that intervals know what belongs together.
    assert set(copies["group"]) <= set(cells.column("group"))
    assert "before the split" in run.split.notes[-1]
    assert run.data.used == 36


def test_copies_up_to_a_number_of_each_class(cells: Manifest, small: Make) -> None:
    """Leak-free, the training part gets its share, so both editions train on as many images."""
    experiment = small(expand__per_class=40, expand__augmentation={"flip_vertical": 0.5})
    task = define_task(experiment, cells)
    labels = cells.column("label")
    keys = tuple(key for key in cells.keys if key.endswith(("-0.png", "-1.png")))
    fold = Fold(name="fold-0", train=keys, test=tuple(k for k in cells.keys if k not in keys))
    rows = fold_rows(experiment, task, fold, Copies(), np.ones(36, dtype=bool))
    counts = {"blast": 0, "normal": 0}
    for row in rows.train:
        counts[labels[row if row < 36 else rows.copies.parents[row - 36]]] += 1
    assert counts == {"blast": 27, "normal": 27}  # 40 · 24/36


def test_an_expansion_that_changes_nothing_is_refused(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match=r"expand.augmentation changes nothing"):
        train(small(expand__factor=3), cells, tmp_path / "run")
