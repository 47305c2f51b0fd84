"""Disk that trainings need: what stays of each, what lies there while it runs, what is cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..records.experiment import Experiment

__all__ = ["Disk", "copies_made", "disk_of"]

BYTES = 4
ROW_BYTES = 200
"""Of an image in a table of predictions."""
IN_MEMORY = 1 << 30
"""Vectors for classical heads that are more lie in files (``training.classical.IN_MEMORY``)."""
STATES = {"adam": 2, "rmsprop": 1, "sgd": 1}
"""Numbers that an optimiser keeps of each weight."""


@dataclass(frozen=True)
class Disk:
    """Bytes."""

    kept: float = 0.0
    """In the output folder, for good: weights, heads, predictions."""
    scratch: float = 0.0
    """In the output folder while it runs: checkpoint, drawn copies, vectors that heads stand on."""
    pixels: float = 0.0
    """In the cache: decoded and preprocessed images, which others of that data find again."""
    vectors: float = 0.0
    """In the cache: of a frozen backbone or of measured features, which others find again."""


def copies_made(experiment: Experiment, images: Mapping[str, int]) -> int:
    """Augmented copies that are drawn before the training."""
    expand = experiment.expand
    if expand.per_class:
        return sum(max(0, expand.per_class - count) for count in images.values())
    return sum(images.values()) * max(0, expand.factor - 1)


def disk_of(
    experiment: Experiment,
    images: Mapping[str, int],
    *,
    used: int,
    train: int,
    weights: int,
    trained: int,
    length: int,
    answers: int,
    head: str,
    heads: bool,
    vectors_kept: bool,
) -> Disk:
    """Estimate the disk of one training.

    Parameters
    ----------
    images
        Of each class, before draws and copies.
    used, train
        Images with copies, and those among them that train.
    weights, trained
        Of the network, and those among them that are trained.
    length
        Of the vector before the head.
    answers
        Tables of predictions of each fold.
    head
        The experiment's own classical head, which is saved; empty where it has none.
    heads
        Whether any classical head is fitted.
    vectors_kept
        Whether vectors are computed once and cached.
    """
    folds = experiment.split.folds if experiment.split.kind == "kfold" else 1
    image = 3 * experiment.preprocess.size**2
    saved = train * length * BYTES if head in ("svm", "knn") else 0
    table = used * length * BYTES
    states = 1 + STATES.get(experiment.optimiser.name, 2)
    total = sum(images.values())
    balance = experiment.data.balance * len(images)
    return Disk(
        kept=folds * (BYTES * weights + saved + ROW_BYTES * used * answers),
        # A checkpoint is written beside the former one; the best weights so far lie there too.
        scratch=(2 * states + 1) * BYTES * trained
        + copies_made(experiment, images) * image
        + (table if heads and table > IN_MEMORY else 0),
        pixels=(min(total, balance) if balance else total) * image,
        vectors=table if vectors_kept else 0,
    )
