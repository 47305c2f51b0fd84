"""One progress line with its time to go, on stderr, only for work that takes a while."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = ["Progress", "duration"]

T = TypeVar("T")
SILENT_SECONDS = 2.0
"""Work shorter than this shows nothing."""
LOG_SECONDS = 15.0
"""Off a terminal a line is printed this often instead of being redrawn."""


def duration(seconds: float) -> str:
    """A time to go as a person says it: ``45 s``, ``3 min 10 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@dataclass
class Progress:
    """Reports work on stderr; ``quiet`` says nothing at all.

    Passed down from the command line so that no room has to know about terminals.
    """

    quiet: bool = False
    _shown: float = field(default=0.0, init=False)
    _line: bool = field(default=False, init=False)

    def track(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """Yield ``items`` while showing ``what``, how many of ``total`` and the time to go."""
        began = time.monotonic()
        for done, item in enumerate(items):
            self.show(what, done, total, time.monotonic() - began)
            yield item
        self.close()

    def show(self, what: str, done: int, total: int, elapsed: float, note: str = "") -> None:
        """Show one state of a longer job; call as often as convenient."""
        left = f", {duration(elapsed / done * (total - done))} to go" if done else ""
        self.line(f"{what}: {done} of {total}{left}" + (f"  {note}" if note else ""), elapsed)

    def line(self, text: str, elapsed: float) -> None:
        """Show a line of a job that has taken ``elapsed`` seconds, if it is time to."""
        if self.quiet or elapsed < SILENT_SECONDS:
            return
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self._shown < (0.1 if terminal else LOG_SECONDS):
            return
        self._shown = now
        if terminal:
            # A line that wraps could not be redrawn.
            text = text[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r\x1b[2K{text}")
            self._line = True
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Print one line of its own, unless quiet."""
        if not self.quiet:
            self.close()
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """End a redrawn line so that what follows begins on a fresh one."""
        if self._line:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._line = False
