"""An experiment becomes a run: a folder that is partial until it is whole, and resumable."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from ..counting import counted
from ..datasets.manifest import Manifest
from ..errors import ExperimentError, RunBusyError, RunError, suggestion
from ..files import write_json
from ..models import head_of
from ..models.classical.names import HEADS
from ..progress import Progress
from ..records.experiment import (
    Experiment,
    differences,
    read_experiment,
    weights_moved,
    with_settings,
    write_experiment,
)
from ..records.findings import write_findings
from ..records.predictions import predictions_from_table, write_predictions
from ..records.run import (
    PARTIAL,
    Run,
    describe_environment,
    read_run,
    refuse_existing,
    write_data_summary,
)
from ..records.split import Split, read_split, write_split
from ..splits.splitting import verify_split
from .answering import count_file, head_file
from .chaining import (
    refuse_other_weights,
    refuse_tested_pretraining,
    starting_weights,
    write_pretraining,
)
from .device import choose_device, choose_precision
from .division import check_split, divide, published_copies
from .folding import COPIES_FILE, FOLD_PREDICTIONS, UNREADABLE, Plan, train_folds
from .memory import keep_freed_memory
from .summary import summarise
from .task import Task, define_task

__all__ = ["train"]

EXPERIMENT, SPLIT, DATA = "experiment.toml", "split.json", "data.json"
PRETRAINING = "pretraining.json"
LOCK = ".lock"


def train(
    experiment: Experiment,
    manifest: Manifest,
    out: Path,
    *,
    split: Split | None = None,
    failures: Sequence[tuple[str, str]] = (),
    counts: Sequence[int] = (),
    heads: Sequence[str] = (),
    progress: Progress | None = None,
) -> Run:
    """Train every fold of an experiment, predict, measure, and write the run folder ``out``.

    The run grows in ``out.partial`` and is renamed when it is whole. Stopped at any moment (also
    by ``kill -9``), the same call goes on from the last epoch; a finished fold is not done again.
    On a CPU the weights in the end are the same bits as without the stop.

    Parameters
    ----------
    experiment
        What to train; see ``records.experiment``.
    manifest
        With groups filled (``splits.grouping``).
    out
        The run folder; must not exist.
    split
        To be used instead of one made from ``experiment.split``.
    failures
        ``(image, reason)`` of images that could not be read when the manifest was made: counted
        in ``data.json``.
    counts
        Numbers of epochs that are measured on the way: ``epochs-<count>/predictions.csv`` and
        ``metrics.json`` in the run, on a CPU the same bits as of a run of just so many epochs.
    heads
        Classical heads that are fitted too on this network's vectors, after the last epoch and
        after each of ``counts``: ``heads/<head>/`` in the run, laid out alike. On a CPU they are
        the same bits as of a run of ``NETWORK+HEAD``, whose network would be trained anew.

    Returns
    -------
    Run
        The finished run, read back.

    Raises
    ------
    RunError
        When ``out`` exists, another process trains into it, or what is there was begun with
        another experiment or split (says which keys differ).
    ExperimentError, SplitError
        When the experiment cannot be run on this data, or leak-free is asked for and the split
        leaks.
    StorageError
        When the disk is full; the run can be resumed.
    KeyboardInterrupt
        On Ctrl-C: the last finished epoch is saved, and the same call goes on.
    """
    out = Path(out)
    refuse_existing(out, experiment, split)
    keep_freed_memory()
    progress = progress or Progress(quiet=True)
    others = _further_heads(experiment, heads)
    partial = out.with_name(out.name + PARTIAL)
    if split is not None:
        # The run's own copy, beside its experiment: the keys of the plan were not used.
        experiment = with_settings(experiment, {"split.file": SPLIT})
    task = define_task(experiment, manifest)
    _verify_at_hand(task.manifest)
    with _claimed(partial):
        begun = _begin(experiment, manifest, task, split, failures, partial, progress)
        plan = replace(begun, counts=tuple(sorted(set(counts))), heads=others)
        if not (partial / DATA).exists():
            train_folds(plan, progress)
            _measure(plan, failures)
        _tidy(plan)
        partial.rename(out)
    return read_run(out)


def _verify_at_hand(manifest: Manifest) -> None:
    """Refuse data of which no image is there, before a class or a split is blamed for it."""
    images = sorted(set(manifest.column("image")))
    if not any(os.path.exists(manifest.folder / image) for image in images):
        raise ExperimentError(
            f"none of {counted(len(images), 'image')} is at hand: they are looked for in "
            f"{manifest.folder} (the first: {images[0]}). Put them there, write where they are "
            "into the data card as root, or read the folder again: leukoscope data read."
        )


def _further_heads(experiment: Experiment, heads: Sequence[str]) -> tuple[str, ...]:
    """The heads beside the model's own, each once."""
    own = head_of(experiment.model.name)
    for head in heads:
        if head not in HEADS:
            raise ExperimentError(f"'{head}' is no classical head. {suggestion(head, HEADS)}")
    return tuple(head for head in HEADS if head in heads and head != own)


