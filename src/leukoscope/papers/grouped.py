"""Grouped data kept beside its runs, so that a grid that goes on does not compare images anew."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from ..datasets.manifest import Manifest, folder_below, read_manifest, write_manifest
from ..datasets.reading import read_rows
from ..errors import ManifestError
from ..files import canonical_json, read_json, sha256_bytes, write_json
from ..progress import Progress
from ..splits.grouping import open_grouped

__all__ = ["open_kept"]

Failures = tuple[tuple[str, str], ...]
RACY_NS = 2_000_000_000
"""A file changed less than this before now may change again without its times showing it."""


def open_kept(path: Path, kept: Path, progress: Progress) -> tuple[Manifest, Failures]:
    """What ``open_grouped`` opens, read back where it was opened before and nothing has changed.

    Decoding all images and comparing them takes minutes for a large set. What they gave is kept
    under a digest of names, labels, subjects, and of the size and time of change of every image.

    Parameters
    ----------
    path
        A manifest, or a folder (or archive) of images.
    kept
        The manifest that is kept; beside it lies a JSON of the same name.
    """
    rows = read_rows(path, progress)
    digest = _digest(rows)
    record = kept.with_suffix(".json")
    if digest and record.is_file() and kept.is_file():
        told = read_json(record, what="kept groups", schema=1, error=ManifestError)
        if told["digest"] == digest:
            manifest = read_manifest(kept)
            same = replace(manifest, folder=rows.folder).with_card(root=rows.card.root)
            return same, tuple((image, reason) for image, reason in told["failures"])
    manifest, failures = open_grouped(path, None, progress)
    # A manifest whose folder holds the images would have to name them otherwise.
    if digest and folder_below(manifest.folder, kept.parent) is None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        record.unlink(missing_ok=True)
        write_manifest(manifest, kept)
        write_json(record, {"schema": 1, "digest": digest, "failures": failures})
    return manifest, failures


def _digest(rows: Manifest) -> str:
    """Of all that groups depend on; empty where a file changed just now or is not there."""
    now = time.time_ns()
    states = []
    for row in range(len(rows)):
        try:
            status = rows.path(row).stat()
        except OSError:
            return ""
        if now - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS:
            return ""
        states.append((status.st_size, status.st_mtime_ns))
    table = {
        "version": metadata.version("leukoscope"),
        "folder": str(rows.folder.resolve()),
        "rows": rows.table.to_csv(index=False, lineterminator="\n"),
        "card": rows.card.model_dump(mode="json"),
        "states": states,
    }
    return sha256_bytes(canonical_json(table).encode())
