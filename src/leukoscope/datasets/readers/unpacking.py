"""Archives, unpacked once into the cache."""

from __future__ import annotations

import gzip
import os
import shutil
import time
import zipfile
from pathlib import Path, PurePosixPath

from ...errors import ManifestError, StorageError
from ...files import atomic_path, cache_folder, sha256_bytes
from ...progress import Progress

__all__ = ["gunzip", "unpack_zip"]

RATIO_LIMIT = 1000
"""Deflate cannot do better than about 1032 to 1; images never come near it."""


def _place(path: Path) -> Path:
    """Where an archive's content goes: by its path, size and time of change."""
    status = path.stat()
    key = f"{path.resolve()}\x1f{status.st_size}\x1f{status.st_mtime_ns}"
    return cache_folder() / "unpacked" / f"{path.stem}-{sha256_bytes(key.encode())[:16]}"


def unpack_zip(path: Path, progress: Progress) -> Path:
    """The folder that holds a zip's files; unpacked on the first call, whole or not at all.

    Raises
    ------
    ManifestError
        When the file is no zip, is damaged or encrypted, or holds a path that leads outside.
    StorageError
        When there is not enough room.
    """
    target = _place(path)
    if target.is_dir():
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse(path, members)
            partial.mkdir(parents=True)
            _extract(archive, members, partial, progress)
        partial.replace(target)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as reason:
        raise ManifestError(f"{path}: cannot be unpacked as a zip: {reason}.") from reason
    except OSError as error:
        if target.is_dir():  # another process was first
            return target
        raise StorageError(
            f"{target.parent}: unpacking {path.name} failed ({error.strerror or error}). Free some "
            "space, or move the cache with LEUKOSCOPE_CACHE."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _refuse(path: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in (parts.parts or ("",))[0]:
            raise ManifestError(f"{path}: holds {member.filename!r}, a path that leads outside.")
    packed = sum(member.compress_size for member in members)
    whole = sum(member.file_size for member in members)
    if whole > RATIO_LIMIT * max(packed, 1):
        raise ManifestError(f"{path}: {packed} bytes claim to be {whole}: refused.")


def _extract(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, progress: Progress
) -> None:
    began = time.monotonic()
    for number, member in enumerate(members):
        progress.show("unpacking", number, len(members), time.monotonic() - began)
        archive.extract(member, folder)
    progress.close()


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
