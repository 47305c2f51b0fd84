"""How the rows of a task are divided: the split, its copies, and each fold as row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..datasets.expansion import plan_copies
from ..datasets.manifest import Manifest
from ..errors import ExperimentError, SplitError
from ..progress import Progress
from ..records.experiment import Experiment
from ..records.split import Fold, Split
from ..splits.splitting import make_split, verify_split
from .batches import Integers
from .task import Task

if TYPE_CHECKING:
    from ..checks import Examination

__all__ = ["Copies", "FoldRows", "check_split", "divide", "fold_rows", "published_copies"]

LEAKS = ("cut-groups", "identical-parts", "foreign-split")
"""Checks whose errors mean that a leak-free figure would not be one."""


@dataclass(frozen=True)
class Copies:
    """Augmented copies that are still to be drawn."""

    keys: tuple[str, ...] = ()
    parents: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Rows of the task's manifest."""


@dataclass(frozen=True)
class FoldRows:
    """One fold as row numbers; copy ``j`` is row ``len(manifest) + j``."""

    train: Integers
    validation: Integers
    test: Integers
    copies: Copies


def published_copies(experiment: Experiment, task: Task) -> tuple[Manifest, Copies]:
    """As published: the manifest with its copies made before the split."""
    if not experiment.expand.before_split:
        return task.manifest, Copies()
    return _expanded(task.manifest, experiment, experiment.expand.per_class)


def _expanded(
    manifest: Manifest, experiment: Experiment, per_class: int
) -> tuple[Manifest, Copies]:
    factor = 0 if per_class else experiment.expand.factor
    if not per_class and factor < 2:
        return manifest, Copies()
    if not experiment.expand.augmentation.changes:
        raise ExperimentError(
            "expand.augmentation changes nothing, so every copy would be its parent. Say what may "
            "be drawn, such as expand.augmentation.rotation = 30."
        )
    planned = plan_copies(manifest, factor=factor, per_class=per_class, seed=experiment.seed)
    row_of = {key: row for row, key in enumerate(manifest.keys)}
    pairs = [
        (key, row_of[parent])
        for key, parent in zip(planned.keys, planned.column("parent"), strict=True)
        if key not in row_of
    ]
    keys = tuple(key for key, _ in pairs)
    return planned, Copies(keys, np.array([row for _, row in pairs], dtype=np.int64))


def divide(
    experiment: Experiment, manifest: Manifest, planned: Manifest, given: Split | None
) -> Split:
    """The split of a run: the one that was given, or a new one by the experiment's plan.

    A new split divides the task's rows (``planned``) and is tied to the whole ``manifest``, so
    that it is verified against the file that the user has. Where copies were made before the
    split it is tied to the expanded manifest, and a note says so.

    Raises
    ------
    SplitError
        When a split does not fit the manifest, cuts groups, or cannot be made.
    ExperimentError
        When the experiment and the given split are of different editions.
    """
    if given is not None:
        if experiment.edition != given.edition:
            # Either way a figure would stand under a name that is not its own.
            raise ExperimentError(
                f"the split's edition is '{given.edition}', the experiment's is "
                f"'{experiment.edition}'. Give a split of that edition, or set edition = "
                f"'{given.edition}'."
            )
        verify_split(manifest, given)
        return given
    split = make_split(planned, experiment.split, seed=experiment.seed, edition=experiment.edition)
    if len(planned) > len(manifest) or (planned.column("parent") != "").any():
        note = "augmented copies were made before the split; the hash is that of both together"
        return split.model_copy(update={"notes": (*split.notes, note)})
    return split.model_copy(update={"manifest_sha256": manifest.sha256})


def check_split(
    experiment: Experiment,
    manifest: Manifest,
    split: Split,
    failures: Sequence[tuple[str, str]],
    progress: Progress,
) -> Examination:
    """Run every check on data and split; a leak ends a leak-free training here.

    Raises
    ------
    SplitError
        When the edition is leak-free and a check finds a leak.
    """
    from ..checks import examine

    outcome = examine(
        manifest,
        split=_of_originals(split, manifest),
        failures=tuple(failures),
        pixels=False,
        progress=progress,
    )
    leaks = [f for f in outcome.findings if f.severity == "error" and f.check in LEAKS]
    if leaks and experiment.edition == "leak-free":
        raise SplitError(
            f"this split leaks, and the experiment says leak-free: {leaks[0].summary} "
            f"({len(leaks)} such findings.) {leaks[0].mend} Or set edition = 'as-published'."
        )
    return outcome


def _of_originals(split: Split, manifest: Manifest) -> Split:
    """The split without copies that are drawn later: checks look at files."""
    known = set(manifest.keys)
    folds = tuple(
        fold.model_copy(
            update={
                part: tuple(key for key in getattr(fold, part) if key in known)
                for part in ("train", "validation", "test")
            }
        )
        for fold in split.folds
    )
    return split.model_copy(update={"folds": folds, "manifest_sha256": manifest.sha256})


def fold_rows(
    experiment: Experiment,
    task: Task,
    fold: Fold,
    copies: Copies,
    readable: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> FoldRows:
    """The rows of one fold, unreadable images left out, leak-free copies planned.

    Leak-free, the training part alone is expanded, in the proportion in which it stands to the
    whole, so that both editions train on as many images.

    Raises
    ------
    ExperimentError
        When a class is absent from the training part, or nothing is left to test on.
    """
    row_of = {key: row for row, key in enumerate(task.manifest.keys)}
    originals = len(row_of)
    row_of |= {key: originals + place for place, key in enumerate(copies.keys)}
    usable = np.concatenate([readable, readable[copies.parents]])
    parts = {}
    for name in ("train", "validation", "test"):
        rows = [row_of[key] for key in getattr(fold, name) if key in row_of]
        found = np.array(rows, dtype=np.int64)
        parts[name] = found[usable[found]]
    _verify_parts(task, fold, parts)
    train, own = parts["train"], copies
    if experiment.edition == "leak-free":
        train, own = _expanded_training(experiment, task, train)
    return FoldRows(train, parts["validation"], parts["test"], own)


def _verify_parts(task: Task, fold: Fold, parts: dict[str, Integers]) -> None:
    labels = task.manifest.column("label")
    trained = {labels[row] for row in parts["train"] if row < len(labels)}
    absent = [name for name in task.classes if name not in trained]
    if absent:
        raise ExperimentError(
            f"{fold.name}: class {absent[0]!r} has no image in the training part, so it cannot be "
            "learnt. Use fewer folds, another split.kind, or data.leave_out."
        )
    if not len(parts["test"]):
        raise ExperimentError(
            f"{fold.name}: no image is left to test on: none of its test rows is readable and "
            "belongs to the task. Look at data.json of the run and at: leukoscope check."
        )


def _expanded_training(
    experiment: Experiment, task: Task, train: Integers
) -> tuple[Integers, Copies]:
    part = task.manifest.with_table(task.manifest.table.iloc[train])
    share = len(train) / len(task.manifest)
    planned, local = _expanded(part, experiment, round(experiment.expand.per_class * share))
    if not local.keys and planned is part:
        return train, Copies()
    own = Copies(local.keys, train[local.parents])
    place = {key: row for row, key in zip(train.tolist(), part.keys, strict=True)}
    kept = [place[key] for key in planned.keys if key in place]
    added = len(task.manifest) + np.arange(len(own.keys), dtype=np.int64)
    return np.concatenate([np.array(sorted(kept), dtype=np.int64), added]), own
