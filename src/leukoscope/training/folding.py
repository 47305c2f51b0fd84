"""One fold of a run: its pixels, its network, its predictions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from ..datasets.manifest import Manifest
from ..files import write_json
from ..images.pipeline import Pipeline
from ..models import build
from ..models.building import to_channels_last
from ..models.classical.saving import save_classifier
from ..models.network_size import network_size
from ..models.pretrained import Pretraining
from ..models.weight_files import WeightFile
from ..progress import Progress
from ..records.experiment import Experiment, Model, weights_moved
from ..records.run import read_history
from ..records.split import Fold, Split
from .answering import FoldAnswers, count_file
from .batches import Part, normaliser_of
from .classical import HEAD_FILE, NOT_TRAINED, FittedHead, is_trained
from .clock import Clock
from .division import Copies, FoldRows, fold_rows
from .frozen import head_alone
from .loop import CHECKPOINT, HISTORY, FoldData, Kept, Report, train_network
from .pixels import Pixels, fit_pipeline, make_copies, plan_pipeline, store_pixels
from .predicting import FoldModel, save_model
from .seeds import torch_stream
from .task import Task

__all__ = ["COPIES_FILE", "FOLD_PREDICTIONS", "UNREADABLE", "Plan", "train_folds"]

COPIES_FILE = "copies.npy"
FOLD_PREDICTIONS = "predictions.csv"
UNREADABLE = "unreadable.json"


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first fold."""

    experiment: Experiment
    manifest: Manifest
    task: Task
    split: Split
    copies: Copies
    """Made before the split, as published; empty otherwise."""
    folder: Path
    device: torch.device
    precision: torch.dtype
    counts: tuple[int, ...] = ()
    """Numbers of epochs that are measured too on the way to the last."""
    heads: tuple[str, ...] = ()
    """Classical heads that are measured too, at each number of epochs."""
    weights: WeightFile | None = None
    """That a backbone begins with."""

    @property
    def pretraining(self) -> Pretraining | None:
        """Where those weights come from."""
        return None if self.weights is None else self.weights.facts


