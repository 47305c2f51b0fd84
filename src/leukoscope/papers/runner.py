"""The trainings of a plan: each in a folder of its own, none done twice."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ExperimentError, MissingExtraError, RunError
from ..files import read_json, write_json
from ..models.classical.names import head_of
from ..progress import Progress
from ..records.experiment import Experiment, experiment_sha256, with_settings
from ..records.run import PARTIAL, Run, read_head_facts, read_history, read_run
from .budget import beyond_smoke
from .cells import Cell
from .costs import CORES, MACHINES, parts_of
from .engines import Engine, Task, run_here
from .grid import GridProgress
from .obstacles import CANNOT, no_data, without_folders
from .planner import Plan, Training
from .sources import DataUsed

__all__ = ["Outcome", "made_before", "run_folder", "run_plan", "run_training", "task_of"]


@dataclass(frozen=True)
class Outcome:
    """What became of one cell."""

    cell: Cell
    run: Run | None = field(repr=False)
    folder: Path | None
    """Of its predictions and metrics: the run, or ``epochs-E`` in it."""
    epochs: int
    reason: str
    """Why it was not run; empty where it was."""
    seconds: float = 0.0
    """What this cell took: the epochs up to its own, and the fit of its head."""


def run_plan(
    plan: Plan,
    sources: Mapping[str, DataUsed],
    out: Path,
    progress: Progress,
    engine: Engine = run_here,
) -> tuple[Outcome, ...]:
    """Run what can be run; outcomes are in the order of the plan.

    A training that is finished is read back, one that was stopped goes on from its last epoch.
    One that cannot be run (no data, no weights, an impossible experiment) is told in its
    outcomes, and the others go on.

    Raises
    ------
    RunError
        When a run in ``out`` was made with other settings or other data.
    StorageError
        When the disk is full; the same call goes on.
    """
    outcomes: dict[str, list[Outcome]] = {}
    trainings = {task_name(training): training for training in plan.trainings}
    for name, training in trainings.items():
        if training.data not in sources:
            outcomes[name] = _not_run(training, f"not run: {no_data(training.data)}")
        elif run_folder(training, out).is_dir():
            outcomes[name] = _read_back(training, sources[training.data], out)
        elif training.obstacle and not _first_is_there(training, out):
            outcomes[name] = _not_run(training, f"not run: {training.obstacle}")
    todo = {name: training for name, training in trainings.items() if name not in outcomes}
    grid = GridProgress(
        quiet=progress.quiet,
        seconds={name: one.cost.seconds(MACHINES[0]) for name, one in todo.items()},
        folder=out / "progress",
        before={name: made_before(one, out) for name, one in todo.items()},
    )
    tasks = [task_of(training, sources[training.data], out) for training in todo.values()]
    try:
        with contextlib.closing(engine(tasks, grid)) as finished:
            for task, reason in finished:
                training = trainings[task.name]
                outcomes[task.name] = (
                    _not_run(training, reason)
                    if reason
                    else _read_back(training, sources[training.data], out)
                )
                write_json(out / "state.json", _state(plan, outcomes, out))
    finally:
        grid.finish()
    for training in plan.left_out:
        outcomes[task_name(training)] = _not_run(training, beyond_smoke(plan.minutes))
    write_json(out / "state.json", _state(plan, outcomes, out))
    names = (*trainings, *map(task_name, plan.left_out))
    return tuple(outcome for name in names for outcome in outcomes[name])


def task_name(training: Training) -> str:
    """A name that no other training of the plan has."""
    return f"{training.edition}/{training.name}"


def task_of(training: Training, source: DataUsed, out: Path) -> Task:
    """A training as an engine runs it, here or in another process."""
    experiment = training.experiment
    parts, _ = parts_of(experiment.model.name)
    begins = (training.data, *parts, experiment.model.weights, str(experiment.preprocess.size))
    return Task(
        name=task_name(training),
        after=f"{training.edition}/{training.after}" if training.after else "",
        run=partial(run_training, training, source, out),
        memory_bytes=training.cost.memory_bytes,
        shares=" ".join(begins),
    )


def run_training(training: Training, source: DataUsed, out: Path, progress: Progress) -> str:
    """Make one run, or say why it cannot be made.

    Raises
    ------
    RunError, StorageError
        As ``training.train`` does: what stops the others too.
    """
    folder = run_folder(training, out)
    if folder.is_dir():
        return ""  # by a process that was killed before it could say so
    resumed = folder.with_name(folder.name + PARTIAL).exists()
    began, used = time.perf_counter(), time.process_time()
    try:
        _train(training, source, folder, out, progress)
    except CANNOT as reason:
        places = (out, source.path, source.manifest.folder)
        return f"not run: {without_folders(str(reason), places)}"
    took = {"seconds": time.perf_counter() - began, "core_seconds": time.process_time() - used}
    write_json(_took(training, out), {"schema": 1, **took, "resumed": resumed})
    return ""


def made_before(training: Training, out: Path) -> float:
    """Share of its epochs that an earlier call has made; a fold that is finished counts whole."""
    folder = run_folder(training, out)
    epochs, split = training.experiment.training.epochs, training.experiment.split
    folds = split.folds if split.kind == "kfold" else 1
    made = 0
    for fold in folder.with_name(folder.name + PARTIAL).glob("fold-*"):
        if (fold / "model.json").is_file():
            made += epochs
        elif (fold / "history.csv").is_file():
            made += min(epochs, len(read_history(fold / "history.csv")))
    return made / (epochs * folds)


def _took(training: Training, out: Path) -> Path:
    """Where it stands what a training took, with everything, in the call that finished it."""
    return out / "seconds" / training.edition / f"{training.name}.json"


def run_folder(training: Training, out: Path) -> Path:
    """Where a training lies once it is finished."""
    return out / "runs" / training.edition / training.name


def _first_is_there(training: Training, out: Path) -> bool:
    """Whether a first stage that cannot be run now was run before."""
    return bool(training.after) and (out / "runs" / training.edition / training.after).is_dir()


def _not_run(training: Training, reason: str) -> list[Outcome]:
    return [Outcome(cell, None, None, 0, reason) for cell in training.cells]


def _read_back(training: Training, source: DataUsed, out: Path) -> list[Outcome]:
    """What became of a training that is finished, if it is the one that is asked for."""
    try:
        experiment = _with_first_stage(training, out)
    except CANNOT as reason:
        return _not_run(training, f"not run: {reason}")
    folder = run_folder(training, out)
    run = read_run(folder)
    _refuse_other(run, experiment, source, folder)
    return _outcomes(training, run)


def _train(
    training: Training, source: DataUsed, folder: Path, out: Path, progress: Progress
) -> None:
    experiment = _with_first_stage(training, out)
    _refuse_missing_weights(experiment)
    try:
        from ..training import train
    except ImportError:
        raise MissingExtraError("Training", "train") from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = {"data.manifest": os.path.relpath(source.path, folder)}
    train(
        with_settings(experiment, place),
        source.manifest,
        folder,
        failures=source.failures,
        counts=training.counts,
        heads=training.heads,
        progress=progress,
    )


def _with_first_stage(training: Training, out: Path) -> Experiment:
    """The experiment, beginning with the weights of the training that comes before it."""
    if not training.after:
        return training.experiment
    first = out / "runs" / training.edition / training.after
    if not first.is_dir():
        raise ExperimentError(
            f"its first stage ({training.after}) was not run, so there are no weights to begin "
            "with."
        )
    return with_settings(training.experiment, {"model.weights": f"run:{first}"})


def _refuse_missing_weights(experiment: Experiment) -> None:
    """Before anything is read: the weights are there, or it is said which are not."""
    if experiment.model.weights == "none" or experiment.model.weights.startswith("run:"):
        return
    from ..models.weight_files import find_weights

    for name in parts_of(experiment.model.name)[0]:
        find_weights(name, experiment.model.weights)


def _refuse_other(run: Run, experiment: Experiment, source: DataUsed, folder: Path) -> None:
    if experiment_sha256(run.experiment) != experiment_sha256(experiment):
        raise RunError(
            f"{folder}: was made with other settings than are asked for now. Use the former ones, "
            "or another folder with -o."
        )
    if run.data.manifest_sha256 != source.manifest.sha256:
        raise RunError(
            f"{folder}: was made on other data ({run.data.card.get('name')}, "
            f"{run.data.rows} rows) than {source.path}. Use the former, or another folder with -o."
        )


def _outcomes(training: Training, run: Run) -> list[Outcome]:
    found = []
    for cell in training.cells:
        epochs = int(cell.settings["training.epochs"])
        if epochs not in training.counts:  # the last count, or one that --set gave to all
            epochs = training.experiment.training.epochs
        head = head_of(str(cell.settings["model.name"])) or ""
        further = head if head in training.heads else ""
        place = run.folder / "heads" / further if further else run.folder
        if epochs in training.counts:
            place /= f"epochs-{epochs}"
        _refuse_absent(place, training)
        seconds = _seconds(run.folder, epochs, further)
        found.append(Outcome(cell, run, place, epochs, "", seconds))
    return found


def _refuse_absent(place: Path, training: Training) -> None:
    if not (place / "metrics.json").is_file():
        raise RunError(
            f"{place}: is not there: this run was made without measuring that number of epochs. "
            f"Move the run {training.name} away to train it anew, or choose another folder with "
            "-o."
        )


def _seconds(folder: Path, epochs: int, head: str) -> float:
    """Of all folds: their epochs up to this one and, where there is one, the head's fit."""
    total = 0.0
    for fold in sorted(folder.glob("fold-*")):
        if (fold / "history.csv").is_file():
            history = read_history(fold / "history.csv")
            mine = history[history["epoch"] <= epochs]
            total += float(mine["seconds"].sum()) if "seconds" in mine else 0.0
        total += float(read_head_facts(fold, head)["head_seconds"])
    return total


