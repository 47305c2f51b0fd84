"""What tasks do in the tests of engines; other processes import it by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from leukoscope.errors import RunError, StorageError
from leukoscope.progress import Progress


def note(folder: Path, name: str, progress: Progress) -> str:
    """Leave a file that says when it was begun and ended, by whom, and with which threads."""
    began = time.time()
    progress.show("fold 1 of 1, epoch 1 of 1, step", 1, 2, 10.0)
    time.sleep(0.2)
    threads = os.environ["OMP_NUM_THREADS"]
    (folder / name).write_text(f"{began} {time.time()} {os.getpid()} {threads}")
    return ""


def refuse(reason: str, progress: Progress) -> str:
    """A training that cannot be made."""
    return f"not run: {reason}"


def fail(kind: str, progress: Progress) -> str:
    """What stops the whole grid."""
    if kind == "disk":
        raise StorageError("the disk is full.")
    if kind == "system":
        raise OSError(28, "No space left on device")
    raise RunError("was made with other settings.")


def die(folder: Path, name: str, times: int, progress: Progress) -> str:
    """Be killed the first so many times."""
    with (folder / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if len((folder / name).read_text().splitlines()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return ""


def forget(progress: Progress) -> str:
    """An error that nobody foresaw."""
    raise ValueError("this is a fault of the program")


def sleep(folder: Path, name: str, progress: Progress) -> str:
    """Be busy for longer than any test, and tidy up when stopped."""
    try:
        (folder / name).write_text(str(os.getpid()))
        time.sleep(120)
    finally:
        (folder / f"{name}.tidied").touch()
    return ""
