"""How long ``leukoscope --help`` takes, as a whole process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from ..progress import Progress

__all__ = ["run"]

ROUNDS = 9


def run(progress: Progress) -> list[dict[str, Any]]:
    """Whole processes in turn: ours, and an interpreter that does nothing."""
    ours = [sys.executable, "-m", "leukoscope", "--help"]
    nothing = [sys.executable, "-c", "pass"]
    seconds: dict[str, list[float]] = {"ours": [], "nothing": []}
    for _ in progress.track(range(ROUNDS), "starting", ROUNDS):
        for name, command in (("ours", ours), ("nothing", nothing)):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    return [
        {
            "name": "leukoscope --help",
            "ours": statistics.median(seconds["ours"]),
            "peer": statistics.median(seconds["nothing"]),
            "ratio": None,
            "unit": "s",
            "target": "< 0.3 s",
            "note": "the peer is a Python that does nothing",
        }
    ]
