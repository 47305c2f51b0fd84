"""One progress line for a whole grid, wherever its trainings run.

A training reports to a ``Reporter``. In this process that tells the line; in another one it
writes a small file, which the line reads: so it is the same for local processes and for a cluster
on a shared file system.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..progress import Progress, duration

__all__ = ["GridProgress", "Reporter", "file_reporter"]

TELL_SECONDS = 1.0
"""How often a training in another process says how far it is."""
ENOUGH_SECONDS = 60.0
ENOUGH_SHARE = 0.05
"""Before so much time and work the pace of a call says little: it begins with decoding images."""
Tell = Callable[[float, str], None]
"""Told (share that is done, what is done now)."""


@dataclass
class Reporter(Progress):
    """What one training reports to; tells its share instead of drawing a line."""

    tell: Tell | None = None
    _share: float = field(default=0.0, init=False)

    def show(self, what: str, done: int, total: int, elapsed: float, note: str = "") -> None:
        """Steps of the training count; decoding images or computing vectors is only named."""
        if total and what.endswith("step"):
            self._share = max(self._share, done / total)
        if self.tell is not None:
            self.tell(self._share, f"{what.removesuffix(', step')} {note}".rstrip())

    def say(self, text: str) -> None:
        """Part of the grid's line, which has no room for lines of its own."""
        if self.tell is not None:
            self.tell(self._share, text)


def file_reporter(path: Path, quiet: bool) -> Reporter:
    """A reporter that writes to a file now and then."""
    told = 0.0

    def tell(share: float, words: str) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            path.write_text(json.dumps([share, words]), encoding="utf-8")

    return Reporter(quiet=quiet, tell=None if quiet else tell)


@dataclass
class GridProgress(Progress):
    """The line: how much of the grid is made, how many trainings, time to go of all of them."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    """Estimated seconds of each training that is to be made."""
    folder: Path = Path()
    """Where reporters in other processes write."""
    before: Mapping[str, float] = field(default_factory=dict)
    """Share of a training that an earlier call has made; 0 where it is not named."""
    _given_up: set[str] = field(default_factory=set, init=False)
    """Trainings that could not be made: neither work that was done nor work to come."""
    _done: set[str] = field(default_factory=set, init=False)
    _running: dict[str, tuple[float, str]] = field(default_factory=dict, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)

    def begin(self, name: str) -> Reporter:
        """A training begins in this process."""
        self._running[name] = (0.0, "")

        def tell(share: float, words: str) -> None:
            self._running[name] = (share, words)
            self.draw()

        return Reporter(quiet=self.quiet, tell=tell)

    def begin_elsewhere(self, name: str) -> Path:
        """A training begins in another process: the file that its reporter is to write."""
        self._running[name] = (0.0, "")
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._file(name)

    def end(self, name: str, *, made: bool = True) -> None:
        """A training is finished, or cannot be made."""
        self._running.pop(name, None)
        self._done.add(name)
        if not made:
            self._given_up.add(name)
        self._file(name).unlink(missing_ok=True)
        self.draw()

    def interrupt(self, name: str) -> None:
        """A training stopped in its midst and is to begin again later."""
        self._running.pop(name, None)

    def look(self) -> None:
        """Read what trainings in other processes wrote, and draw."""
        for name in self._running:
            try:
                share, words = json.loads(self._file(name).read_text(encoding="utf-8"))
            except (OSError, ValueError):  # not there yet, or half written
                continue
            self._running[name] = (share, words)
        self.draw()

    def draw(self) -> None:
        """Draw the line, if it is time to."""
        if self._running:
            self.line(self.words(), time.monotonic() - self._began)

    def words(self) -> str:
        """What the line says."""
        share, left = self._share_and_left(time.monotonic() - self._began)
        name, (_, note) = list(self._running.items())[-1]
        several = f", {len(self._running)} at once" if len(self._running) > 1 else ""
        return (
            f"{100 * share:.0f} % of the grid, {len(self._done)} of {len(self.seconds)} trainings"
            f"{several}{left}  {name}: {note}"
        )

    def _share_and_left(self, passed: float) -> tuple[float, str]:
        """Share of the grid that is made, and the time to go at the pace of this call.

        What an earlier call has made is made, and says nothing of how fast this one is. Until
        enough was made in this one the plan's estimate is told, as such.
        """
        weights = {n: one for n, one in self.seconds.items() if n not in self._given_up}
        told = {name: share for name, (share, _) in self._running.items()}
        told |= dict.fromkeys(self._done, 1.0)
        made = before = 0.0
        for name, weight in weights.items():
            former = min(self.before.get(name, 0.0), 1.0)
            made += weight * max(former, told.get(name, 0.0))
            before += weight * former
        whole = sum(weights.values())
        share = made / whole if whole else 0.0
        if not whole or made >= whole:
            return share, ""
        if passed < ENOUGH_SECONDS or made - before < ENOUGH_SHARE * (whole - before):
            return share, f", {duration(whole - made)} to go by the plan"
        return share, f", {duration(passed * (whole - made) / (made - before))} to go"

    def finish(self) -> None:
        """End the line and remove what reporters left."""
        self.close()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '--')}.json"
