"""The runs of one report, read back and told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ReportError, RunError
from ..files import read_json
from ..records.predictions import Predictions
from ..records.run import PARTIAL, Run, read_history, read_run
from .numbers import counted

__all__ = ["Effort", "Pair", "Shown", "Study", "flat", "read_study"]

NEEDED = (
    "experiment.toml",
    "split.json",
    "data.json",
    "findings.json",
    "predictions.csv",
    "metrics.json",
    "environment.json",
)
EDITION_KEYS = ("edition", "split", "expand.before_split", "training.epoch")
"""What an edition may change; everything else must be equal for a gap to be the leak's."""
GROUP_WORDS = {
    "published": ("group", "groups"),
    "inferred": ("inferred group", "inferred groups"),
    "none": ("image as group", "images as groups"),
}
NAME_KEYS = ("schema", "name", "data.manifest", "split.file")


@dataclass(frozen=True)
class Effort:
    """What a run's figures were bought with; None where its ``model.json`` does not say."""

    parameters: int | None
    operations: int | None
    """Of one image forward."""
    vector_length: int | None
    seconds: float | None
    """All epochs and classical heads of all folds together."""


@dataclass(frozen=True)
class Shown:
    """One run and the name that the report calls it by; ``anchor`` is safe in an ``id``."""

    run: Run
    name: str
    anchor: str

    @cached_property
    def test(self) -> Predictions:
        """The predictions of the test part, which every figure is made from."""
        return self.run.predictions.part("test")

    @property
    def inferred(self) -> bool:
        """Whether the groups behind the intervals are inferred, or not known at all."""
        return self.run.split.groups != "published"

    @property
    def binary(self) -> bool:
        """Whether there are two classes, one of them positive."""
        return self.run.predictions.positive is not None

    @property
    def data_name(self) -> str:
        """What people call the data set."""
        card = self.run.data.card
        return str(card.get("title") or card.get("name") or "an unnamed data set")

    @property
    def group_word(self) -> str:
        """What a figure's groups are called beside it."""
        return GROUP_WORDS[self.run.split.groups][0]

    @property
    def group_words(self) -> str:
        """The plural of ``group_word``."""
        return GROUP_WORDS[self.run.split.groups][1]

    def grouped(self, groups: int) -> str:
        """``28 groups``, ``28 inferred groups`` or ``248 images as groups``."""
        return counted(groups, self.group_word, self.group_words)

    @property
    def split_given(self) -> bool:
        """Whether the split came from a file, so that the experiment's plan was not used."""
        plan, split = self.run.experiment.split, self.run.split
        return bool(plan.file) or plan.kind != split.kind

    @cached_property
    def fold_names(self) -> tuple[str, ...]:
        """A name for each fold of the split that no other has."""
        folds = self.run.split.folds
        if len({fold.repeat for fold in folds}) == 1:
            return tuple(fold.name for fold in folds)
        return tuple(f"{fold.name}, repeat {fold.repeat + 1}" for fold in folds)

    @cached_property
    def histories(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Name and ``history.csv`` of each fold that has one."""
        found = []
        for number, name in enumerate(self.fold_names):
            path = self.run.folder / f"fold-{number}" / "history.csv"
            if path.is_file():
                found.append((name, read_history(path)))
        return tuple(found)

    @cached_property
    def fold_models(self) -> dict[str, dict[str, Any]]:
        """``model.json`` of each fold that has one: the network as it was trained."""
        found = {}
        for number, name in enumerate(self.fold_names):
            path = self.run.folder / f"fold-{number}" / "model.json"
            if path.is_file():
                found[name] = read_json(path, what="fold model", schema=1, error=RunError)
        return found

    @cached_property
    def effort(self) -> Effort:
        """The same network in all folds; where a head's vectors differ in length, the longest."""
        models = list(self.fold_models.values())

        def largest(key: str) -> int | None:
            return max((int(model.get(key) or 0) for model in models), default=0) or None

        seconds = sum(
            float(model.get(key) or 0) for model in models for key in ("seconds", "head_seconds")
        )
        return Effort(
            largest("parameters"), largest("operations"), largest("vector_length"), seconds or None
        )

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved experiment as dotted keys."""
        return flat(self.run.experiment.model_dump(mode="json", by_alias=True))


@dataclass(frozen=True)
class Pair:
    """The two editions of one experiment."""

    published: Shown
    leak_free: Shown
    other_differences: tuple[str, ...]
    """Keys that differ although an edition does not change them; the gap is then not the
    leak's alone."""

    @cached_property
    def gap(self) -> dict[str, Any]:
        """As-published minus leak-free, by groups resampled together (``comparison.gap``)."""
        from ..evaluation.comparison import gap

        return gap(self.published.test, self.leak_free.test)


@dataclass(frozen=True)
class Study:
    """All runs of a report, in the order they were given."""

    shown: tuple[Shown, ...]
    comparison: bool = True
    """Whether runs are compared with each other, or only shown one after the other."""

    @property
    def lead(self) -> Shown:
        """The run that the report is headed by: the first leak-free one, else the first."""
        for shown in self.shown:
            if shown.run.experiment.edition == "leak-free":
                return shown
        return self.shown[0]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Each leak-free run with the as-published run that is nearest to it."""
        if not self.comparison:
            return ()
        published = [s for s in self.shown if s.run.experiment.edition == "as-published"]
        pairs = []
        for shown in self.shown:
            if shown.run.experiment.edition != "leak-free":
                continue
            candidates = [(_differences(shown, other), other) for other in published]
            if candidates:
                differences, nearest = min(candidates, key=lambda c: len(c[0]))
                published.remove(nearest)
                pairs.append(Pair(nearest, shown, differences))
        return tuple(pairs)

    @property
    def rendered(self) -> bool:
        """Whether any run was made on rendered data."""
        return any(shown.run.data.rendered for shown in self.shown)

    @property
    def inferred(self) -> bool:
        """Whether any run's groups are inferred or unknown."""
        return any(shown.inferred for shown in self.shown)

    @property
    def several(self) -> bool:
        """Whether the report is of more than one run."""
        return len(self.shown) > 1


def read_study(folders: Sequence[Path], *, comparison: bool = True) -> Study:
    """Read the runs of a report and verify that they answer one question.

    Raises
    ------
    ReportError
        When no run is given, one is given twice, a file is missing, a run predicts nothing in
        its test part, or the runs have different classes.
    RunError
        When a folder is no run or is not finished.
    """
    if not folders:
        raise ReportError("report: no run was given. Make one: leukoscope train, then report it.")
    resolved = [Path(folder).resolve() for folder in folders]
    for folder, times in Counter(resolved).items():
        if times > 1:
            raise ReportError(f"{folder}: given {times} times. Name each run once.")
    runs = [_read(Path(folder)) for folder in folders]
    classes = sorted(runs[0].predictions.classes)
    for run in runs[1:]:
        if sorted(run.predictions.classes) != classes:
            raise ReportError(
                f"{run.folder}: its classes are {', '.join(sorted(run.predictions.classes))}, "
                f"those of {runs[0].folder} are {', '.join(classes)}. Runs in one report answer "
                "one question: write one report for each set of classes."
            )
    names = _names(runs)
    return Study(
        tuple(
            Shown(run, name, f"run-{number}")
            for number, (run, name) in enumerate(zip(runs, names, strict=True), start=1)
        ),
        comparison=comparison,
    )


def _read(folder: Path) -> Run:
    if folder.is_dir():
        if folder.name.endswith(PARTIAL):
            raise RunError(
                f"{folder}: not finished. Run the same train command again: it goes on where it "
                "stopped."
            )
        for name in NEEDED:
            if not (folder / name).is_file():
                raise ReportError(
                    f"{folder}: {name} is missing, and a report needs it. Train the run again, "
                    "or restore the file from a copy of the run folder."
                )
    run = read_run(folder)
    if not np.any(run.predictions.table["part"] == "test"):
        raise ReportError(
            f"{folder / 'predictions.csv'}: no row of part 'test', so there is no result to "
            "report. Use a split with a test part."
        )
    if not run.metrics.get("levels", {}).get("image"):
        raise ReportError(
            f"{folder / 'metrics.json'}: no results at level 'image'. Make them again: "
            f"leukoscope evaluate {folder} -o {folder / 'metrics.json'}"
        )
    return run


def _names(runs: Sequence[Run]) -> list[str]:
    """The shortest words that tell the runs apart."""
    ways = (
        [run.edition for run in runs],
        [run.experiment.model.name for run in runs],
        [f"{run.experiment.model.name}, {run.edition}" for run in runs],
        [run.experiment.name for run in runs],
        [f"{run.experiment.name}, {run.edition}" for run in runs],
        [run.folder.name for run in runs],
    )
    for names in ways:
        if len(set(names)) == len(runs):
            return names
    return [f"{run.folder.name} ({number})" for number, run in enumerate(runs, start=1)]


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table of dotted keys."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


def _differences(a: Shown, b: Shown) -> tuple[str, ...]:
    """Dotted keys of two experiments that differ although their edition does not say so."""
    different = []
    for key in sorted(a.settings.keys() | b.settings.keys()):
        expected = key in NAME_KEYS or key in EDITION_KEYS or key.startswith("split.")
        if not expected and a.settings.get(key) != b.settings.get(key):
            different.append(key)
    # Not the split's: that counts the copies too which an edition makes before it divides.
    if a.run.data.manifest_sha256 != b.run.data.manifest_sha256:
        different.append("the manifest")
    return tuple(different)
