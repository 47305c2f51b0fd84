"""The progress line over all folds of a run, with its time to go and its learning curve."""

from __future__ import annotations

import time

from ..progress import Progress
from .history import curve_note
from .loop import Report

__all__ = ["Clock"]


class Clock:
    """The progress line over all folds, and its time to go."""

    def __init__(self, folds: int, epochs: int, progress: Progress) -> None:
        self._progress = progress
        self._folds = folds
        self._epochs = epochs
        self._began = time.monotonic()
        self._finished = 0
        """Epochs that are behind us, those of folds that stopped early counted whole."""
        self._skipped = 0.0
        """Of these, how many were not made by this call."""

    def skip(self) -> None:
        """A fold was finished by an earlier call."""
        self._finished += self._epochs
        self._skipped += self._epochs

    def finish(self, epochs: int) -> None:
        """A fold is finished now."""
        self._finished += self._epochs
        self._skipped += self._epochs - epochs

    def of_fold(self, number: int, batches: int) -> Report:
        """The reporter of one fold with so many batches an epoch, for ``train_network``."""
        began_at: list[int] = []

        def report(epoch: int, batch: int, history: list[dict[str, float]]) -> None:
            if not began_at:
                began_at.append(epoch)
                self._skipped += epoch
            done = self._finished + epoch + batch / batches
            made = done - self._skipped
            if made <= 0:
                return
            total = self._folds * self._epochs
            elapsed = (time.monotonic() - self._began) * done / made
            shown_epoch = min(epoch + 1, self._epochs)
            self._progress.show(
                f"fold {number + 1} of {self._folds}, epoch {shown_epoch} of {self._epochs}, step",
                round(done * batches),
                total * batches,
                elapsed,
                curve_note(history),
            )

        return report
