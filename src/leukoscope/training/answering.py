"""What a fold's network answers: through its own head, and through classical ones beside it.

varol2024's approach 2 is SVM, random forest and naive Bayes on the vectors of the networks of its
approach 1: one training, four answers. Every answer is a file of its own as soon as it is known, so
a stop loses at most one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from ..files import write_json
from ..models import head_of
from ..progress import Progress
from ..records.experiment import Experiment
from ..records.predictions import write_predictions
from ..records.run import HEAD_FACTS
from ..records.run import SCHEMA as RUN_SCHEMA
from .classical import FittedHead, FoldVectors, fit_head
from .division import FoldRows
from .loop import FoldData, forward
from .predicting import probabilities, table_of
from .task import Task

__all__ = ["FoldAnswers", "count_file", "head_file"]

Doubles = np.ndarray[Any, np.dtype[np.float64]]


def count_file(epochs: int) -> str:
    """A fold's predictions after so many epochs, until all folds are whole."""
    return f"predictions-{epochs}.csv"


def head_file(head: str, epochs: int) -> str:
    """The same of a further head; 0 stands for all epochs."""
    return f"predictions-{head}-{epochs}.csv"


@dataclass(frozen=True)
class FoldAnswers:
    """One fold's answers, and where they are written."""

    experiment: Experiment
    task: Task
    data: FoldData
    rows: FoldRows
    fold: int
    repeat: int
    folder: Path
    heads: tuple[str, ...]
    """Classical heads beside the model's own."""
    progress: Progress

    def vectors(self, network: nn.Module) -> FoldVectors:
        """A context with the vectors of a network, for all heads."""
        return FoldVectors(network, self.data, self.folder, self.progress)

    def snapshot(self, epochs: int, network: nn.Module) -> None:
        """Write what all heads answer after so many epochs."""
        with self.vectors(network) as vectors:
            self.write_heads(vectors, (epochs,))
            self.write(network, self.own_head(vectors), vectors, (count_file(epochs),))

    def own_head(self, vectors: FoldVectors) -> FittedHead | None:
        """The classical head of the experiment's model, fitted; None where it has none."""
        name = head_of(self.experiment.model.name)
        return None if name is None else self._fitted(name, vectors)

    def write(
        self,
        network: nn.Module,
        head: FittedHead | None,
        vectors: FoldVectors,
        names: Sequence[str],
    ) -> None:
        """Write what the model answers, under each of these names."""
        answer = partial(head.probabilities, vectors) if head else partial(self._own, network)
        self._write(answer, names)

    def write_heads(self, vectors: FoldVectors, epochs: Sequence[int]) -> None:
        """Write what the further heads answer, for each of these numbers of epochs.

        A head whose files are there was fitted before a stop, and is not fitted again.
        """
        for name in self.heads:
            files = [head_file(name, one) for one in epochs]
            if all((self.folder / file).exists() for file in files):
                continue
            head = self._fitted(name, vectors)
            if 0 in epochs:
                facts = {"schema": RUN_SCHEMA, **head.facts}
                write_json(self.folder / HEAD_FACTS.format(name), facts)
            self._write(partial(head.probabilities, vectors), files)

    def _fitted(self, head: str, vectors: FoldVectors) -> FittedHead:
        groups = self._groups[self.data.train.rows]
        return fit_head(head, vectors, groups, self.experiment, self.fold)

    def _own(self, network: nn.Module, part: str) -> Doubles:
        rows = self.data.test if part == "test" else self.data.validation
        return probabilities(forward(network, self.data, rows))

    def _write(self, answer: Callable[[str], Doubles], names: Sequence[str]) -> None:
        """Write the answers for the parts that were not trained on."""
        tables = [
            table_of(
                self._columns(part),
                answer(part),
                self.task.classes,
                fold=self.fold,
                repeat=self.repeat,
            )
            for part in ("validation", "test")
            if len(getattr(self.rows, part))
        ]
        whole = pd.concat(tables, ignore_index=True)
        for name in names:
            write_predictions(whole, self.folder / name)

    def _columns(self, part: str) -> dict[str, Any]:
        """What ``predictions.csv`` says of a part's rows beside their probabilities."""
        manifest, copies = self.task.manifest, self.rows.copies
        rows = getattr(self.rows, part)
        keys = np.array([*manifest.keys, *copies.keys], dtype=object)[rows]
        parents = np.concatenate([np.arange(len(manifest), dtype=np.int64), copies.parents])
        origin = parents[rows]
        images = np.concatenate([manifest.column("image"), np.array(copies.keys, dtype=object)])
        return {
            "row": keys,
            "image": images[rows],
            **{name: manifest.column(name)[origin] for name in ("subject", "group", "dataset")},
            "part": part,
            "label": manifest.column("label")[origin],
        }

    @cached_property
    def _groups(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Groups of the manifest's rows and, behind them, of the copies; without one, its own."""
        manifest = self.task.manifest
        known = np.where(manifest.column("group") == "", manifest.keys, manifest.column("group"))
        return np.concatenate([known, known[self.rows.copies.parents]]).astype(object)
