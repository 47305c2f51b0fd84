"""Disk that is still needed: of what is left to run, without what lies there already."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ImageError, StorageError
from ..files import cache_folder
from ..images import journal
from ..images.pipeline import Pipeline
from ..images.store import JOURNAL, Source, content_key
from ..records.experiment import Experiment
from ..records.run import PARTIAL
from .planner import Plan, Training, disk_bytes, pixels_of, vectors_of
from .runner import made_before, run_folder
from .sources import DataUsed

__all__ = ["needed_bytes", "refuse_small_disk"]


def refuse_small_disk(plan: Plan, sources: Mapping[str, DataUsed], out: Path, jobs: int) -> None:
    """Before anything is trained: the output folder and the cache, which may lie on one disk.

    Raises
    ------
    StorageError
        When what is left to run needs more than is free.
    """
    runs, cached = needed_bytes(plan.possible, sources, out, jobs)
    cache = _existing(cache_folder())
    together = out.stat().st_dev == cache.stat().st_dev
    remedy = "Choose another disk with -o, or fewer cells with --only."
    needs = [(out, runs + cached if together else runs, remedy)]
    if not together:
        needs.append((cache, cached, "Name another cache with LEUKOSCOPE_CACHE."))
    for folder, bytes_, advice in needs:
        free = shutil.disk_usage(folder).free
        if bytes_ > free:
            raise StorageError(
                f"{folder}: what is left to run needs about {bytes_ / 2**30:.1f} GiB and "
                f"{free / 2**30:.1f} GiB are free. {advice}"
            )


def needed_bytes(
    trainings: Sequence[Training], sources: Mapping[str, DataUsed], out: Path, jobs: int = 1
) -> tuple[float, float]:
    """Bytes still to be written in the output folder, and in the cache.

    Finished runs need nothing, stopped ones less by what they wrote. Pixels that the cache holds
    are not counted, and vectors not where a training with the same ones was begun here.
    """
    left = [one for one in trainings if not run_folder(one, out).is_dir()]
    runs, cached = disk_bytes(left, jobs)
    begun = [one for one in trainings if one not in left or made_before(one, out) > 0]
    written = sum(_bytes_in(partial_folder(one, out)) for one in left)
    held = _held_pixels(left, begun, sources) + _held_vectors(left, begun)
    return max(0.0, runs - written), max(0.0, cached - held)


def partial_folder(training: Training, out: Path) -> Path:
    """Where a training that was stopped lies."""
    folder = run_folder(training, out)
    return folder.with_name(folder.name + PARTIAL)


def _held_pixels(
    left: Sequence[Training], begun: Sequence[Training], sources: Mapping[str, DataUsed]
) -> float:
    """Bytes of decoded images that those to be run will find."""
    wanted: dict[str, Training] = {}
    for one in left:
        largest = wanted.setdefault(pixels_of(one), one)
        if one.cost.disk.pixels > largest.cost.disk.pixels:
            wanted[pixels_of(one)] = one
    drawn = {_draw_of(one) for one in begun}
    keys: dict[str, set[str]] = {}
    held = 0.0
    for one in wanted.values():
        source = sources.get(one.data)
        if source is None or (place := _store_of(one.experiment)) is None:
            continue
        if one.data not in keys:
            keys[one.data] = _content_keys(source)
        there = len(keys[one.data] & journal.read(place / JOURNAL).keys())
        image, bytes_ = 3 * one.experiment.preprocess.size**2, one.cost.disk.pixels
        # Of a draw it is not known which rows are there, unless it was begun here.
        missing = 0 if _draw_of(one) in drawn else len(keys[one.data]) - there
        held += max(0.0, min(bytes_, there * image, bytes_ - missing * image))
    return held


def _draw_of(training: Training) -> str:
    """The same for trainings that decode the same rows alike."""
    data = training.experiment.data
    return repr((pixels_of(training), data, training.experiment.seed if data.balance else 0))


def _store_of(experiment: Experiment) -> Path | None:
    """The store of its pixels; None where that is known only when a step was fitted."""
    pipeline = Pipeline(experiment.preprocess.size, experiment.preprocess.steps)
    return None if pipeline.fitted_steps else cache_folder() / "pixels" / pipeline.digest


def _content_keys(source: DataUsed) -> set[str]:
    """What the images are called in a store; those that are gone have no name."""
    manifest, found = source.manifest, set()
    hashes = manifest.column("sha256")
    for row in range(len(manifest)):
        try:
            found.add(
                content_key(Source(manifest.path(row), manifest.boxes[row], str(hashes[row])))
            )
        except ImageError:
            continue
    return found


def _held_vectors(left: Sequence[Training], begun: Sequence[Training]) -> float:
    """Bytes of vectors that those to be run will find; no more than the cache has."""
    known = {vectors_of(one) for one in begun} - {""}
    sizes = {vectors_of(one): one.cost.disk.vectors for one in left if vectors_of(one) in known}
    return min(sum(sizes.values()), _bytes_in(cache_folder() / "features")) if sizes else 0.0


def _bytes_in(folder: Path) -> float:
    return float(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def _existing(folder: Path) -> Path:
    """A folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())
