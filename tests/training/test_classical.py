"""Classical heads in a run: fitted on training rows, written, found again, answering."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError
from leukoscope.files import cache_folder
from leukoscope.images.pipeline import apply
from leukoscope.models import vectors
from leukoscope.models.classical.measurements import measure
from leukoscope.records.experiment import Experiment
from leukoscope.records.run import Run
from leukoscope.training import classical as classical_module
from leukoscope.training import predict_run, train
from leukoscope.training.batches import normaliser_of
from leukoscope.training.predicting import load_model

from .conftest import make_cells

Make = Callable[..., Experiment]


def seen_by_the_head(run: Run, cells: Manifest, keys: Any) -> Any:
    """Flattened vectors of rows, from the files of the run alone."""
    _, network, pipeline = load_model(run.folder / "fold-0")
    images = [apply(pipeline, np.asarray(Image.open(cells.folder / key))) for key in keys]
    normalise = normaliser_of(pipeline, torch.device("cpu"))
    with torch.inference_mode():
        return vectors(network.network, normalise(normalise.load(np.stack(images)))).numpy()


@pytest.mark.parametrize(("head", "peer"), [("svm", SVC()), ("nb", GaussianNB())])
def test_the_head_is_scikit_learns_on_the_flattened_training_vectors(
    head: str, peer: Any, cells: Manifest, small: Make, tmp_path: Path
) -> None:
    run = train(small(model__name=f"fem-1+{head}"), cells, tmp_path / "run")
    labels = dict(zip(cells.keys, cells.column("label"), strict=True))
    fold = run.split.folds[0]
    known = seen_by_the_head(run, cells, fold.train)
    assert known.shape[1] == 4 * 4 * 64  # CNN-1 at 8 px ends in 4 × 4 places of 64 filters
    peer.fit(known, [labels[key] for key in fold.train])
    table = run.predictions.part("test").table
    assert list(peer.predict(seen_by_the_head(run, cells, table["row"]))) == list(
        table["predicted"]
    )


def test_the_networks_own_head_is_trained_as_without(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    plain = train(small(), cells, tmp_path / "plain")
    run = train(small(model__name="fem-1+rf"), cells, tmp_path / "run")
    weights = [one.folder / "fold-0" / "weights.safetensors" for one in (plain, run)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    files = sorted(path.name for path in (run.folder / "fold-0").iterdir())
    assert files == [
        *("history.csv", "model.json", "model.skops", "pipeline.json", "weights.safetensors")
    ]
    record = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert record["head"] == "random forest of 100 trees"
    assert record["vector_length"] == 1024
    assert record["head_seconds"] > 0


@pytest.mark.parametrize("name", ["fem-1+svm", "lab-kmeans+svm", "wavelet+knn"])
@pytest.mark.parametrize("classes", [("blast", "normal"), ("benign", "early", "pro")])
def test_a_run_answers_for_raw_images(
    name: str, classes: tuple[str, ...], small: Make, tmp_path: Path
) -> None:
    cells = make_cells(tmp_path / "cells", classes)
    settings = {"preprocess.subtract_mean_image": True, "preprocess.scale": "symmetric"}
    experiment = small(
        model__name=name, **{key.replace(".", "__"): value for key, value in settings.items()}
    )
    run = train(experiment, cells, tmp_path / "run")
    table = run.predictions.part("test").table
    images = [np.asarray(Image.open(cells.folder / image)) for image in table["image"]]
    columns = [f"p_{one}" for one in run.predictions.classes]
    # Convolutions of another batch size add up in another order, and log p is taken back.
    assert np.allclose(predict_run(run.folder, 0, np.stack(images)), table[columns], atol=1e-5)


def test_measured_features_need_no_training(small: Make, tmp_path: Path) -> None:
    cells = make_cells(tmp_path / "cells", subjects=12, each=5)
    run = train(small(model__name="wavelet+svm"), cells, tmp_path / "run")
    record = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert (record["epochs"], record["parameters"]) == (0, 0)
    assert record["chosen_by"] == "nothing was trained before the head"
    assert record["head"].startswith("standardised; SVM (RBF kernel")
    assert not (run.folder / "fold-0" / "history.csv").exists()
    # The classes differ in their colour, which the coarsest coefficients are.
    assert run.metrics["levels"]["image"]["auroc"]["value"] > 0.95


def test_each_image_is_measured_once_for_all_folds_and_heads(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def counted(name: str, pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels.tobytes())
        return measure(name, pixels)

    monkeypatch.setattr("leukoscope.models.measured.measure", counted)
    folds = {"split__kind": "kfold", "split__folds": 3}
    run = train(small(model__name="wavelet+knn", **folds), cells, tmp_path / "run")
    # The first image of a fold is measured to know how long the vectors are.
    assert len(set(seen)) == len(cells)
    assert len(seen) <= len(cells) + 3
    _, _, pipeline = load_model(run.folder / "fold-0")
    images = [np.asarray(Image.open(cells.path(row))) for row in range(len(cells))]
    expected = {tuple(measure("wavelet", apply(pipeline, image))) for image in images}
    (store,) = (cache_folder() / "features").glob("*/vectors.f32")
    assert {tuple(row) for row in np.fromfile(store, np.float32).reshape(-1, 60)} == expected
    seen.clear()
    train(small(model__name="wavelet+nb", **folds), cells, tmp_path / "other")
    assert len(seen) <= 3


def test_copies_fit_the_head_too(cells: Manifest, small: Make, tmp_path: Path) -> None:
    experiment = small(
        model__name="fem-1+knn", expand__factor=2, expand__augmentation={"flip_horizontal": 1.0}
    )
    run = train(experiment, cells, tmp_path / "run")
    record = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert record["head"].endswith(f"of {2 * len(run.split.folds[0].train)} rows")


def test_a_stop_while_the_head_is_fitted_loses_no_epoch(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = small(model__name="fem-1+svm")
    whole = train(experiment, cells, tmp_path / "whole")

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(classical_module, "fit_classifier", stop)
    with pytest.raises(KeyboardInterrupt):
        train(experiment, cells, tmp_path / "run")
    monkeypatch.undo()
    epochs = []
    from leukoscope.training import loop

    run_epoch = loop.run_epoch
    monkeypatch.setattr(loop, "run_epoch", lambda *a: epochs.append(1) or run_epoch(*a))
    run = train(experiment, cells, tmp_path / "run")
    assert not epochs
    same = (run.folder / "predictions.csv", whole.folder / "predictions.csv")
    assert same[0].read_bytes() == same[1].read_bytes()


def test_many_vectors_lie_in_a_file_while_the_head_is_fitted(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = small(model__name="fem-1+svm")
    whole = train(experiment, cells, tmp_path / "whole")
    monkeypatch.setattr(classical_module, "IN_MEMORY", 0)
    run = train(experiment, cells, tmp_path / "run")
    same = (run.folder / "predictions.csv", whole.folder / "predictions.csv")
    assert same[0].read_bytes() == same[1].read_bytes()
    assert not list(run.folder.rglob("vectors-*.npy"))


def test_a_lost_head_is_told(cells: Manifest, small: Make, tmp_path: Path) -> None:
    run = train(small(model__name="wavelet+nb"), cells, tmp_path / "run")
    (run.folder / "fold-0" / "model.skops").unlink()
    with pytest.raises(RunError, match=r"model.skops: there is no such file"):
        load_model(run.folder / "fold-0")


def test_wrong_names_are_refused(cells: Manifest, small: Make, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"Did you mean 'svm'"):
        train(small(model__name="fem-1+svn"), cells, tmp_path / "run")
    with pytest.raises(ExperimentError, match=r"needs a head, as in 'fem-1\+svm'"):
        train(small(model__name="fem-1"), cells, tmp_path / "other")
    with pytest.raises(ExperimentError, match=r"Did you mean .*'cnn-"):
        train(small(model__name="fem-7+svm"), cells, tmp_path / "more")