def _state(plan: Plan, finished: Mapping[str, Sequence[Outcome]], out: Path) -> dict[str, Any]:
    outcomes = [outcome for some in finished.values() for outcome in some]
    return {
        "schema": 1,
        "paper": plan.protocol.id,
        "budget": plan.budget,
        "cells": plan.cells + sum(len(one.cells) for one in plan.left_out),
        "run": [f"{one.cell.edition}: {one.cell.id}" for one in outcomes if not one.reason],
        "not_run": {
            f"{one.cell.edition}: {one.cell.id}": one.reason for one in outcomes if one.reason
        },
        "trainings": {
            task_name(one): _measured(one, out)
            for one in plan.trainings
            if task_name(one) in finished
        },
    }


def _measured(training: Training, out: Path) -> dict[str, Any]:
    """Estimated and measured seconds of one core, and how long that took."""
    told: dict[str, Any] = {
        "estimated_core_seconds": round(training.cost.seconds(MACHINES[0]) * CORES, 1)
    }
    path = _took(training, out)
    if path.is_file():
        took = read_json(path, what="seconds of a training", schema=1, error=RunError)
        told |= {
            "measured_core_seconds": round(took["core_seconds"], 1),
            "seconds": round(took["seconds"], 1),
            "resumed": took["resumed"],
        }
    return told
