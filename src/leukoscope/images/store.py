"""Decoded, preprocessed, resized pixels, once: a memory-mapped store of bytes.

One folder for each preprocessing (its digest), in it ``pixels.u8``, images of ``size x size x 3``
bytes one behind the other, and ``journal.txt`` which says whose they are. An image is known by
its content (SHA-256, size, time of change) and its box, so that a set that was moved, cut or
joined with another is not decoded again. Several processes may fill the same store: one at a time
writes, the others wait and find the work done. Whoever is killed loses at most the images of the
last second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImageError
from ..files import cache_folder, sha256_bytes
from ..progress import Progress
from . import journal
from .decode import Box, Pixels, decode, read_bytes
from .pipeline import Pipeline, apply
from .writing import (
    BINARY,
    cores,
    locked,
    quiet_libraries,
    read,
    reading,
    reserve,
    storage_faults,
    write,
)

__all__ = ["Failure", "PixelStore", "Source", "Stored", "checksum", "content_key"]

RACY_NS = 2_000_000_000
"""A file changed less than this before now may change again without its times showing it."""
GROUP = 8
"""Images that a thread takes at a time."""
TELL_SECONDS = 0.5
"""How often the journal is told what was written."""
PIXELS = "pixels.u8"
JOURNAL = "journal.txt"
LOCK = "lock"


@dataclass(frozen=True)
class Source:
    """An image file, or a box in it."""

    path: Path
    box: Box | None = None
    sha256: str = ""
    """Of the file's bytes, where known; not computed again unless ``fill`` is to verify it."""


@dataclass(frozen=True)
class Failure:
    """An image that could not be stored; the others were."""

    row: int
    """Index into the sources."""
    image: str
    reason: str


@dataclass(frozen=True)
class Stored:
    """Pixels of all sources that could be decoded."""

    array: np.ndarray[Any, np.dtype[np.uint8]]
    """Memory map of the whole store, (images, size, size, 3), read-only."""
    index: np.ndarray[Any, np.dtype[np.int64]]
    """Source -> place in ``array``; -1 where it failed."""
    failures: tuple[Failure, ...]
    decoded: int
    """How many were decoded now; the rest was there."""

    def batch(self, rows: Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]) -> Pixels:
        """Pixels of these sources, (n, size, size, 3); no copy where they lie in a row.

        Raises
        ------
        ImageError
            When one of them failed.
        """
        places = self.index[np.asarray(rows, dtype=np.int64)]
        if not len(places):
            return self.array[:0]
        if places.min() < 0:
            row = int(np.asarray(rows)[int(places.argmin())])
            reason = next(f.reason for f in self.failures if f.row == row)
            raise ImageError(f"row {row} has no pixels: {reason} Leave it out of the batch.")
        first = int(places[0])
        if np.array_equal(places, np.arange(first, first + len(places))):
            return self.array[first : first + len(places)]
        return np.asarray(self.array[places])


def checksum(pixels: Pixels) -> int:
    """Sum of the bytes as unsigned 64-bit words, modulo 2^64; finds pages that were never
    written, at memory speed."""
    flat = np.ascontiguousarray(pixels).reshape(-1)
    whole = len(flat) // 8 * 8
    words = flat[:whole].view(np.uint64)
    return (int(words.sum(dtype=np.uint64)) + int(flat[whole:].sum(dtype=np.uint64))) % (1 << 64)


@dataclass(frozen=True)
class PixelStore:
    """Stores under one folder; by default in the cache (``LEUKOSCOPE_CACHE``)."""

    folder: Path | None = None

    def fill(
        self,
        sources: Sequence[Source],
        pipeline: Pipeline,
        *,
        workers: int | None = None,
        verify: bool = False,
        progress: Progress | None = None,
    ) -> Stored:
        """Bring every source into the store of this pipeline and open it.

        Parameters
        ----------
        sources
            Image files; the same content may occur more than once and is stored once.
        pipeline
            Fitted, where it has steps that are.
        workers
            Threads that decode; by default one for each core this process may use.
        verify
            Hash every file that is decoded and refuse one whose SHA-256 is not the known one.
        progress
            Where to show it.

        Returns
        -------
        Stored
            With a ``Failure`` for each source that could not be decoded.

        Raises
        ------
        StorageError
            When the disk is full or the folder cannot be written. What was stored stays.
        """
        place = (self.folder or cache_folder() / "pixels") / pipeline.digest
        shown = progress or Progress(quiet=True)
        filling = _Filling(place, pipeline, sources, workers or cores(), verify, shown)
        with storage_faults(place):
            return filling.run()


