"""Archives, unpacked once into the cache."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

from ...errors import ManifestError, StorageError
from ...files import atomic_path, cache_folder, sha256_bytes
from ...progress import Progress
from ..archives import unpack

__all__ = ["gunzip", "is_archive", "unpacked"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz")


def _place(path: Path) -> Path:
    """Where an archive's content goes: by its path, size and time of change."""
    status = path.stat()
    key = f"{path.resolve()}\x1f{status.st_size}\x1f{status.st_mtime_ns}"
    return cache_folder() / "unpacked" / f"{path.stem}-{sha256_bytes(key.encode())[:16]}"


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.name.lower().endswith(ARCHIVES) and os.path.isfile(path)


def unpacked(path: Path, progress: Progress) -> Path:
    """The folder that holds an archive's files; unpacked on the first call, whole or not at all.

    Raises
    ------
    ManifestError
        When the file is no archive, is damaged or encrypted, or holds a path that leads outside.
    StorageError
        When there is not enough room.
    """
    target = _place(path)
    if target.is_dir():
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        unpack(path, partial, progress, refused=ManifestError)
        partial.replace(target)
    except OSError as error:
        if target.is_dir():  # another process was first
            return target
        raise StorageError(
            f"{target.parent}: cannot be written ({error.strerror or error}). Free some space, or "
            "move the cache with LEUKOSCOPE_CACHE."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def gunzip(path: Path, progress: Progress) -> Path:
    """The file inside a ``.gz``, unpacked on the first call into the cache, atomically.

    Raises
    ------
    ManifestError
        When the file is damaged.
    StorageError
        When there is not enough room.
    """
    target = _place(path) / path.stem
    if target.is_file():
        return target
    progress.say(f"unpacking {path.name} into {target.parent}")
    with atomic_path(target) as temporary, temporary.open("wb") as plain:
        try:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, plain, 1 << 20)
        except (gzip.BadGzipFile, EOFError) as reason:
            raise ManifestError(f"{path}: cannot be unpacked as gzip: {reason}.") from reason
    return target
