"""Vectors of a frozen backbone, or measurements: once for an image and its view, in the cache.

One folder for each backbone with its weights and normalisation (their digest), in it
``vectors.f32``, vectors one behind the other, and ``journal.txt`` which says whose they are. A
vector is known by the SHA-256 of the preprocessed pixels, so an augmented copy (a view) has its own
and identical pixels share one. Kills and several processes are met as in the pixel store.

Every pass through the backbone has the same number of images, the last one filled up: so a vector
has the same bits whichever images were computed with it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..files import cache_folder, canonical_json, sha256_bytes
from ..images import journal
from ..images.store import checksum
from ..images.writing import locked, reading, reserve, storage_faults, write
from ..models.measured import Measurements
from ..progress import Progress
from .batches import Inputs, Integers, Normaliser

__all__ = ["Features", "VectorLoader", "compute_features", "digest_of"]

VERSION = 1
VECTORS, JOURNAL, LOCK = "vectors.f32", "journal.txt", "lock"
BATCH_PIXELS = 600_000
"""Pixels in one pass through the backbone, as in the loop's passes without gradients."""

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Features:
    """Vectors of rows, in the place of their pixels."""

    array: Floats
    """Memory map of the whole store, (vectors, length), read-only."""
    places: dict[int, int]
    """Row → place in ``array``."""

    def batch(self, rows: Sequence[int] | Integers) -> Floats:
        """float32, (n, length), in the order of ``rows``."""
        return np.asarray(self.array[[self.places[int(row)] for row in rows]])


@dataclass(frozen=True)
class VectorLoader:
    """What a normaliser is to pixels: vectors go to the device as they are."""

    device: torch.device

    def load(self, vectors: Floats) -> Tensor:
        """float32 (n, length) on the device."""
        return torch.from_numpy(np.array(vectors, copy=True)).to(self.device)

    def __call__(self, values: Tensor) -> Tensor:
        """The values unchanged."""
        return values


