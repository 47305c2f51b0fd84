"""Hashes of files and of decoded pixels, filled in one pass with bounded memory."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import ImageError
from ..files import sha256_bytes
from ..images.decode import Box, change_of, decode, pixels_sha256, read_bytes, read_header
from ..progress import Progress
from .manifest import Manifest

__all__ = ["Failures", "Print", "fill_fingerprints", "in_order", "take"]

Failures = tuple[tuple[str, str], ...]
"""``(image or row key, reason)`` for each that cannot be read."""
WORKERS = min(4, os.cpu_count() or 1)
AHEAD = 4
"""Images a worker may be ahead of what was taken: what bounds the memory."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Print:
    """One image file: its hash, the hashes of its pixels by box, or why there are none."""

    sha256: str = ""
    pixels: tuple[str, ...] = ()
    """For each box asked for; an empty string where the box does not lie in the image."""
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What decoding did to it (``images.decode``)."""


def take(path: Path, boxes: Iterable[Box | None], *, hash_pixels: bool) -> Print:
    """Read one file once and hash it and the pixels of each box (None is the whole image)."""
    try:
        data = read_bytes(path)
        if not hash_pixels:
            read_header(data)
            return Print(sha256_bytes(data), tuple("" for _ in boxes))
        decoded = decode(data, name=path)
    except ImageError as error:
        reason = str(error)
        return Print(reason=reason.removeprefix(f"{path}: ").removeprefix("image: "))
    pixels = decoded.pixels
    height, width = pixels.shape[:2]
    hashes = []
    for box in boxes:
        x0, y0, x1, y1 = box or (0, 0, width, height)
        inside = x1 <= width and y1 <= height
        hashes.append(pixels_sha256(pixels[y0:y1, x0:x1]) if inside else "")
    return Print(sha256_bytes(data), tuple(hashes), notes=decoded.notes)


def in_order(work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """``map`` over a few threads that stays only a few items ahead (decoding frees the GIL)."""
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= WORKERS * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def fill_fingerprints(
    manifest: Manifest, *, hash_pixels: bool, progress: Progress
) -> tuple[Manifest, Failures, dict[str, int]]:
    """The manifest with ``sha256`` and ``pixels_sha256`` filled, without what cannot be read.

    ``pixels_sha256`` is of the row's own pixels: those of its box where it has one. The last of
    the three says how many images were changed while they were decoded, and how.
    """
    rows: dict[str, list[int]] = {}
    for row, image in enumerate(manifest.column("image")):
        rows.setdefault(image, []).append(row)
    boxes = manifest.boxes

    def work(image: str) -> Print:
        wanted = [boxes[row] for row in rows[image]]
        return take(manifest.folder / image, wanted, hash_pixels=hash_pixels)

    files, pixels = [""] * len(manifest), [""] * len(manifest)
    failures: list[tuple[str, str]] = []
    left_out: set[int] = set()
    changed: Counter[str] = Counter()
    tracked = progress.track(in_order(work, rows), "reading images", len(rows))
    for image, found in zip(rows, tracked, strict=True):
        if found.reason:
            failures.append((image, found.reason))
            left_out.update(rows[image])
            continue
        changed.update({change_of(note) for note in found.notes})
        for row, hashed in zip(rows[image], found.pixels, strict=True):
            files[row], pixels[row] = found.sha256, hashed
            if hash_pixels and not hashed:
                failures.append((manifest.keys[row], "the box does not lie in the image"))
                left_out.add(row)
    filled = manifest.with_columns(sha256=files, pixels_sha256=pixels)
    if left_out:
        kept = [row for row in range(len(manifest)) if row not in left_out]
        filled = filled.with_table(filled.table.iloc[kept])
    return filled, tuple(failures), dict(changed.most_common())
