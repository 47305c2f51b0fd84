"""The learning curve in its file and on the progress line."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest

from leukoscope.progress import Progress
from leukoscope.records.run import read_history
from leukoscope.training.clock import Clock
from leukoscope.training.history import curve_note, sparkline, write_history

ROWS = [
    {"epoch": 1, "learning_rate": 0.1, "loss": 0.7, "accuracy": 0.5, "validation_loss": 0.8},
    {"epoch": 2, "learning_rate": 0.1, "loss": 0.4, "accuracy": 0.8, "validation_loss": 0.6},
]


def test_the_file_has_the_columns_that_were_measured(tmp_path: Path) -> None:
    write_history(ROWS, tmp_path / "history.csv")
    table = read_history(tmp_path / "history.csv")
    assert list(table.columns) == ["epoch", "learning_rate", "loss", "accuracy", "validation_loss"]
    assert table["epoch"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([1.0], "▁"),
        ([2.0, 2.0], "▁▁"),
        ([4.0, 3.0, 2.0, 1.0], "█▆▃▁"),
        ([1.0, math.inf, 2.0], "▁█"),
    ],
)
def test_blocks(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    drawn = sparkline([*([5.0] * 99), 1.0], width=10)
    assert drawn == "█" * 9 + "▁"


def test_the_note_names_both_curves() -> None:
    assert curve_note(ROWS) == "loss 0.400 █▁  validation 0.600 █▁"
    assert curve_note([]) == ""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_shows_fold_epoch_time_and_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, now = _Terminal(), [100.0]
    monkeypatch.setenv("COLUMNS", "120")  # a narrower line is cut
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = Clock(folds=4, epochs=10, progress=Progress())
    clock.skip()  # done by an earlier call
    report = clock.of_fold(1, 5)
    report(5, 0, [])  # five epochs were there already
    now[0] += 20
    report(6, 0, ROWS)
    # One epoch took 20 s, 24 are left: 4 + 10 + 10.
    assert "fold 2 of 4, epoch 7 of 10" in screen.getvalue()
    assert "8 min 00 s to go" in screen.getvalue()
    assert "loss 0.400 █▁  validation 0.600 █▁" in screen.getvalue()


def test_a_fold_that_stopped_early_does_not_slow_the_forecast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen, now = _Terminal(), [0.0]
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = Clock(folds=2, epochs=10, progress=Progress())
    clock.of_fold(0, 5)
    now[0] = 40.0
    clock.finish(epochs=4)
    now[0] = 50.0
    clock.of_fold(1, 5)(0, 0, [])
    # Four epochs in 50 s, ten are left; ten in 50 s would have been 50 s.
    assert "2 min 05 s to go" in screen.getvalue()