@dataclass
class _Filling:
    """One call of ``fill``: what is known, what is missing, and the work between."""

    folder: Path
    pipeline: Pipeline
    sources: Sequence[Source]
    workers: int
    verify: bool
    progress: Progress

    def run(self) -> Stored:
        self.folder.mkdir(parents=True, exist_ok=True)
        failures: dict[int, str] = {}
        keys = self._keys(failures)
        entries = self._verified(journal.read(self.folder / JOURNAL), set(keys))
        decoded = 0
        if self._missing(keys, entries):
            with locked(self.folder / LOCK, self.progress):
                journal.cut_torn_line(self.folder / JOURNAL)
                # While we waited somebody else may have done it.
                everything = journal.read(self.folder / JOURNAL)
                entries = self._verified(everything, set(keys))
                missing = self._missing(keys, entries)
                used = 1 + max((entry.slot for entry in everything.values()), default=-1)
                decoded = self._decode(missing, keys, entries, failures, used)
        index = np.array([_slot(entries.get(key)) for key in keys], dtype=np.int64)
        for row, key in enumerate(keys):
            if index[row] < 0 and row not in failures:
                first = keys.index(key)
                failures[row] = failures[first]
        listed = (
            Failure(row, str(self.sources[row].path), reason)
            for row, reason in sorted(failures.items())
        )
        return Stored(self._map(index), index, tuple(listed), decoded)

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.pipeline.size, self.pipeline.size, 3

    @property
    def _bytes(self) -> int:
        return self.pipeline.size * self.pipeline.size * 3

    def _keys(self, failures: dict[int, str]) -> list[str]:
        """Who each source is; empty where its file is not there."""
        keys = []
        for row, source in enumerate(self.sources):
            try:
                keys.append(content_key(source))
            except ImageError as error:
                failures[row] = str(error)
                keys.append("")
        return keys

    def _missing(self, keys: Sequence[str], entries: dict[str, journal.Entry]) -> list[int]:
        """The first row of each key that has no pixels."""
        firsts: dict[str, int] = {}
        for row, key in enumerate(keys):
            if key and key not in entries:
                firsts.setdefault(key, row)
        return list(firsts.values())

    def _verified(
        self, entries: dict[str, journal.Entry], wanted: set[str]
    ) -> dict[str, journal.Entry]:
        """Entries whose pixels are there; those of an earlier boot are added up again."""
        path = self.folder / PIXELS
        size = path.stat().st_size if path.exists() else 0
        good = {}
        with reading(path) as file:
            for key in wanted & entries.keys():
                entry = entries[key]
                start = entry.slot * self._bytes
                if start + self._bytes > size or file is None:
                    continue
                if not entry.boot or entry.boot != journal.boot():
                    data = np.frombuffer(read(file, self._bytes, start), np.uint8)
                    if len(data) != self._bytes or checksum(data) != entry.sum:
                        continue
                good[key] = entry
        return good

    def _decode(
        self,
        missing: Sequence[int],
        keys: Sequence[str],
        entries: dict[str, journal.Entry],
        failures: dict[int, str],
        used: int,
    ) -> int:
        """Decode what is missing into slots from ``used`` on; ``entries`` and ``failures`` grow.

        An image that fails leaves its slot empty.
        """
        began = told = time.monotonic()
        made: list[journal.Entry] = []
        done = seen = 0
        handle = os.open(self.folder / PIXELS, os.O_RDWR | os.O_CREAT | BINARY, 0o666)
        pool = ThreadPoolExecutor(self.workers)
        try:
            reserve(handle, (used + len(missing)) * self._bytes)
            slots = {row: used + count for count, row in enumerate(missing)}
            groups = [missing[i : i + GROUP] for i in range(0, len(missing), GROUP)]
            with quiet_libraries():
                for results in pool.map(partial(self._store_all, handle, slots), groups):
                    for row, result in results:
                        if isinstance(result, str):
                            failures[row] = result
                            continue
                        entry = journal.Entry(keys[row], slots[row], result, journal.boot())
                        made.append(entry)
                        entries[entry.key] = entry
                        done += 1
                    seen += len(results)
                    now = time.monotonic()
                    if now - told > TELL_SECONDS:
                        journal.append(self.folder / JOURNAL, made)
                        made, told = [], now
                    self.progress.show("Decoding images", seen, len(missing), now - began)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            os.close(handle)
            journal.append(self.folder / JOURNAL, made)
            self.progress.close()
        return done

    def _store_all(
        self, handle: int, slots: Mapping[int, int], rows: Sequence[int]
    ) -> list[tuple[int, int | str]]:
        return [(row, self._store(handle, row, slots[row])) for row in rows]

    def _store(self, handle: int, row: int, slot: int) -> int | str:
        """Preprocess one source and write its pixels; their checksum, or why there are none."""
        source = self.sources[row]
        try:
            data = read_bytes(source.path)
            if self.verify and source.sha256 and sha256_bytes(data) != source.sha256:
                return (
                    f"{source.path}: its content is not what its SHA-256 {source.sha256[:12]}... "
                    "says. Restore the file or read the data set again."
                )
            pixels = apply(self.pipeline, decode(data, box=source.box, name=source.path).pixels)
        except ImageError as error:
            return str(error)
        write(handle, pixels, slot * self._bytes)
        return checksum(pixels)

    def _map(self, index: np.ndarray[Any, np.dtype[np.int64]]) -> Pixels:
        path = self.folder / PIXELS
        if index.size == 0 or index.max() < 0:
            return np.zeros((0, *self._shape), np.uint8)
        count = path.stat().st_size // self._bytes
        return np.memmap(path, np.uint8, "r", shape=(count, *self._shape))


def _slot(entry: journal.Entry | None) -> int:
    return -1 if entry is None else entry.slot


def content_key(source: Source) -> str:
    """Content and box as one name.

    A known hash is believed for as long as size and time of change stay: a file that was altered
    behind its manifest must not leave its pixels under the hash of another content. Without a
    known hash the file's identity stands for its content, as in ``make`` and ``git``; a file
    that changed just now is hashed.
    """
    place = "" if source.box is None else ",".join(str(int(edge)) for edge in source.box)
    try:
        status = source.path.stat()
    except OSError:
        read_bytes(source.path)  # which says what is wrong with it
        raise
    known = f"{status.st_size}:{status.st_mtime_ns}"
    if source.sha256:
        return sha256_bytes(f"sha256:{source.sha256}:{known}:{place}".encode())
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS:
        content = sha256_bytes(read_bytes(source.path))
        return sha256_bytes(f"sha256:{content}:{known}:{place}".encode())
    where = f"{os.path.abspath(source.path)}:{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}"
    return sha256_bytes(f"file:{where}:{known}:{place}".encode())
