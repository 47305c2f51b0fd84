"""The measurements of all rows of a manifest: one pass over the images, none where cached."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...datasets.fingerprints import in_order
from ...datasets.manifest import Manifest
from ...errors import ImageError
from ...images.decode import Box, Pixels, decode, read_bytes
from ...images.store import Source, content_key
from ...images.writing import quiet_libraries
from ...progress import Progress
from .cache import Cache
from .columns import COLUMNS, NAMES
from .detail import measure_detail
from .file import measure_file, name_numbers
from .light import measure_light
from .marks import measure_marks

__all__ = ["Measurements", "measure", "measure_pixels"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
KEEP_SECONDS = 1.0
"""How often the cache is told what was measured: what a killed run loses at most."""


@dataclass(frozen=True)
class Measurements:
    """The values of all rows; NaN where something cannot be measured."""

    values: Floats
    """Shape (rows, columns), in the order of ``COLUMNS``."""
    failures: tuple[tuple[int, str], ...] = ()
    """Row number and reason for each row whose image cannot be read; its values are NaN."""
    measured: int = 0
    """How many rows were measured now; the rest was in the cache."""

    def __getitem__(self, name: str) -> Floats:
        """One measurement of all rows."""
        return self.values[:, _PLACES[name]]

    def columns(self, names: Sequence[str]) -> Floats:
        """Several measurements, shape (rows, names)."""
        return self.values[:, [_PLACES[name] for name in names]]

    @cached_property
    def known(self) -> Bools:
        """Which rows have an image that was read."""
        return np.asarray(np.isfinite(self["width_px"]))


_PLACES = {name: place for place, name in enumerate(COLUMNS)}
_CONTENT = [_PLACES[name] for name in NAMES]


def measure(manifest: Manifest, progress: Progress) -> Measurements:
    """Measure every row's image, or the part of it in the row's box.

    Augmented copies (rows with a ``parent``) are not measured: they are their parent's. A few
    images are decoded at a time, and of each only some numbers stay: memory does not grow with
    the images' number or size beyond 400 bytes a row.

    Parameters
    ----------
    manifest
        Files that are not at hand leave NaN, and a failure.
    progress
        Shown while images are decoded.
    """
    values = np.full((len(manifest), len(COLUMNS)), math.nan)
    images, boxes = manifest.column("image"), manifest.boxes
    files: dict[str, list[int]] = {}
    for row in np.flatnonzero(manifest.column("parent") == "").tolist():
        files.setdefault(str(images[row]), []).append(row)
        for name, number in name_numbers(str(images[row])).items():
            values[row, _PLACES[name]] = number
    failures: list[tuple[int, str]] = []
    keys: dict[int, str] = {}
    hashes = manifest.column("sha256")
    for rows in files.values():
        for row in rows:
            try:
                keys[row] = content_key(Source(manifest.path(row), boxes[row], str(hashes[row])))
            except ImageError as error:
                failures.append((row, str(error)))
    cache = Cache(progress)
    cached = cache.read(keys.values())
    for row, key in keys.items():
        if key in cached:
            values[row, _CONTENT] = cached[key]
    missing = [
        lacking
        for rows in files.values()
        if (lacking := [row for row in rows if row in keys and keys[row] not in cached])
    ]
    measured = 0
    for row, found in _measured(manifest, missing, keys, cache, progress):
        if isinstance(found, str):
            failures.append((row, found))
        else:
            measured += 1
            values[row, _CONTENT] = found
    return Measurements(values, tuple(sorted(failures)), measured)


def _measured(
    manifest: Manifest,
    missing: Sequence[Sequence[int]],
    keys: dict[int, str],
    cache: Cache,
    progress: Progress,
) -> list[tuple[int, Floats | str]]:
    """Each missing row with its values or the reason why there are none; the cache is filled."""
    boxes = manifest.boxes

    def work(rows: Sequence[int]) -> list[tuple[int, Floats | str]]:
        return _of_file(manifest, rows, [boxes[row] for row in rows])

    done: list[tuple[int, Floats | str]] = []
    fresh: dict[str, Floats] = {}
    told = time.monotonic()
    if not missing:
        return done
    with quiet_libraries():
        try:
            for found in progress.track(in_order(work, missing), "measuring images", len(missing)):
                done += found
                fresh |= {keys[row]: one for row, one in found if not isinstance(one, str)}
                if time.monotonic() - told > KEEP_SECONDS:
                    cache.write(fresh)
                    fresh, told = {}, time.monotonic()
        finally:
            cache.write(fresh)
    return done


def _of_file(
    manifest: Manifest, rows: Sequence[int], boxes: Sequence[Box | None]
) -> list[tuple[int, Floats | str]]:
    """Decode one file once and measure each of its rows."""
    path = manifest.path(rows[0])
    try:
        data = read_bytes(path)
        pixels = decode(data, name=path).pixels
    except ImageError as error:
        return [(row, str(error)) for row in rows]
    of_file = measure_file(data)
    found: list[tuple[int, Floats | str]] = []
    height, width = pixels.shape[:2]
    for row, box in zip(rows, boxes, strict=True):
        x0, y0, x1, y1 = box or (0, 0, width, height)
        if x1 > width or y1 > height:
            found.append((row, f"{path}: the box {x0},{y0},{x1},{y1} does not lie in the image."))
            continue
        values = of_file | measure_pixels(np.ascontiguousarray(pixels[y0:y1, x0:x1]))
        found.append((row, np.array([values[name] for name in NAMES])))
    return found


def measure_pixels(pixels: Pixels) -> dict[str, float]:
    """Every measurement of decoded pixels, RGB uint8 (height, width, 3)."""
    return measure_light(pixels) | measure_detail(pixels) | measure_marks(pixels)
