"""Where the pixels of a fold come from: the store, a fitted pipeline, and augmented copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.expansion import copy_generator
from ..datasets.manifest import Manifest
from ..errors import ExperimentError, ImageError, StorageError
from ..images.augmentation import Augmentation
from ..images.decode import decode
from ..images.draws import apply, draw
from ..images.pipeline import Fitted, Pipeline, fit
from ..images.store import PixelStore, Source, Stored
from ..models import network_of
from ..models.hybrid import is_hybrid
from ..models.pretrained import Pretraining
from ..models.weight_files import pretraining_facts
from ..progress import Progress
from ..records.experiment import Experiment, Preprocess
from .batches import Integers

__all__ = ["Pixels", "fit_pipeline", "make_copies", "plan_pipeline", "store_pixels"]

BLOCK = 512
"""Images in one piece when something is computed over all of them."""


@dataclass(frozen=True)
class Pixels:
    """Rows of the task's manifest, and behind them its augmented copies.

    Row ``r`` below ``len(stored.index)`` is an image of the manifest; the copies follow.
    """

    stored: Stored
    copies: np.ndarray[Any, np.dtype[np.uint8]] | None = None

    @property
    def originals(self) -> int:
        """How many rows are images of the manifest."""
        return len(self.stored.index)

    @cached_property
    def readable(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """For each image of the manifest whether it has pixels."""
        return np.asarray(self.stored.index >= 0)

    def batch(self, rows: Sequence[int] | Integers) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """uint8, (n, size, size, 3), in the order of ``rows``."""
        wanted = np.asarray(rows, dtype=np.int64)
        of_copies = wanted >= self.originals
        if self.copies is None or not of_copies.any():
            return self.stored.batch(wanted)
        found = np.empty((len(wanted), *self.copies.shape[1:]), dtype=np.uint8)
        found[~of_copies] = self.stored.batch(wanted[~of_copies])
        found[of_copies] = self.copies[wanted[of_copies] - self.originals]
        return found


def plan_pipeline(experiment: Experiment, pretraining: Pretraining | None = None) -> Pipeline:
    """The experiment's preprocessing, not yet fitted.

    Raises
    ------
    ExperimentError
        When the scale is to be that of the weights, and the network has no published ones; or
        another scale is asked of a hybrid, whose networks normalise by themselves.
    """
    asked = experiment.preprocess
    if is_hybrid(experiment.model.name):
        if asked.scale not in (Preprocess().scale, "pretrained") or asked.subtract_mean_image:
            key = "subtract_mean_image" if asked.subtract_mean_image else "scale"
            raise ExperimentError(
                f"preprocess.{key} is {getattr(asked, key)!r}, but each network of "
                f"{experiment.model.name} normalises the image itself, as its weights want. "
                f"Leave preprocess.{key} out."
            )
        return Pipeline(asked.size, asked.steps, "unit")
    if asked.scale != "pretrained":
        return Pipeline(asked.size, asked.steps, asked.scale, asked.subtract_mean_image)
    if pretraining is None:
        pretraining = pretraining_facts(network_of(experiment.model.name), experiment.model.weights)
    return Pipeline(
        asked.size,
        asked.steps,
        "standard",
        asked.subtract_mean_image,
        mean=pretraining.mean,
        std=pretraining.std,
    )


@dataclass(frozen=True)
class _Decoded:
    """Decoded images of some rows, as often as asked for, one in memory at a time."""

    manifest: Manifest
    rows: Integers

    def __iter__(self) -> Any:
        for row in self.rows.tolist():
            try:
                pixels = decode(self.manifest.path(row), box=self.manifest.boxes[row]).pixels
            except ImageError:
                # Counted where the store is filled, which meets the same file again.
                continue
            yield pixels


def fit_pipeline(
    pipeline: Pipeline, manifest: Manifest, rows: Integers, progress: Progress
) -> tuple[Pipeline, Stored]:
    """Fit on ``rows`` only, and store every row of the manifest through the result.

    Stain normalisation is fitted on decoded images, the mean image on the stored pixels, which
    is the same mean without decoding twice.
    """
    fitted = pipeline
    if pipeline.fitted_steps:
        only_steps = replace(pipeline, subtract_mean_image=False)
        found = fit(only_steps, _Decoded(manifest, rows))
        fitted = replace(pipeline, fitted=found.fitted)
    stored = store_pixels(fitted, manifest, progress)
    if pipeline.subtract_mean_image:
        steps = {} if fitted.fitted is None else fitted.fitted.steps
        there = rows[stored.index[rows] >= 0]
        fitted = replace(fitted, fitted=Fitted(steps, _mean_image(stored, there)))
    return fitted, stored


def _mean_image(stored: Stored, rows: Integers) -> np.ndarray[Any, np.dtype[np.float32]]:
    if not len(rows):
        raise ImageError("preprocessing: there is no training image to take the mean image from.")
    total = np.zeros(stored.array.shape[1:], dtype=np.float64)
    for start in range(0, len(rows), BLOCK):
        total += stored.batch(rows[start : start + BLOCK]).sum(axis=0, dtype=np.float64)
    return np.asarray((total / len(rows)).astype(np.float32))


def store_pixels(pipeline: Pipeline, manifest: Manifest, progress: Progress) -> Stored:
    """Bring every row of the manifest into the pixel store (work done before is found there)."""
    hashes = manifest.column("sha256")
    sources = [
        Source(manifest.path(row), manifest.boxes[row], str(hashes[row]))
        for row in range(len(manifest))
    ]
    return PixelStore().fill(sources, pipeline, progress=progress)


def make_copies(
    stored: Stored,
    parents: Integers,
    keys: Sequence[str],
    augmentation: Augmentation,
    seed: int,
    path: Path,
    progress: Progress,
) -> Pixels:
    """Draw the pixels of augmented copies into a memory-mapped file.

    Each copy is made from its parent's preprocessed pixels with a generator of its own, from
    seed and row key: the same in every fold and after every restart. A parent without pixels
    leaves its copies black; its row is unreadable and is not used, nor are they.
    """
    shape = stored.array.shape[1:]
    try:
        copies = np.lib.format.open_memmap(
            path, mode="w+", dtype=np.uint8, shape=(len(keys), *shape)
        )
    except OSError as error:
        raise StorageError(
            f"{path}: {len(keys)} augmented copies cannot be written ({error.strerror}). "
            "Free some space, or lower expand.factor or expand.per_class."
        ) from error
    places = progress.track(range(len(keys)), "drawing augmented copies", len(keys))
    for place in places:
        if stored.index[parents[place]] < 0:
            continue
        draws = draw(augmentation, 1, (shape[0], shape[1]), copy_generator(seed, keys[place]))
        copies[place] = apply(draws, stored.batch(parents[place : place + 1]))[0]
    copies.flush()
    return Pixels(stored, copies)
