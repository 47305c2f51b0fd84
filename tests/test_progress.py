"""Progress: silent where it is short or unwanted, one line where it is not."""

from __future__ import annotations

import io
import sys

import pytest

from leukoscope import progress as module
from leukoscope.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (190, "3 min 10 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def run(progress: Progress, clock: list[float], each: float, total: int = 10) -> None:
    for item in progress.track(range(total), "reading", total):
        assert 0 <= item < total
        clock[0] += each


def test_short_work_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    run(Progress(), clock, 0.1)
    assert capsys.readouterr().err == ""


def test_long_work_off_a_terminal_prints_lines_with_the_time_to_go(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    run(Progress(), clock, 10.0)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "reading: 1 of 10, 1 min 30 s to go"
    # One line in 15 seconds at most, so every second image of 10 seconds each.
    assert lines[1] == "reading: 3 of 10, 1 min 10 s to go"
    assert "\x1b" not in err


def test_on_a_terminal_one_line_is_redrawn_and_removed(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(Progress(), clock, 10.0)
    text = terminal.getvalue()
    assert text.count("\n") == 0
    assert text.startswith("\r\x1b[2Kreading: 1 of 10")
    assert text.endswith("\r\x1b[2K")


def test_quiet_says_nothing_at_all(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=True)
    run(progress, clock, 60.0)
    progress.say("done")
    assert capsys.readouterr().err == ""


def test_a_said_line_stands_on_its_own(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress()
    progress.show("training", 0, 5, elapsed=3.0, note="loss 0.5")
    progress.say("epoch 1 done")
    assert terminal.getvalue() == ("\r\x1b[2Ktraining: 0 of 5  loss 0.5\r\x1b[2Kepoch 1 done\n")
