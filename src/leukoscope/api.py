"""The verbs as functions: each composes rooms and returns plain values.

``data`` is a Manifest, a manifest file, or a folder of images. Nothing here prints; work that
takes a while reports to the ``progress`` that is handed in (by default to nobody).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .datasets import Manifest
from .errors import ExperimentError, FuzzyError, MissingExtraError
from .files import verify_output
from .progress import Progress
from .records.experiment import (
    Experiment,
    SplitPlan,
    read_experiment,
    weights_moved,
    with_settings,
)
from .records.findings import Finding
from .records.predictions import Predictions, read_predictions
from .records.run import PARTIAL, Run, read_run, refuse_existing
from .records.split import Edition, Split, read_split

if TYPE_CHECKING:
    from .datasets.validation import Validation
    from .papers.cells import Budget
    from .papers.reproduce import Reproduction
    from .papers.request import EngineName

__all__ = [
    "check",
    "compare",
    "evaluate",
    "experiment_for",
    "fuzzy",
    "open_data",
    "predictions_of",
    "read_dataset",
    "render",
    "report",
    "reproduce",
    "split",
    "train",
    "validate",
]

SILENT = Progress(quiet=True)
Failures = tuple[tuple[str, str], ...]


def open_data(
    data: Manifest | Path | str,
    *,
    as_: str | None = None,
    duplicates: bool = True,
    progress: Progress = SILENT,
) -> tuple[Manifest, Failures]:
    """A manifest with its groups filled, and ``(image, reason)`` for each unreadable image.

    ``duplicates`` joins near-identical images into one group, where groups are not filled yet.
    """
    from .splits.grouping import group, open_grouped

    if isinstance(data, Manifest):
        complete = all(data.column("group"))
        return data if complete else group(data, duplicates=duplicates, progress=progress), ()
    manifest, failures = open_grouped(Path(data), as_, progress, duplicates=duplicates)
    return manifest, tuple(failures)


def read_dataset(
    folder: Path | str, *, as_: str | None = None, progress: Progress = SILENT
) -> Manifest:
    """Read a folder of images (its layout is recognised, or named by ``as_``), groups filled.

    Unreadable images are left out with a warning that counts them.

    Raises
    ------
    ManifestError
        When no layout fits, or several do (they are listed).
    """
    manifest, failures = open_data(folder, as_=as_, progress=progress)
    if failures:
        image, reason = failures[0]
        warnings.warn(
            f"{len(failures)} unreadable images are left out, the first: {image}: {reason}",
            stacklevel=2,
        )
    return manifest


def render(
    name: str,
    folder: Path | str,
    *,
    seed: int = 0,
    subjects: int = 40,
    images: int = 2000,
    size: int | None = None,
    progress: Progress = SILENT,
) -> Manifest:
    """Draw a data set from a seed, in the real layout of its namesake (``rendered-cnmc``, …)."""
    from .datasets.rendered import render_dataset

    verify_output(Path(folder))
    return render_dataset(
        name,
        Path(folder),
        seed=seed,
        subjects=subjects,
        images=images,
        size=size,
        progress=progress,
    )


def validate(data: Manifest | Path | str, *, progress: Progress = SILENT) -> Validation:
    """Which images of a manifest are missing, extra, unreadable or changed."""
    from .datasets import read_manifest
    from .datasets import validation as room

    manifest = data if isinstance(data, Manifest) else read_manifest(Path(data))
    return room.validate(manifest, progress=progress)


def check(
    data: Manifest | Path | str,
    *,
    split: Split | Path | str | None = None,
    run: Run | Path | str | None = None,
    as_: str | None = None,
    progress: Progress = SILENT,
) -> tuple[Finding, ...]:
    """What is wrong with these images (and with this split of them, or this run on them)."""
    from .checks import run_checks

    manifest, failures = open_data(data, as_=as_, progress=progress)
    division = read_split(Path(split)) if isinstance(split, Path | str) else split
    made = read_run(Path(run)) if isinstance(run, Path | str) else run
    if made is not None and division is None:
        division = made.split
    return run_checks(manifest, split=division, run=made, failures=failures, progress=progress)


def split(
    data: Manifest | Path | str,
    *,
    plan: SplitPlan | None = None,
    seed: int = 0,
    edition: Edition = "leak-free",
    join_duplicates: bool = False,
    as_: str | None = None,
    progress: Progress = SILENT,
) -> Split:
    """Divide the rows; by default five folds of whole groups, balanced in their classes.

    ``join_duplicates`` looks at pixels although groups are there, and keeps together the groups
    that near-identical images tie; a note says how many, and that it is inferred.
    """
    from .splits.grouping import join_near_identical
    from .splits.splitting import make_split

    chosen = plan or SplitPlan()
    manifest, _ = open_data(data, as_=as_, duplicates=chosen.group_duplicates, progress=progress)
    if not join_duplicates:
        return make_split(manifest, chosen, seed=seed, edition=edition)
    joined, tied = join_near_identical(manifest, progress)
    made = make_split(joined, chosen, seed=seed, edition=edition)
    note = (
        f"groups that near-identical images tie were kept together ({tied} fewer): "
        "inferred from pixels"
    )
    # The split is of the manifest that the user has: its rows are the same, its groups finer.
    kept = {
        "manifest_sha256": manifest.sha256,
        "notes": (*made.notes, note) if tied else made.notes,
    }
    return made.model_copy(update=kept)


def experiment_for(
    source: Experiment | Path | str | None,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Experiment:
    """An experiment from a file (or from the defaults), with a model and settings changed."""
    if isinstance(source, Experiment):
        experiment = source
    else:
        experiment = _read(Path(source)) if source is not None else Experiment()
    changes = dict(settings or {})
    if model is not None:
        changes = {"model.name": model, **changes}
    return with_settings(experiment, changes) if changes else experiment


def model_of(run: Path | str) -> str:
    """The name of the model that a finished run (or the run of a fold's folder) has trained."""
    folder = Path(run)
    folder = folder.parent if folder.name.startswith("fold-") else folder
    return read_experiment(folder / "experiment.toml").model.name


def _read(path: Path) -> Experiment:
    """An experiment file; the weights that it names lie where they do seen from the file."""
    experiment = read_experiment(path)
    moved = weights_moved(experiment.model, lambda place: str(path.parent / place))
    if moved == experiment.model.weights:
        return experiment
    return with_settings(experiment, {"model.weights": moved})


def train(
    data: Manifest | Path | str,
    out: Path | str,
    *,
    experiment: Experiment | Path | str | None = None,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    split: Split | Path | str | None = None,
    as_: str | None = None,
    progress: Progress = SILENT,
) -> Run:
    """Train an experiment on data and write a run folder; goes on where it was stopped.

    ``settings`` are dotted keys of the experiment: ``{"training.epochs": 10}``.
    """
    verify_output(Path(out))
    try:
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtraError("Training", "train") from None
    from .training import train as run_training

    planned = experiment_for(experiment, model=model, settings=settings)
    place = data.folder if isinstance(data, Manifest) else Path(data)
    # Where a report finds the images again; relative, so that no home folder is told.
    planned = with_settings(planned, {"data.manifest": os.path.relpath(place, out)})
    if isinstance(split, Path | str):
        division: Split | None = read_split(Path(split))
    elif split is None and planned.split.file:
        beside = Path(experiment).parent if isinstance(experiment, Path | str) else Path()
        division = read_split(beside / planned.split.file)
    else:
        division = split
    # Before the images are read, which may take long.
    refuse_existing(Path(out), planned, division)
    manifest, failures = open_data(
        data, as_=as_, duplicates=planned.split.group_duplicates, progress=progress
    )
    return run_training(
        planned, manifest, Path(out), split=division, failures=failures, progress=progress
    )


def predictions_of(source: Run | Path | str, positive: str | None = None) -> Predictions:
    """The predictions of a run folder or of a predictions file, whoever wrote it."""
    run = _run_at(source)
    return run.predictions if run else read_predictions(str(source), positive)


def _run_at(source: Run | Path | str) -> Run | None:
    """The run in a folder (of one that is not finished an error says how to go on)."""
    if isinstance(source, Run):
        return source
    path = Path(source)
    there = path.is_dir() or path.with_name(path.name + PARTIAL).is_dir()
    return read_run(path) if there else None


def evaluate(
    source: Run | Path | str,
    *,
    positive: str | None = None,
    level: Literal["image", "subject", "both"] = "both",
    part: str = "test",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """All metrics of a run or a predictions file, each with its grouped 95 % interval."""
    from .evaluation import evaluate as measure

    run = _run_at(source)
    predictions = predictions_of(run or source, positive).part(part)
    if not len(predictions):
        raise ExperimentError(f"{source}: holds no predictions of the {part} part.")
    return measure(
        predictions,
        resamples=resamples,
        seed=seed,
        level=level,
        groups=run.split.groups if run else None,
        rendered=run.data.rendered if run else None,
    )


def fuzzy(
    run: Run | Path | str,
    *,
    system: str | Path = "three",
    data: Manifest | Path | str | None = None,
    out: Path | str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Decide a run's test cells by a fuzzy system: normal, refer or blast, with a reason each.

    Parameters
    ----------
    run
        A run folder of two classes, with validation rows.
    system
        ``three``, ``five``, or a TOML file. One that is not fitted yet is fitted on each fold's
        validation groups.
    data
        Where the images are, if not where the run says.
    out
        Folder to write: ``predictions.csv`` with ``calibrated``, ``verdict`` and ``reason``,
        ``cells.csv``, one system a fold, ``fuzzy.json`` and the figures. It must not exist. In the
        run's folder it is shown by the run's report.
    resamples, seed
        Of the bootstrap over groups.

    Returns
    -------
    dict
        The comparison with a plain band on the calibrated probability at the same referral rate,
        and whether the fuzzy stage loses, in words.
    """
    from .decision import decide_run
    from .models.fuzzy import read_system

    read = _run_at(run)
    if read is None:
        raise FuzzyError(f"{run}: a fuzzy decision is made of a run folder.")
    if out is not None and Path(out).exists():
        raise FuzzyError(f"{out}: exists already. Choose another folder, or remove it first.")
    folder = None
    if data is not None:
        folder = open_data(data, duplicates=False, progress=progress)[0].folder
    found = decide_run(
        read, read_system(system), folder, Path(out) if out is not None else None,
        resamples=resamples, seed=seed, progress=progress,
    )  # fmt: skip
    return found.model_dump(mode="json", by_alias=True)


def compare(
    a: Run | Path | str,
    b: Run | Path | str,
    *,
    positive: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """How much two runs differ, paired by row and resampled by group."""
    from .evaluation.comparison import compare as measure

    runs = [_run_at(source) for source in (a, b)]
    first, second = (
        predictions_of(run or source, positive).part("test")
        for run, source in zip(runs, (a, b), strict=True)
    )
    known = [run.data.rendered for run in runs if run]
    outcome = measure(first, second, resamples=resamples, seed=seed)
    return {**outcome, "rendered": any(known) if known else None}


def report(
    runs: Sequence[Path | str], out: Path | str, *, figures: Path | str | None = None
) -> Path:
    """Write one self-contained HTML about one or more runs; returns where it lies.

    ``figures`` is a folder that gets every figure as SVG and PNG too.
    """
    from .reports import save_figures, write_report

    verify_output(Path(out), suffixes=(".html", ".htm"))
    if figures is not None:
        verify_output(Path(figures))
    folders = [Path(run) for run in runs]
    write_report(folders, Path(out))
    if figures is not None:
        save_figures(folders, Path(figures))
    return Path(out)


def reproduce(
    paper: str,
    out: Path | str,
    *,
    editions: Sequence[str] | str = (),
    budget: Budget = "smoke",
    only: Sequence[str] | str = (),
    reading: str = "full",
    data: Mapping[str, Path | str] | None = None,
    substitutes: Mapping[str, Path | str] | None = None,
    rendered: bool = False,
    images: int | None = None,
    subjects: int | None = None,
    weights: Path | str = "",
    settings: Mapping[str, Any] | None = None,
    minutes: float | None = None,
    engine: EngineName = "local",
    address: str = "",
    jobs: int | None = 1,
    progress: Progress = SILENT,
) -> Reproduction:
    """Run a paper's grid, published and measured side by side; goes on where it was stopped.

    Parameters
    ----------
    editions
        ``as-published``, ``leak-free``; without any all that the paper has.
    only
        Conditions such as ``approach1,size=32+48``; several are alternatives.
    reading
        Which of the paper's counts of trainings (``docs/papers.md``).
    data, substitutes
        The paper's data set → the folder or manifest of it, or of another set in its place.
    rendered, images, subjects
        Draw the sets that are neither, with so many images (None: as many as hold 2,000 cells)
        and subjects (None: 40).
    weights
        A file or folder instead of the hub, or ``none``.
    minutes
        Of an edition at the smoke budget, as estimated on two cores; None: 60.
    engine, address
        ``local``: this machine; ``ray``: a cluster (extra ``cluster``) at ``auto``, ``HOST:PORT``
        or ``ray://…``, by default ``RAY_ADDRESS``, else one is started here.
    jobs
        Trainings at once, each in a process of its own; None: as many as fit. With more than one
        a script needs ``if __name__ == "__main__":``, because the processes import it.

    Raises
    ------
    ProtocolError, RunError, StorageError
        As ``papers.reproduce.reproduce``.
    OutputError
        When ``out`` is no place for a folder.
    """
    from .papers.reproduce import reproduce as run
    from .papers.request import Request

    verify_output(Path(out))
    request = Request(
        paper=paper,
        editions=(editions,) if isinstance(editions, str) else tuple(editions),
        budget=budget,
        only=(only,) if isinstance(only, str) else tuple(only),
        reading=reading,
        data={name: Path(place) for name, place in (data or {}).items()},
        substitutes={name: Path(place) for name, place in (substitutes or {}).items()},
        rendered=rendered,
        images=images,
        subjects=subjects,
        weights=str(weights),
        settings=settings or {},
        minutes=minutes,
        engine=engine,
        address=address,
        jobs=jobs,
    )
    return run(request, Path(out), progress)
