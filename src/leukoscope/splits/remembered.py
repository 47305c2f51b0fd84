"""The comparison of pixels, made once: what it found is kept in the cache by the images' hashes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import Field

from ..datasets.manifest import Manifest
from ..errors import LeukoscopeError
from ..files import cache_folder, canonical_json, read_json, sha256_bytes, write_json
from ..progress import Progress
from ..schema import Record, parse
from .duplicates import Comparison, compare_pixels
from .likeness import VERSION

__all__ = ["compare_once", "recall"]

SCHEMA = 2
SILENT = Progress(quiet=True)


class _Remembered(Record):
    schema_: int = Field(default=SCHEMA, alias="schema")
    pairs: tuple[tuple[str, str, float], ...]
    looked: int
    crops: tuple[tuple[str, str, int, int, float], ...]


def compare_once(manifest: Manifest, progress: Progress = SILENT) -> Comparison:
    """``duplicates.compare_pixels``, read from the cache where the same images were compared.

    It is kept where every row has a hash and every image could be read. A cache that cannot be
    read or written is done without.
    """
    known = recall(manifest)
    if known is not None:
        return known
    path = _place(manifest)
    found = compare_pixels(manifest, progress)
    if path is not None and not found.skipped:
        kept = _Remembered(pairs=found.pairs, looked=found.looked, crops=found.crops)
        with suppress(LeukoscopeError, OSError):
            write_json(path, kept.model_dump(mode="json", by_alias=True))
    return found


def recall(manifest: Manifest) -> Comparison | None:
    """The comparison of these images that is kept; None where there is none, or it is damaged."""
    path = _place(manifest)
    if path is None or not path.is_file():
        return None
    with suppress(LeukoscopeError):
        table = read_json(path, what="comparison", schema=SCHEMA, error=LeukoscopeError)
        known = parse(_Remembered, table, where=str(path), error=LeukoscopeError)
        return Comparison(known.pairs, (), known.looked, known.crops)
    return None


def _place(manifest: Manifest) -> Path | None:
    """Where the comparison of these images is kept; None where a row has no hash."""
    rows = sorted(
        zip(
            manifest.keys,
            manifest.column("parent"),
            manifest.column("pixels_sha256"),
            manifest.column("sha256"),
            strict=True,
        )
    )
    if not all(pixels or file for _, _, pixels, file in rows):
        return None
    name = sha256_bytes(canonical_json([VERSION, rows]).encode())
    return cache_folder() / "comparisons" / f"{name}.json"
