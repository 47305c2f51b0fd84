"""A run: a folder that is called ``NAME.partial`` until it is whole.

::

    RUN/
      experiment.toml    resolved
      split.json
      data.json          what the data was: card, counts, exclusions (see ``DataSummary``)
      findings.json      what the checks said before training
      predictions.csv
      metrics.json
      environment.json
      fold-0/            one for each fold of the split
        history.csv      one line an epoch
        weights.safetensors
        model.skops        the classical head, where there is one
        model.json       model, classes, which epoch was kept and by what rule
        pipeline.json    preprocessing with its fitted values (and mean-image.npy)
        head-HEAD.json   what a further head is
      epochs-E/          predictions.csv and metrics.json after E epochs, where they were asked for
      heads/HEAD/        the same of a further classical head, with its own epochs-E/
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from ..errors import RunError
from ..files import read_json, write_json
from ..schema import Record, parse
from .experiment import Experiment, differences, read_experiment
from .findings import Checked, Finding, read_checked, read_findings
from .predictions import Predictions, read_predictions
from .split import Split, read_split

__all__ = [
    "HEAD_FACTS",
    "PARTIAL",
    "SCHEMA",
    "DataSummary",
    "Run",
    "describe_environment",
    "read_head_facts",
    "read_history",
    "read_run",
    "refuse_existing",
    "write_data_summary",
]

SCHEMA = 1
PARTIAL = ".partial"
HEAD_FACTS = "head-{}.json"
"""In a fold: what a further head is and what its fit took."""
FILES = (
    "experiment.toml",
    "split.json",
    "data.json",
    "findings.json",
    "predictions.csv",
    "metrics.json",
    "environment.json",
)
PLACE = re.compile(r"(?:(?<==)|^)(?:~|/|[A-Za-z]:[\\/]).*[\\/](?=.)")
"""The folders of an absolute path: they name a machine and often a person."""
DISTRIBUTIONS = (
    "leukoscope",
    "numpy",
    "Pillow",
    "opencv-python-headless",
    "pandas",
    "scikit-learn",
    "scipy",
    "torch",
)


class DataSummary(Record):
    """What a report says of the data without having it at hand."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    card: dict[str, Any]
    """The DatasetCard without ``root``."""
    manifest_sha256: str
    rows: int
    used: int
    excluded: dict[str, int]
    """Reason → number of rows left out (unreadable, unlabelled, class not in the task, …)."""
    failures: tuple[str, ...] = ()
    """Up to twenty ``image: reason`` lines of unreadable images."""
    classes: dict[str, int]
    """Images of each class that were used."""
    subjects: int
    """Distinct subjects among the used rows; 0 where none are published."""
    groups: dict[str, int]
    """Groups of each class."""
    groups_total: int
    """Distinct groups among the used rows; a group of several classes counts once."""
    groups_inferred: bool
    rendered: bool


