"""What a store asks of the system: locks, space, whole writes, and errors told in sentences."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StorageError
from ..progress import Progress

__all__ = [
    "BINARY",
    "cores",
    "locked",
    "quiet_libraries",
    "read",
    "reading",
    "reserve",
    "storage_faults",
    "write",
]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
BINARY = getattr(os, "O_BINARY", 0)
"""Windows would otherwise turn each byte 10 into two."""
ONE_PLACE = threading.Lock()
"""Where the system cannot write at a place (Windows), threads share the handle's one position."""


@contextmanager
def storage_faults(folder: Path, what: str = "pixel store") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "Free some space, or name" if full else "Mend its permissions, or name"
        raise StorageError(
            f"{folder}: the {what} cannot be written ({error.strerror or error}). What it "
            f"holds is kept. {remedy} another folder in LEUKOSCOPE_CACHE."
        ) from error


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the store's lock; the system gives it back when this process ends, however it ends."""
    with path.open("ab") as file:
        try:
            import fcntl
        except ImportError:  # no such locks on this system: one writer at a time is up to the user
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Waiting for another process that decodes the same images.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def reading(path: Path) -> Iterator[int | None]:
    if not path.exists():
        yield None
        return
    handle = os.open(path, os.O_RDONLY | BINARY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """One thread inside OpenCV and BLAS: the images are the threads' work."""
    import cv2
    from threadpoolctl import threadpool_limits

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        cv2.setNumThreads(before)


def reserve(handle: int, size: int) -> None:
    """Take the space now, so that a full disk is known before hours of decoding."""
    if os.fstat(handle).st_size >= size:
        return
    reserve: Callable[[int, int, int], None] | None = getattr(os, "posix_fallocate", None)
    if reserve is not None:
        try:
            reserve(handle, 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
    os.ftruncate(handle, size)


def write(handle: int, pixels: Pixels, start: int) -> None:
    """All bytes at their place; through the file, for a full disk under a map is a crash."""
    flat = np.ascontiguousarray(pixels).reshape(-1)
    while len(flat):
        written = _write_at(handle, flat.data, start)
        flat, start = flat[written:], start + written


def read(handle: int, count: int, start: int) -> bytes:
    """``count`` bytes from their place, fewer where the file ends before."""
    if hasattr(os, "pread"):
        return os.pread(handle, count, start)
    with ONE_PLACE:
        os.lseek(handle, start, os.SEEK_SET)
        return os.read(handle, count)


def _write_at(handle: int, data: memoryview, start: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(handle, data, start)
    with ONE_PLACE:
        os.lseek(handle, start, os.SEEK_SET)
        return os.write(handle, data)