def compute_features(
    backbone: nn.Module,
    pixels: Inputs,
    rows: Integers,
    normaliser: Normaliser,
    *,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> Features:
    """The vectors of ``rows``, from the cache where they are there.

    Parameters
    ----------
    backbone
        Images (n, 3, size, size) → vectors (n, length); put into evaluation mode. On the device
        of the normaliser.
    pixels
        Where the preprocessed pixels are; rows need not be in order, and may repeat.
    normaliser
        What the backbone sees of them.
    folder
        Of the cache; by default the house cache.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written. What was computed stays.
    """
    backbone.eval()
    shown = progress or Progress(quiet=True)
    wanted = np.unique(rows)
    size = int(pixels.batch(wanted[:1]).shape[1])
    # A flatten of larger images is longer, and vectors of two lengths would overwrite each other.
    place = (folder or cache_folder() / "features") / f"{digest_of(backbone, normaliser)}-{size}"
    with storage_faults(place, "feature store"):
        place.mkdir(parents=True, exist_ok=True)
        return _Filling(place, backbone, pixels, normaliser, shown, size).run(wanted)


def digest_of(backbone: nn.Module, normaliser: Normaliser) -> str:
    """SHA-256 of all that decides a vector but the pixels."""
    weights = {
        name: sha256_bytes(value.detach().cpu().contiguous().numpy().tobytes())
        for name, value in backbone.state_dict().items()
    }
    scale = [
        torch.as_tensor(part, dtype=torch.float64).cpu().flatten().numpy().tobytes()
        for part in (normaliser.factor, normaliser.offset)
    ]
    table = {
        "version": VERSION,
        "kind": type(backbone).__name__,
        "name": str(getattr(backbone, "name", "")),
        "pooling": str(getattr(backbone, "pooling", "")),
        # Padding and the epsilon of batch normalisation are no weights.
        "layers": sha256_bytes(repr(backbone).encode()),
        "weights": weights,
        "scale": [sha256_bytes(part) for part in scale],
        # Another library or device may add up in another order.
        "torch": torch.__version__,
        "device": normaliser.device.type,
    }
    return sha256_bytes(canonical_json(table).encode())


@dataclass
class _Filling:
    """One call: what is known, what is missing, and the work between."""

    folder: Path
    backbone: nn.Module
    pixels: Inputs
    normaliser: Normaliser
    progress: Progress
    size: int

    def run(self, rows: Integers) -> Features:
        self.length = self._pass(self.pixels.batch(rows[:1])).shape[1]
        keys = self._keys(rows)
        entries = self._believed(set(keys.values()))
        if any(key not in entries for key in keys.values()):
            with locked(self.folder / LOCK, self.progress):
                journal.cut_torn_line(self.folder / JOURNAL)
                entries = self._believed(set(keys.values()))
                self._compute(keys, entries)
        count = (self.folder / VECTORS).stat().st_size // (4 * self.length)
        array = np.memmap(self.folder / VECTORS, np.float32, "r", shape=(count, self.length))
        return Features(array, {row: entries[key].slot for row, key in keys.items()})

    @property
    def _at_once(self) -> int:
        return max(1, BATCH_PIXELS // self.size**2)

    def _keys(self, rows: Integers) -> dict[int, str]:
        found = {}
        for start in range(0, len(rows), self._at_once):
            some = rows[start : start + self._at_once]
            for row, image in zip(some.tolist(), self.pixels.batch(some), strict=True):
                found[row] = sha256_bytes(np.ascontiguousarray(image).tobytes())
        return found

    def _believed(self, wanted: set[str]) -> dict[str, journal.Entry]:
        """Entries whose vectors are there and add up."""
        good = {}
        known = journal.read(self.folder / JOURNAL)
        width = 4 * self.length
        with reading(self.folder / VECTORS) as file:
            for key in wanted & known.keys():
                entry = known[key]
                data = b"" if file is None else os.pread(file, width, entry.slot * width)
                if len(data) == width and checksum(np.frombuffer(data, np.uint8)) == entry.sum:
                    good[key] = entry
        return good

    def _compute(self, keys: dict[int, str], entries: dict[str, journal.Entry]) -> None:
        """Compute what is missing; ``entries`` grows."""
        firsts: dict[str, int] = {}
        for row, key in keys.items():
            if key not in entries:
                firsts.setdefault(key, row)
        todo = list(firsts.items())
        known = journal.read(self.folder / JOURNAL).values()
        slot = 1 + max((entry.slot for entry in known), default=-1)
        began = time.monotonic()
        handle = os.open(self.folder / VECTORS, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            reserve(handle, (slot + len(todo)) * 4 * self.length)
            for start in range(0, len(todo), self._at_once):
                some = todo[start : start + self._at_once]
                vectors = self._pass(self.pixels.batch([row for _, row in some]))
                made = []
                for (key, _), vector in zip(some, vectors, strict=True):
                    data = vector.view(np.uint8)
                    write(handle, data, slot * 4 * self.length)
                    made.append(journal.Entry(key, slot, checksum(data), journal.boot()))
                    slot += 1
                journal.append(self.folder / JOURNAL, made)
                entries |= {entry.key: entry for entry in made}
                seen = start + len(some)
                elapsed = time.monotonic() - began
                self.progress.show("Computing features", seen, len(todo), elapsed)
        finally:
            os.close(handle)
            self.progress.close()

    def _pass(self, images: np.ndarray[Any, np.dtype[np.uint8]]) -> Floats:
        """Vectors of up to ``_at_once`` images, always in a pass of that many.

        Measurements look at one image after another; theirs need not be filled up.
        """
        many = len(images) if isinstance(self.backbone, Measurements) else self._at_once
        filled = np.zeros((many, *images.shape[1:]), dtype=np.uint8)
        filled[: len(images)] = images
        with torch.inference_mode():
            vectors = self.backbone(self.normaliser(self.normaliser.load(filled)))
        return np.ascontiguousarray(vectors.float().cpu().numpy()[: len(images)])
