"""A classical head on a network's vectors: fitted on a fold's training rows, after the network.

The network is trained with its own head as always (varol2024, Approach 2), or not at all where it
is measured or frozen. Its vectors of the training rows, as they are without augmentation, fit the
head; those of the other parts are only asked. Several heads stand on the same vectors.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import StorageError
from ..models import head_of, network_of, vectors
from ..models.classical.classifier import Classifier, fit_classifier, resolve
from ..models.measured import Measured
from ..progress import Progress
from ..records.experiment import Experiment
from .batches import Normaliser, Part
from .loop import FORWARD_PIXELS, FoldData, Kept
from .seeds import numpy_stream

__all__ = [
    "HEAD_FILE",
    "NOT_TRAINED",
    "Classified",
    "FittedHead",
    "FoldVectors",
    "fit_head",
    "is_trained",
]

HEAD_FILE = "model.skops"
VECTORS_FILE = "vectors-{}.npy"
IN_MEMORY = 1 << 30
"""Larger tables of vectors lie in files while heads are fitted."""

NOT_TRAINED = Kept(0, 0, "nothing was trained before the head")

Floats = np.ndarray[Any, np.dtype[np.float32]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]


class Classified(nn.Module):
    """A network whose answers are a classical head's: (n, 3, size, size) to log-probabilities.

    Their softmax is the head's probabilities, so it stands wherever a network with logits does.
    """

    def __init__(self, network: nn.Module, classifier: Classifier, normaliser: Normaliser) -> None:
        super().__init__()
        self.network = network
        self.classifier = classifier
        self.normaliser = normaliser

    def forward(self, batch: Tensor) -> Tensor:
        """Log-probabilities (n, classes), float64."""
        if isinstance(self.network, Measured):  # measures pixels as they were stored
            batch = (batch + self.normaliser.offset) / self.normaliser.factor
        found = vectors(self.network, batch).float().cpu().numpy()
        return torch.from_numpy(self.classifier.probabilities(found)).log()


@dataclass(frozen=True)
class FittedHead:
    """A head that was fitted on one fold's training rows."""

    classifier: Classifier
    length: int
    """Of the vectors."""
    seconds: float
    """Taken by the vectors of the training rows and the fit."""

    @property
    def facts(self) -> dict[str, Any]:
        """What ``model.json`` says of it."""
        return {
            "head": str(self.classifier),
            "vector_length": self.length,
            "head_seconds": round(self.seconds, 3),
        }

    def probabilities(self, vectors: FoldVectors, part: str) -> Doubles:
        """Probabilities (n, classes) of the rows of a part, in their order."""
        table = vectors.of(part)
        return np.concatenate(
            [self.classifier.probabilities(table[rows]) for rows in vectors.slices(part)]
        )


def is_trained(network: nn.Module, experiment: Experiment) -> bool:
    """Whether the network is trained before the head: not where it measures or is frozen."""
    if isinstance(network, Measured):
        return False
    frozen = experiment.model.trainable == "head"
    return not (frozen and head_of(experiment.model.name))


def fit_head(
    head: str,
    vectors: FoldVectors,
    groups: np.ndarray[Any, np.dtype[np.object_]],
    experiment: Experiment,
    fold: int,
) -> FittedHead:
    """Fit a classical head on the training rows, as ``experiment.classical`` says.

    Parameters
    ----------
    head
        A name of ``models.classical.names.HEADS``.
    vectors
        Of a network that was trained, or of one that is not.
    groups
        Of the training rows, in their order: the head's internal folds never cut one.
    fold
        Its number, which is part of every random stream: each head begins its own anew, so that
        it is the same whichever others are fitted beside it.
    """
    found = vectors.of("train")
    began = time.perf_counter()
    classifier = fit_classifier(
        head,
        found,
        vectors.data.train.targets,
        groups,
        resolve(experiment.classical, network_of(experiment.model.name)),
        numpy_stream(experiment.seed, fold, "head"),
    )
    seconds = vectors.seconds + time.perf_counter() - began
    return FittedHead(classifier, found.shape[1], seconds)


class FoldVectors:
    """A network's vectors of a fold's parts, each computed when first asked for, for all heads.

    A context: tables that have no room in ``IN_MEMORY`` together lie in files until it ends.
    """

    def __init__(
        self, network: nn.Module, data: FoldData, folder: Path, progress: Progress
    ) -> None:
        self.data = data
        self.seconds = 0.0
        """What the vectors of the training rows took."""
        self._network = network
        self._folder = folder
        self._progress = progress
        self._tables: dict[str, Floats] = {}

    def __enter__(self) -> FoldVectors:
        return self

    def __exit__(self, *_: object) -> None:
        self._tables.clear()
        for path in self._folder.glob(VECTORS_FILE.format("*")):
            path.unlink(missing_ok=True)

    def of(self, part: str) -> Floats:
        """The vectors (n, length) of ``train``, ``validation`` or ``test``.

        Raises
        ------
        StorageError
            When the disk has no room for them.
        """
        if part not in self._tables:
            began = time.perf_counter()
            self._tables[part] = self._compute(part)
            if part == "train":
                self.seconds = time.perf_counter() - began
        return self._tables[part]

    def slices(self, part: str) -> Iterator[slice]:
        """A part in slices of so many images as one pass takes."""
        rows = self._part(part).rows
        first = self.data.pixels.batch(rows[:1])
        step = max(1, FORWARD_PIXELS // int(np.prod(first.shape[1:3])))
        for start in range(0, len(rows), step):
            yield slice(start, min(start + step, len(rows)))

    def _part(self, name: str) -> Part:
        parts = {"train": self.data.train, "validation": self.data.validation}
        return parts.get(name, self.data.test)

    def _compute(self, part: str) -> Floats:
        self._network.eval()
        rows = self._part(part).rows
        table: Floats | None = None
        slices = list(self.slices(part))
        for some in self._progress.track(slices, "vectors of images, batch", len(slices)):
            found = _batch_vectors(self._network, self.data, rows[some])
            if table is None:
                table = self._table(part, len(rows), found.shape[1])
            table[some] = found
        assert table is not None
        return table

    def _table(self, part: str, rows: int, length: int) -> Floats:
        held = sum(t.nbytes for t in self._tables.values() if not isinstance(t, np.memmap))
        if held + rows * length * 4 <= IN_MEMORY:
            return np.empty((rows, length), np.float32)
        path, shape = self._folder / VECTORS_FILE.format(part), (rows, length)
        try:
            return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        except OSError as error:
            raise StorageError(
                f"{path}: {rows} vectors of {length} values need {rows * length * 4 / 1e9:.1f} GB "
                f"({error.strerror}). Free some space, or use a smaller preprocess.size."
            ) from error


def _batch_vectors(network: nn.Module, data: FoldData, rows: Any) -> Floats:
    stored = data.pixels.batch(rows)
    if stored.dtype != np.uint8:  # a frozen backbone's vectors, computed before
        return np.asarray(stored, dtype=np.float32)
    with torch.inference_mode():
        values = data.normaliser.load(stored)
        if not isinstance(network, Measured):
            values = data.normaliser(values)
        return np.asarray(vectors(network, values).float().cpu().numpy())
