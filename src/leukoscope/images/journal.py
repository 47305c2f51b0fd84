"""What a pixel store holds: one line of text for each image, added when its pixels are written.

::

    <key> <slot> <sum> <boot>\n

A line counts only with its newline, so a writer that is killed leaves at most a torn line, which
nobody reads and the next writer cuts off. Pixels are written before their line. Should the whole
machine go down, the line may have reached the disk and the pixels not: lines of an earlier boot
are believed only when the pixels still add up to ``sum``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["Entry", "append", "boot", "cut_torn_line", "read"]


@dataclass(frozen=True)
class Entry:
    """One image of a store."""

    key: str
    slot: int
    """Place of its pixels, counted in images."""
    sum: int
    """Of its pixels as unsigned 64-bit words, see ``store.checksum``."""
    boot: str
    """The run of the machine in which it was written; empty where the system has no name for
    it."""


@lru_cache(maxsize=1)
def boot() -> str:
    """A name of this run of the machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def read(path: Path) -> dict[str, Entry]:
    """Every whole line, by key; the last of a key counts. No file is an empty journal."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    entries = {}
    for line in data[: data.rfind(b"\n") + 1].decode("ascii", "replace").splitlines():
        parts = line.split(" ")
        if len(parts) == 4 and parts[1].isdigit() and parts[2].isdigit():
            entries[parts[0]] = Entry(parts[0], int(parts[1]), int(parts[2]), parts[3])
    return entries


def cut_torn_line(path: Path) -> None:
    """Drop what follows the last newline; only for who holds the store's lock."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def append(path: Path, entries: Iterable[Entry]) -> None:
    """Add lines in one write."""
    lines = "".join(f"{e.key} {e.slot} {e.sum} {e.boot}\n" for e in entries)
    with path.open("ab") as file:
        file.write(lines.encode("ascii"))
