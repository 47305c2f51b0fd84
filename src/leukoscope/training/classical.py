"""A classical head on a network's vectors: fitted on a fold's training rows, after the network.

The network is trained with its own head as always (varol2024, Approach 2), or not at all where it
is measured or frozen. Its vectors of the training rows, as they are without augmentation, fit the
head; those of the other parts are only asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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

__all__ = ["HEAD_FILE", "NOT_TRAINED", "Classified", "FittedHead", "fit_head", "is_trained"]

HEAD_FILE = "model.skops"
VECTORS_FILE = "vectors.npy"
IN_MEMORY = 1 << 30
"""Larger tables of vectors lie in a file while the head is fitted."""

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

    def probabilities(
        self, network: nn.Module, data: FoldData, part: Part, progress: Progress
    ) -> Doubles:
        """Probabilities (n, classes) of a part's rows, in their order."""
        network.eval()
        return np.concatenate(
            [
                self.classifier.probabilities(_batch_vectors(network, data, part.rows[rows]))
                for rows in _batches(data, part, progress)
            ]
        )


def is_trained(network: nn.Module, experiment: Experiment) -> bool:
    """Whether the network is trained before the head: not where it measures or is frozen."""
    if isinstance(network, Measured):
        return False
    frozen = experiment.model.trainable == "head"
    return not (frozen and head_of(experiment.model.name))


def fit_head(
    network: nn.Module,
    data: FoldData,
    groups: np.ndarray[Any, np.dtype[np.object_]],
    experiment: Experiment,
    fold: int,
    folder: Path,
    progress: Progress,
) -> FittedHead | None:
    """Fit the classical head of ``experiment.model`` on the training rows; None without one.

    Parameters
    ----------
    network
        Trained, or one that is not trained.
    groups
        Of the training rows, in their order: the head's internal folds never cut one.
    fold
        Its number, which is part of every random stream.
    folder
        Where vectors lie in the meantime that are too many for the memory.
    """
    head = head_of(experiment.model.name)
    if head is None:
        return None
    began = time.perf_counter()
    settings = resolve(experiment.classical, network_of(experiment.model.name))
    with _training_vectors(network, data, folder, progress) as found:
        classifier = fit_classifier(
            head,
            found,
            data.train.targets,
            groups,
            settings,
            numpy_stream(experiment.seed, fold, "head"),
        )
        length = found.shape[1]
    return FittedHead(classifier, length, time.perf_counter() - began)


@contextmanager
def _training_vectors(
    network: nn.Module, data: FoldData, folder: Path, progress: Progress
) -> Iterator[Floats]:
    """The vectors (n, length) of the training rows; in a file where they are many.

    Raises
    ------
    StorageError
        When the disk has no room for them.
    """
    network.eval()
    table: Floats | None = None
    path = folder / VECTORS_FILE
    try:
        for rows in _batches(data, data.train, progress):
            found = _batch_vectors(network, data, data.train.rows[rows])
            if table is None:
                table = _table(path, len(data.train), found.shape[1])
            table[rows] = found
        assert table is not None
        yield table
    finally:
        path.unlink(missing_ok=True)


def _batches(data: FoldData, part: Part, progress: Progress) -> Iterator[slice]:
    """A part in slices of so many images as one pass takes."""
    first = data.pixels.batch(part.rows[:1])
    step = max(1, FORWARD_PIXELS // int(np.prod(first.shape[1:3])))
    starts = range(0, len(part), step)
    for start in progress.track(starts, "vectors of images, batch", len(starts)):
        yield slice(start, min(start + step, len(part)))


def _batch_vectors(network: nn.Module, data: FoldData, rows: Any) -> Floats:
    stored = data.pixels.batch(rows)
    if stored.dtype != np.uint8:  # a frozen backbone's vectors, computed before
        return np.asarray(stored, dtype=np.float32)
    with torch.inference_mode():
        values = data.normaliser.load(stored)
        if not isinstance(network, Measured):
            values = data.normaliser(values)
        return np.asarray(vectors(network, values).float().cpu().numpy())


def _table(path: Path, rows: int, length: int) -> Floats:
    if rows * length * 4 <= IN_MEMORY:
        return np.empty((rows, length), np.float32)
    try:
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, length))
    except OSError as error:
        raise StorageError(
            f"{path}: {rows} vectors of {length} values need {rows * length * 4 / 1e9:.1f} GB "
            f"({error.strerror}). Free some space, or use a smaller preprocess.size."
        ) from error
