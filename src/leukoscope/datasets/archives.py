"""Archives, downloaded or handed in, unpacked whole or not at all, and only where they should.

A zip or tar may name paths that lead outside, links, devices, or a size that fills the disk;
each of these is refused before anything is written.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import DownloadError, LeukoscopeError
from ..progress import Progress

__all__ = ["unpack"]

SILENT = Progress(quiet=True)
RATIO_LIMIT = 1000
"""Deflate cannot do better than about 1032 to 1; images never come near it."""


def unpack(
    archive: Path,
    folder: Path,
    progress: Progress = SILENT,
    *,
    refused: type[LeukoscopeError] = DownloadError,
) -> None:
    """Unpack a zip or tar (also .tar.gz, .tar.xz) into ``folder``.

    Everything is written beside its place first and then moved, so that an interruption leaves
    no half set.

    Raises
    ------
    refused
        When it is neither, is damaged, or holds what an archive of images has no reason to hold.
    DownloadError
        When it does not fit on the disk, or something of that name is there already.
    """
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".unpacking-"))
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, temporary, progress, refused)
        elif tarfile.is_tarfile(archive):
            _unpack_tar(archive, temporary, progress, refused)
        else:
            raise refused(f"{archive}: is neither a zip nor a tar. Remove it and try again.")
        contents = sorted(temporary.iterdir())
        for item in contents:
            if (folder / item.name).exists():
                raise DownloadError(
                    f"{folder / item.name}: exists already, so {archive.name} was not unpacked. "
                    "Move it away, or choose another folder."
                )
        for item in contents:
            item.replace(folder / item.name)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        RuntimeError,  # an encrypted zip
        NotImplementedError,  # a compression that Python does not know
    ) as reason:
        raise refused(
            f"{archive}: cannot be unpacked: {reason}. Remove it and download it again."
        ) from reason
    except OSError as error:
        raise DownloadError(
            f"{folder}: unpacking {archive.name} failed ({error.strerror or error}). "
            "The archive is kept; free some space or choose another folder."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack_zip(
    archive: Path, folder: Path, progress: Progress, refused: type[LeukoscopeError]
) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            _refuse_outward(archive, member.filename, refused)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise refused(f"{archive}: holds the link {member.filename!r}: refused.")
        _refuse_bomb(archive, folder, (member.file_size for member in members), refused)
        began = time.monotonic()
        for number, member in enumerate(members):
            progress.show("unpacking", number, len(members), time.monotonic() - began)
            file.extract(member, folder)
        progress.close()


def _unpack_tar(
    archive: Path, folder: Path, progress: Progress, refused: type[LeukoscopeError]
) -> None:
    with tarfile.open(archive) as file:
        members = file.getmembers()
        for member in members:
            _refuse_outward(archive, member.name, refused)
            if not (member.isfile() or member.isdir()):
                kind = "link" if member.issym() or member.islnk() else "device"
                raise refused(f"{archive}: holds the {kind} {member.name!r}: refused.")
        _refuse_bomb(archive, folder, (member.size for member in members), refused)
        began = time.monotonic()
        for number, member in enumerate(members):
            progress.show("unpacking", number, len(members), time.monotonic() - began)
            file.extract(member, folder, filter="data")
        progress.close()


def _refuse_outward(archive: Path, name: str, refused: type[LeukoscopeError]) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    drive = bool(path.parts) and path.parts[0].endswith(":")
    if path.is_absolute() or drive or ".." in path.parts:
        raise refused(f"{archive}: holds {name!r}, a path that leads outside: refused.")


def _refuse_bomb(
    archive: Path, folder: Path, sizes: Iterable[int], refused: type[LeukoscopeError]
) -> None:
    packed, whole = archive.stat().st_size, sum(sizes)
    if whole > RATIO_LIMIT * max(packed, 1):
        raise refused(f"{archive}: {packed:,} bytes claim to be {whole:,}: refused.")
    free = shutil.disk_usage(folder).free
    if whole > free:
        raise DownloadError(
            f"{folder}: {archive.name} needs {whole:,} bytes, {free:,} are free. "
            "Free some space or choose another folder; the archive is kept."
        )