@dataclass(frozen=True)
class Run:
    """A finished run, read back."""

    folder: Path
    experiment: Experiment
    split: Split
    data: DataSummary
    findings: tuple[Finding, ...]
    predictions: Predictions
    metrics: dict[str, Any]
    environment: dict[str, Any]
    checked: tuple[Checked, ...] = ()
    """What became of each check before training; nothing in a run from before that was kept."""

    @property
    def edition(self) -> str:
        """``as-published``, ``leak-free`` or ``leak-free (inferred)``: how figures are headed."""
        if self.experiment.edition == "leak-free" and self.split.groups != "published":
            return "leak-free (inferred)"
        return self.experiment.edition


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Raises
    ------
    RunError
        When the folder is no run, or is still partial (with the command that finishes it).
    """
    folder = Path(folder)
    partial = folder.with_name(folder.name.removesuffix(PARTIAL) + PARTIAL)
    if not folder.is_dir() or folder == partial:
        if partial.is_dir():
            raise RunError(
                f"{folder}: not finished; what there is lies in {partial}. "
                "Run the same train command again: it goes on where it stopped."
            )
        raise RunError(f"{folder}: there is no such run folder.")
    for name in FILES:
        if not (folder / name).is_file():
            raise RunError(
                f"{folder}: is no run: {name} is missing. A run is the folder that "
                "leukoscope train writes."
            )
    data = read_json(folder / "data.json", what="data summary", schema=SCHEMA, error=RunError)
    experiment = read_experiment(folder / "experiment.toml")
    summary = parse(DataSummary, data, where=str(folder / "data.json"), error=RunError)
    positive = summary.card.get("positive")
    binary = len(summary.classes) == 2 and positive in summary.classes
    predictions = read_predictions(folder / "predictions.csv", str(positive) if binary else None)
    return Run(
        folder=folder,
        experiment=experiment,
        split=read_split(folder / "split.json"),
        data=summary,
        findings=read_findings(folder / "findings.json"),
        predictions=predictions,
        metrics=read_json(folder / "metrics.json", what="metrics", schema=SCHEMA, error=RunError),
        environment=read_json(
            folder / "environment.json", what="environment", schema=SCHEMA, error=RunError
        ),
        checked=read_checked(folder / "findings.json"),
    )


def refuse_existing(folder: Path, experiment: Experiment, split: Split | None = None) -> None:
    """Refuse to train into a folder that is there, and say what lies in it.

    Raises
    ------
    RunError
        Where ``folder`` exists: a finished run of this experiment (then there is nothing to do),
        one of another (with the keys that differ), or something else.
    """
    if not folder.exists():
        return
    if any(not (folder / name).is_file() for name in FILES):
        raise RunError(f"{folder}: exists already and is no run. Choose another folder.")
    before = read_experiment(folder / "experiment.toml")
    changed = list(differences(before, experiment))
    places = before.data.manifest, experiment.data.manifest
    if all(places) and places[0] != places[1]:
        changed.append(f"data.manifest was {places[0]!r} and is now {places[1]!r}")
    if split is not None and split != read_split(folder / "split.json"):
        changed.append("the split is another one")
    if changed:
        raise RunError(
            f"{folder}: exists already, a finished run of another experiment: "
            f"{'; '.join(changed)}. Choose another folder, or remove it first."
        )
    raise RunError(
        f"{folder}: exists already, a finished run of the same experiment: there is nothing to do. "
        f"See it: leukoscope report {folder} -o report.html. To train it anew, choose another "
        "folder."
    )


def write_data_summary(summary: DataSummary, path: Path) -> None:
    """Write ``data.json``, atomically."""
    write_json(path, summary.model_dump(mode="json", by_alias=True))


def read_history(path: Path) -> pd.DataFrame:
    """One fold's ``history.csv``: epoch, learning_rate, loss, accuracy, validation_loss, …"""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as reason:
        raise RunError(f"{path}: cannot be read as a training history: {reason}.") from reason


def read_head_facts(fold: Path, head: str = "") -> dict[str, Any]:
    """What a fold's classical head is: ``head`` in words, ``vector_length``, ``head_seconds``.

    Parameters
    ----------
    fold
        The fold's folder.
    head
        A further head, such as ``svm``; empty for the model's own (whose words are empty where it
        has none).

    Raises
    ------
    RunError
        When the file is missing or damaged.
    """
    path = fold / (HEAD_FACTS.format(head) if head else "model.json")
    table = read_json(path, what="facts of a head", schema=SCHEMA, error=RunError)
    plain = {"head": "", "vector_length": 0, "head_seconds": 0.0}
    return {name: table.get(name, value) for name, value in plain.items()}


def describe_environment(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Versions, machine kind and arguments; no user name, host name or absolute path."""
    versions = {}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": sys.platform,
        "machine": platform.machine(),
        "versions": versions,
        "arguments": [PLACE.sub("", str(argument)) for argument in arguments],
    }