def train_folds(plan: Plan, progress: Progress) -> None:
    """Train every fold that is not finished, one after another."""
    shared = _shared_pixels(plan, progress)
    folds, epochs = len(plan.split.folds), plan.experiment.training.epochs
    clock = Clock(folds, epochs, progress)
    for number, fold in enumerate(plan.split.folds):
        folder = plan.folder / f"fold-{number}"
        if (folder / FOLD_PREDICTIONS).exists():
            clock.skip()
            continue
        folder.mkdir(exist_ok=True)
        seen = _seen(plan, fold, folder, shared, progress)
        batches = -(-len(seen.rows.train) // plan.experiment.training.batch_size)
        report = clock.of_fold(number, batches)
        epochs = _train_fold(plan, number, folder, seen, report, progress)
        clock.finish(epochs)
    progress.close()


def _shared_pixels(plan: Plan, progress: Progress) -> tuple[Pipeline, Pixels] | None:
    """Pixels that all folds share; None where each fits its own preprocessing."""
    pipeline = plan_pipeline(plan.experiment, plan.pretraining)
    if pipeline.needs_fit:
        return None
    pixels = Pixels(store_pixels(pipeline, plan.task.manifest, progress))
    _note_unreadable(plan, pixels)
    if plan.copies.keys:
        pixels = _with_copies(plan, pixels, plan.copies, plan.folder, progress)
    return pipeline, pixels


def _with_copies(
    plan: Plan, pixels: Pixels, copies: Copies, folder: Path, progress: Progress
) -> Pixels:
    if not copies.keys:
        return pixels
    return make_copies(
        pixels.stored,
        copies.parents,
        copies.keys,
        plan.experiment.expand.augmentation,
        plan.experiment.seed,
        folder / COPIES_FILE,
        progress,
    )


@dataclass(frozen=True)
class _Seen:
    """What a fold's network sees."""

    pipeline: Pipeline
    pixels: Pixels
    rows: FoldRows
    fitted_on: str
    """Which rows the pipeline was fitted on, in words; empty where nothing is fitted."""
    fitted_rows: Literal["none", "training"]


def _seen(
    plan: Plan,
    fold: Fold,
    folder: Path,
    shared: tuple[Pipeline, Pixels] | None,
    progress: Progress,
) -> _Seen:
    """The fold's pixels and rows; what is fitted is fitted on its training rows.

    In both editions: no paper fits on test images (abed2022 §4.3 takes "the mean cell image from
    the training set"). Copies are not fitted on, so that the parent of a copy made before the
    split is not either where it tests itself.
    """
    experiment, task = plan.experiment, plan.task
    if shared is None:
        all_readable = np.ones(len(task.manifest), dtype=bool)
        asked = fold_rows(experiment, task, fold, plan.copies, all_readable)
        train = asked.train[asked.train < len(task.manifest)]
        pipeline, stored = fit_pipeline(
            plan_pipeline(experiment, plan.pretraining), task.manifest, train, progress
        )
        pixels = Pixels(stored)
        fitted_on = f"the {len(train)} training images of this fold"
        fitted_rows: Literal["none", "training"] = "training"
        _note_unreadable(plan, pixels)
    else:
        pipeline, pixels = shared
        fitted_on, fitted_rows = "", "none"
    rows = fold_rows(experiment, task, fold, plan.copies, pixels.readable)
    if pixels.copies is None:
        pixels = _with_copies(plan, pixels, rows.copies, folder, progress)
    return _Seen(pipeline, pixels, rows, fitted_on, fitted_rows)


def _note_unreadable(plan: Plan, pixels: Pixels) -> None:
    """Keep which rows have no pixels, for ``data.json`` at the end."""
    keys = plan.task.manifest.keys
    # The key names the image already, and no absolute path should tell where it lay.
    lost = {
        keys[failure.row]: failure.reason.removeprefix(f"{failure.image}: ")
        for failure in pixels.stored.failures
    }
    write_json(plan.folder / UNREADABLE, {"schema": 1, "rows": lost})


def _train_fold(
    plan: Plan, number: int, folder: Path, seen: _Seen, report: Report, progress: Progress
) -> int:
    """Train, write the model, then its predictions, which say that the fold is finished.

    Returns how many epochs were trained.
    """
    experiment = plan.experiment
    network = _network(plan, number)
    # A frozen backbone answers the same in every epoch: then only the head is run.
    trained, data = head_alone(network, _data(plan, seen), experiment, progress)
    answers = FoldAnswers(
        experiment=experiment,
        task=plan.task,
        data=data,
        rows=seen.rows,
        fold=number,
        repeat=plan.split.folds[number].repeat,
        folder=folder,
        heads=plan.heads,
        progress=progress,
    )
    kept = NOT_TRAINED
    if is_trained(network, experiment):
        kept = train_network(
            trained,
            data,
            experiment,
            fold=number,
            precision=plan.precision,
            folder=folder,
            report=report,
            counts=plan.counts,
            snapshot=answers.snapshot,
        )
    # Where it stopped early, it would have with fewer or more epochs to come.
    later = [count for count in plan.counts if count > kept.epochs]
    with answers.vectors(trained) as vectors:
        answers.write_heads(vectors, (*later, 0))
        head = answers.own_head(vectors)
        record = _record(plan, folder, seen, network, kept, head)
        save_model(folder, record, network, seen.pipeline)
        if head:
            save_classifier(head.classifier, folder / HEAD_FILE)
        answers.write(trained, head, vectors, (*map(count_file, later), FOLD_PREDICTIONS))
    for path in (folder / CHECKPOINT, folder / COPIES_FILE, *folder.glob("best-*.safetensors")):
        path.unlink(missing_ok=True)
    return kept.epochs


def _network(plan: Plan, number: int) -> nn.Module:
    """A fold's network before its training."""
    network = build(
        plan.experiment.model,
        3,
        plan.experiment.preprocess.size,
        len(plan.task.classes),
        generator=torch_stream(plan.experiment.seed, number, "weights"),
        weights=plan.weights,
    )
    return to_channels_last(network.to(plan.device))


def _data(plan: Plan, seen: _Seen) -> FoldData:
    targets = _targets(plan.task, seen.rows.copies)
    train, validation, test = (
        Part(rows, targets[rows])
        for rows in (seen.rows.train, seen.rows.validation, seen.rows.test)
    )
    normaliser = normaliser_of(seen.pipeline, plan.device)
    return FoldData(seen.pixels, normaliser, train, validation, test, len(plan.task.classes))


def _record(
    plan: Plan,
    folder: Path,
    seen: _Seen,
    network: nn.Module,
    kept: Kept,
    head: FittedHead | None,
) -> FoldModel:
    """What ``model.json`` says."""
    size = plan.experiment.preprocess.size
    measured = asdict(network_size(network, size)) | (head.facts if head else {})
    return FoldModel(
        model=_told(plan.experiment.model),
        classes=plan.task.classes,
        positive=plan.task.positive,
        size=size,
        epoch=kept.epoch,
        epochs=kept.epochs,
        chosen_by=kept.chosen_by,
        fitted_on=seen.fitted_on,
        fitted_rows=seen.fitted_rows,
        precision=str(plan.precision).removeprefix("torch."),
        pretraining=plan.pretraining,
        trained_on=_datasets(plan.task, seen.rows),
        seconds=_seconds(folder),
        **measured,
    )


def _seconds(folder: Path) -> float:
    """What the epochs took, those before a stop too; 0 where none was trained."""
    path = folder / HISTORY
    return round(float(read_history(path)["seconds"].sum()), 3) if path.exists() else 0.0


def _told(model: Model) -> Model:
    """The model without where its weights lay: what they were stands in ``pretraining``."""
    return model.model_copy(update={"weights": weights_moved(model, lambda path: Path(path).name)})


def _datasets(task: Task, rows: FoldRows) -> tuple[str, ...]:
    own = rows.train[rows.train < len(task.manifest)]
    return tuple(sorted(set(task.manifest.column("dataset")[own])))


def _targets(task: Task, copies: Copies) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Class numbers of the manifest's rows and, behind them, of the copies."""
    place = {name: number for number, name in enumerate(task.classes)}
    labels = [place[label] for label in task.manifest.column("label")]
    own = np.array(labels, dtype=np.int64)
    return np.concatenate([own, own[copies.parents]])
