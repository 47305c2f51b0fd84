"""The trainings of a plan, one after another: each in a folder of its own, none done twice."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..datasets.manifest import Manifest
from ..errors import (
    DownloadError,
    ExperimentError,
    ManifestError,
    MissingExtraError,
    RunError,
    SplitError,
)
from ..files import write_json
from ..models.classical.names import head_of
from ..progress import Progress
from ..records.experiment import Experiment, experiment_sha256, with_settings
from ..records.run import Run, read_head_facts, read_history, read_run
from ..splits.grouping import open_grouped
from .cells import Cell
from .costs import MACHINES
from .planner import DataSize, Plan, Training

__all__ = ["DataUsed", "Outcome", "open_source", "run_plan"]

CANNOT = (ExperimentError, SplitError, ManifestError, MissingExtraError, DownloadError)
"""What makes one training impossible and says nothing about the others."""
Kind = Literal["real", "substitute", "rendered"]


@dataclass(frozen=True)
class DataUsed:
    """What stands for a data set of the paper."""

    name: str
    """The paper's set, by its catalogue name."""
    kind: Kind
    """``real``: the set itself; ``substitute``: another real set; ``rendered``: drawn here."""
    path: Path
    title: str
    manifest: Manifest
    failures: tuple[tuple[str, str], ...]

    @property
    def size(self) -> DataSize:
        """Images of each class that the paper's task has."""
        labels = self.manifest.column("label")
        if self.manifest.card.classes and set(self.manifest.card.classes.values()) - {""}:
            mapped = self.manifest.binary_labels()
            if (mapped != "").all():
                labels = mapped
        names = sorted(set(labels) - {""})
        return DataSize({str(name): int((labels == name).sum()) for name in names})

    @property
    def words(self) -> str:
        """What was run on, in a few words that cannot be misread."""
        prefix = "substitute: " if self.kind == "substitute" else ""
        if self.kind == "rendered" and not self.title.casefold().startswith("rendered"):
            prefix = "rendered: "
        return f"{prefix}{self.title}, {len(self.manifest):,} images"


def open_source(name: str, kind: Kind, path: Path, progress: Progress) -> DataUsed:
    """Open what stands for a data set; its groups are filled.

    Raises
    ------
    ManifestError
        When it cannot be read.
    """
    manifest, failures = open_grouped(path, None, progress, duplicates=True)
    card = manifest.card
    if card.rendered:
        kind = "rendered"
    return DataUsed(name, kind, path, card.title or card.name, manifest, tuple(failures))


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


@dataclass
class GridProgress(Progress):
    """One line for the whole grid; what a training reports is its fraction of it."""

    whole: float = 1.0
    """Estimated seconds of all trainings that are to be made."""
    behind: float = 0.0
    """Estimated seconds of those that are finished."""
    now: float = 0.0
    """Estimated seconds of the one that is running."""
    words: str = ""
    began: float = field(default_factory=time.monotonic)

    def show(self, what: str, done: int, total: int, elapsed: float, note: str = "") -> None:
        """The grid's share that is done, with the time to go of all of it."""
        share = done / total if total and "step" in what else 0.0
        made = (self.behind + share * self.now) / self.whole
        passed = time.monotonic() - self.began
        super().show(self.words, round(100 * made), 100, max(passed, elapsed), f"{what} {note}")


def run_plan(
    plan: Plan, sources: Mapping[str, DataUsed], out: Path, progress: Progress
) -> tuple[Outcome, ...]:
    """Run what can be run, in the order of the plan.

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
    folders = {id(t): out / "runs" / t.edition / t.name for t in plan.trainings}
    todo = [t for t in plan.trainings if not folders[id(t)].is_dir() and t.data in sources]
    whole = sum(t.cost.seconds(MACHINES[0]) for t in todo)
    grid = GridProgress(quiet=progress.quiet, whole=max(whole, 1e-9))
    outcomes: list[Outcome] = []
    for number, training in enumerate(plan.trainings, start=1):
        grid.words = f"training {number} of {len(plan.trainings)} ({training.name}), per cent"
        grid.now = training.cost.seconds(MACHINES[0]) if training in todo else 0.0
        try:
            run = _one(training, sources, folders[id(training)], out, grid)
        except CANNOT as reason:
            text = str(reason)
            outcomes += [
                Outcome(cell, None, None, 0, f"not run: {text}") for cell in training.cells
            ]
        else:
            outcomes += _outcomes(training, run)
        grid.behind += grid.now
        write_json(out / "state.json", _state(plan, outcomes))
    grid.close()
    return tuple(outcomes)


def _one(
    training: Training,
    sources: Mapping[str, DataUsed],
    folder: Path,
    out: Path,
    progress: Progress,
) -> Run:
    """Read back or train one."""
    if training.data not in sources:
        raise ManifestError(
            f"data set {training.data} is not here. Name it with --data {training.data}=FOLDER "
            f"(how to get it: leukoscope data list), or let it be drawn with --rendered."
        )
    source = sources[training.data]
    experiment = _with_first_stage(training, out)
    if folder.is_dir():
        run = read_run(folder)
        _refuse_other(run, experiment, source, folder)
        return run
    _refuse_missing_weights(experiment)
    try:
        from ..training import train
    except ImportError:
        raise MissingExtraError("Training", "train") from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = {"data.manifest": os.path.relpath(source.path, folder)}
    return train(
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
    from .costs import parts_of

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
        asked = ", ".join(str(count) for count in training.counts)
        raise RunError(
            f"{place}: is not there: this run was made without measuring it (wanted after {asked} "
            f"epochs too). Move the run {training.name} away to train it anew, or choose another "
            "folder with -o."
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


def _state(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "schema": 1,
        "paper": plan.protocol.id,
        "budget": plan.budget,
        "cells": plan.cells,
        "run": [f"{one.cell.edition}: {one.cell.id}" for one in outcomes if not one.reason],
        "not_run": {
            f"{one.cell.edition}: {one.cell.id}": one.reason for one in outcomes if one.reason
        },
    }
