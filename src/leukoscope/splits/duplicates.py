"""Identical and nearly identical images among the rows of a manifest.

Identical ones are known from their hashes. Nearly identical ones are one picture in two guises:
saved again, mirrored, turned by a right angle, brighter, segmented anew; or one cell or field
that was photographed twice and so is moved a little. ``likeness`` says how they are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..datasets.manifest import Manifest
from ..errors import ImageError
from ..progress import Progress
from .crops import find_crops
from .likeness import SIDE, Details, confirm, likely_pairs

__all__ = ["Comparison", "Names", "compare_pixels", "identical", "near_identical", "to_compare"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
SILENT = Progress(quiet=True)
AHEAD = 64
"""Images decoded ahead of the one that is needed: enough for two threads, little memory."""


class Names:
    """Disjoint sets of names; each set is known by its smallest name."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def smallest(self, name: str) -> str:
        """The smallest name of the set that ``name`` is in."""
        above = self._above
        above.setdefault(name, name)
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    def join(self, a: str, b: str) -> None:
        """Make one set of the sets of ``a`` and ``b``."""
        first, second = sorted((self.smallest(a), self.smallest(b)))
        self._above[second] = first


@dataclass(frozen=True)
class Comparison:
    """What looking at the pixels gave.

    ``pairs`` are (row key, row key, correlation of the detail, 0.55 to 1), sorted; ``skipped``
    are the keys of rows whose image is not at hand or cannot be decoded; ``looked`` is how many
    rows there were to compare, these among them. ``crops`` are (row key, key of the row whose
    field it was cut from, x, y, correlation), by key.
    """

    pairs: tuple[tuple[str, str, float], ...]
    skipped: tuple[str, ...]
    looked: int = 0
    crops: tuple[tuple[str, str, int, int, float], ...] = ()


def identical(manifest: Manifest) -> list[list[str]]:
    """Row keys of rows with the same decoded pixels, or of the same whole file.

    Works from the hashes in the manifest, so the images need not be there.

    Returns
    -------
    list
        A sorted list of keys for each set of at least two, sorted.
    """
    sets: dict[str, list[str]] = defaultdict(list)
    pixels, files = manifest.column("pixels_sha256"), manifest.column("sha256")
    for key, box, pixel_hash, file_hash in zip(
        manifest.keys, manifest.boxes, pixels, files, strict=True
    ):
        if pixel_hash:
            sets[f"pixels {pixel_hash}"].append(key)
        if file_hash and box is None:
            sets[f"file {file_hash}"].append(key)
    return _joined(sets.values())


def near_identical(manifest: Manifest, progress: Progress = SILENT) -> list[list[str]]:
    """Row keys of rows whose images show the same picture; identical ones are among them.

    Returns
    -------
    list
        A sorted list of keys for each set of at least two, sorted.
    """
    pairs = compare_pixels(manifest, progress).pairs
    return _joined([*((first, second) for first, second, _ in pairs), *identical(manifest)])


def _joined(sets: Collection[Sequence[str]]) -> list[list[str]]:
    """Sets that overlap made one, each sorted; sets of one left out."""
    names = Names()
    for first, *others in sets:
        for other in others:
            names.join(first, other)
    members: dict[str, set[str]] = defaultdict(set)
    for keys in sets:
        for key in keys:
            members[names.smallest(key)].add(key)
    return sorted(sorted(keys) for keys in members.values() if len(keys) > 1)


def compare_pixels(manifest: Manifest, progress: Progress = SILENT) -> Comparison:
    """Find pairs of rows whose images show the same picture.

    Of rows with identical pixels one is compared; augmented copies are not (their parent is);
    two boxes in one file are never a pair. About 4 KB of memory a row, and 9 KB of a temporary
    file: no picture is held (``likeness.Details``). Whole images that were cut from larger ones
    are found too (``crops``).
    """
    rows = _rows_to_compare(manifest)
    seen, skipped, pairs = [], [], []
    shapes: dict[int, tuple[int, int]] = {}
    boxes = manifest.boxes
    images = manifest.column("image")
    with Details(len(rows)) as given:
        for row, picture in zip(
            progress.track(rows, "reading images to compare", len(rows)),
            _pictures(manifest, rows),
            strict=True,
        ):
            if picture is None:
                skipped.append(manifest.keys[row])
            else:
                pixels, shape = picture
                given.add(pixels, max(shape))
                seen.append(row)
                if boxes[row] is None:
                    shapes[row] = shape
        likely = [
            (i, j) for i, j in likely_pairs(given, progress) if images[seen[i]] != images[seen[j]]
        ]
        for i, j, fit in confirm(given, likely, progress):
            first, second = sorted((manifest.keys[seen[i]], manifest.keys[seen[j]]))
            pairs.append((first, second, fit))
    keys = manifest.keys
    crops = find_crops(shapes, partial(_grey, manifest), progress)
    return Comparison(
        tuple(sorted(pairs)),
        tuple(sorted(skipped)),
        len(rows),
        tuple((keys[one.crop], keys[one.field], one.x, one.y, one.fit) for one in crops),
    )


def _rows_to_compare(manifest: Manifest) -> list[int]:
    """Rows by key, without copies of other rows: in an order that the table's does not change."""
    keys = set(manifest.keys)
    parents, hashes = manifest.column("parent"), manifest.column("pixels_sha256")
    rows, met = [], set[str]()
    for row in sorted(range(len(manifest)), key=manifest.keys.__getitem__):
        if parents[row] in keys or (hashes[row] and hashes[row] in met):
            continue
        met.add(hashes[row])
        rows.append(row)
    return rows


def _grey(manifest: Manifest, row: int) -> Pixels | None:
    """A row's whole image; None where it cannot be decoded."""
    import cv2

    from ..images.decode import decode

    try:
        return np.asarray(cv2.cvtColor(decode(manifest.path(row)).pixels, cv2.COLOR_RGB2GRAY))
    except ImageError:
        return None


def to_compare(pixels: Pixels) -> Pixels:
    """What is compared of RGB pixels: grey, (SIDE, SIDE).

    Proportions are kept and the rest is blank, so that a crop from one side fits its original.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    way = cv2.INTER_AREA if side >= SIDE else cv2.INTER_LINEAR
    height, width = (max(1, round(length * SIDE / side)) for length in grey.shape)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = cv2.resize(
        grey, (width, height), interpolation=way
    )
    return canvas


def _pictures(
    manifest: Manifest, rows: Sequence[int]
) -> Iterator[tuple[Pixels, tuple[int, int]] | None]:
    """What is compared of each row's image (``to_compare``) and its (height, width), in order.

    None where one cannot be decoded.
    """
    from ..images.decode import decode

    def small(row: int) -> tuple[Pixels, tuple[int, int]] | None:
        try:
            pixels = decode(manifest.path(row), box=manifest.boxes[row]).pixels
        except ImageError:
            return None
        return to_compare(pixels), pixels.shape[:2]

    with ThreadPoolExecutor(2) as threads:
        for start in range(0, len(rows), AHEAD):
            yield from threads.map(small, rows[start : start + AHEAD])
