"""What was measured, kept from one run to the next: an SQLite file in the cache folder.

One row an image, known by its content and box as in the pixel store (``images.store``). A file
for each version of the measurements: what an older version measured is never read. A cache that
cannot be read or written is told and passed over; it saves time and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from ...files import cache_folder, canonical_json, sha256_bytes
from ...progress import Progress
from .columns import NAMES, VERSION

__all__ = ["Cache"]

Values = np.ndarray[Any, np.dtype[np.float64]]
WAIT_SECONDS = 30
"""How long another process may hold the file; it holds it for milliseconds."""
ASKED = 500
"""Keys of one query; SQLite allows 999 in its oldest builds."""


class Cache:
    """The cached measurements; ``usable`` turns false at the first fault, which is told once."""

    def __init__(self, progress: Progress) -> None:
        digest = sha256_bytes(canonical_json([VERSION, *NAMES]).encode())[:12]
        self.path = cache_folder() / "measurements" / f"{digest}.sqlite"
        self.usable = True
        self._progress = progress

    def read(self, keys: Iterable[str]) -> dict[str, Values]:
        """The values of those keys that are there, in the order of ``columns.NAMES``."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Values] = {}
        if not self.path.exists():
            return found
        try:
            with closing(self._open()) as connection:
                for start in range(0, len(wanted), ASKED):
                    some = wanted[start : start + ASKED]
                    marks = ",".join("?" * len(some))
                    query = f"SELECT key, numbers FROM measured WHERE key IN ({marks})"
                    for key, numbers in connection.execute(query, some):
                        if len(numbers) == 8 * len(NAMES):
                            found[key] = np.frombuffer(numbers, "<f8")
        except (sqlite3.Error, OSError) as error:
            self._pass_over(error)
        return found

    def write(self, values: Mapping[str, Sequence[float] | Values]) -> None:
        """Keep the values of some images; all of them, or none where it fails."""
        if not values or not self.usable:
            return
        rows = [(key, np.asarray(numbers, "<f8").tobytes()) for key, numbers in values.items()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as connection, connection:
                connection.executemany("INSERT OR REPLACE INTO measured VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            self._pass_over(error)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS)
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS measured (key TEXT PRIMARY KEY, numbers BLOB NOT NULL)"
                " WITHOUT ROWID"
            )
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _pass_over(self, error: Exception) -> None:
        if self.usable:
            self._progress.say(
                f"note: {self.path}: the cache of measurements cannot be used ({error}); the next "
                "run measures again. Remove the file, or name another folder in LEUKOSCOPE_CACHE."
            )
        self.usable = False