@contextlib.contextmanager
def _claimed(partial: Path) -> Iterator[None]:
    """Only one process writes a run; the system takes the claim back however that one ends."""
    partial.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            import fcntl
        except ImportError:  # no such locks on this system: one writer is up to the user
            yield
            return
        file = stack.enter_context((partial / LOCK).open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunBusyError(
                f"{partial}: another process is training into it. Wait for it, or choose another "
                "folder."
            ) from None
        try:
            yield
        finally:
            (partial / LOCK).unlink(missing_ok=True)
            # Nothing was begun, so nothing is left behind.
            with contextlib.suppress(OSError):
                partial.rmdir()


def _begin(
    experiment: Experiment,
    manifest: Manifest,
    task: Task,
    given: Split | None,
    failures: Sequence[tuple[str, str]],
    folder: Path,
    progress: Progress,
) -> Plan:
    """Begin a run, or find out that this is the one that was begun here."""
    device = choose_device(experiment.training.device)
    precision = choose_precision(experiment.training.precision, device)
    weights = starting_weights(experiment.model)
    planned, copies = published_copies(experiment, task)
    begun = folder / EXPERIMENT
    if (
        begun.exists()
        and not _has_trained(folder)
        and differences(read_experiment(begun), experiment)
    ):
        # Nothing is lost by beginning anew, and what was begun may have been impossible (a model
        # with a misspelt name), so that it could never be finished.
        _forget(folder)
    if begun.exists():
        _refuse_other_experiment(read_experiment(begun), experiment, folder)
        refuse_other_weights(weights, folder / PRETRAINING)
        split = read_split(folder / SPLIT)
        if given is not None and given != split:
            raise RunError(
                f"{folder}: was begun with another split. Finish it with the former one, or "
                "choose another folder."
            )
        verify_split(planned if copies.keys else manifest, split)
    else:
        split = divide(experiment, manifest, planned, given)
        refuse_tested_pretraining(experiment, weights, task.manifest, split)
        outcome = check_split(experiment, manifest, split, failures, progress)
        write_findings(outcome.findings, folder / "findings.json", outcome.checked)
        write_split(split, folder / SPLIT)
        _write_environment(folder, device, precision)
        if weights is not None:
            write_pretraining(weights, folder / PRETRAINING)
        # Last: where it is, everything that belongs before it is.
        write_experiment(_relative(experiment, folder), begun)
    decided = (experiment, manifest, task, split, copies, folder, device, precision)
    return Plan(*decided, weights=weights)


def _relative(experiment: Experiment, folder: Path) -> Experiment:
    """Where weights are found again, told from the run, so that no home folder is."""
    moved = weights_moved(experiment.model, lambda path: os.path.relpath(path, folder))
    model = experiment.model.model_copy(update={"weights": moved})
    return experiment.model_copy(update={"model": model})


def _has_trained(folder: Path) -> bool:
    """Whether an epoch of any fold was saved, or a fold finished."""
    return any(path.name != COPIES_FILE for path in folder.glob("fold-*/*"))


def _forget(folder: Path) -> None:
    """Take back what was begun, so that it may begin otherwise."""
    for path in (
        *folder.glob("fold-*/*"),
        *(folder / name for name in (COPIES_FILE, UNREADABLE, PRETRAINING)),
    ):
        path.unlink(missing_ok=True)
    (folder / EXPERIMENT).unlink()


def _refuse_other_experiment(before: Experiment, now: Experiment, folder: Path) -> None:
    changed = differences(before, now)
    if changed:
        raise RunError(
            f"{folder}: was begun with another experiment: {'; '.join(changed)}. "
            "Finish it with the former one, or choose another folder."
        )


def _write_environment(folder: Path, device: torch.device, precision: torch.dtype) -> None:
    # Arguments may hold absolute paths, which say who ran it; names are enough.
    arguments = [Path(a).name if a.startswith("/") else a for a in sys.argv[1:]]
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    write_json(
        folder / "environment.json",
        {
            **describe_environment(arguments),
            "device": name,
            "precision": str(precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
        },
    )


def _measure(plan: Plan, failures: Sequence[tuple[str, str]]) -> None:
    """Predictions of all folds as one file, metrics, and last what the data was."""
    from ..evaluation import evaluate

    places = {FOLD_PREDICTIONS: plan.folder}
    places |= {count_file(count): plan.folder / f"epochs-{count}" for count in plan.counts}
    for head in plan.heads:
        folder = plan.folder / "heads" / head
        places |= {head_file(head, 0): folder}
        places |= {head_file(head, count): folder / f"epochs-{count}" for count in plan.counts}
    for name, folder in places.items():
        tables = [
            pd.read_csv(path, dtype=str, keep_default_na=False)
            for path in _fold_predictions(plan, name)
        ]
        table = pd.concat(tables, ignore_index=True)
        write_predictions(table, folder / "predictions.csv")
        predictions = predictions_from_table(table, positive=plan.task.positive)
        metrics = evaluate(
            predictions.part("test"),
            groups=plan.split.groups,
            rendered=plan.manifest.card.rendered,
        )
        write_json(folder / "metrics.json", metrics)
    write_data_summary(summarise(plan, failures), plan.folder / DATA)


def _fold_predictions(plan: Plan, name: str) -> list[Path]:
    paths = [plan.folder / f"fold-{number}" / name for number in range(len(plan.split.folds))]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise RunError(
            f"{missing[0]}: is missing: this run was begun without asking for that number of "
            "epochs or that head. Ask for the same as before, or choose another folder."
        )
    return paths


def _tidy(plan: Plan) -> None:
    """Remove what a finished run does not need."""
    needless = (plan.folder / COPIES_FILE, plan.folder / UNREADABLE, plan.folder / LOCK)
    for path in (*plan.folder.glob("fold-*/predictions*.csv"), *needless):
        path.unlink(missing_ok=True)
