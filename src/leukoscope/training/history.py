"""The learning curve: kept as rows, written as ``history.csv``, shown as a line of blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ..files import write_atomic

__all__ = ["COLUMNS", "curve_note", "sparkline", "write_history"]

COLUMNS = (
    "epoch",
    "learning_rate",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "seconds",
)
BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 16
"""Characters of a curve on the progress line."""

Row = Mapping[str, float]


def write_history(rows: Sequence[Row], path: Path) -> None:
    """One line an epoch, atomically; columns that no row has are left out.

    ``epoch`` counts from 1. ``loss`` and ``accuracy`` are running means over the epoch's batches,
    augmented as they were seen; the others are measured after the epoch. ``test_…`` is there only
    where the epoch is chosen on the test part, or ``training.curves_on_test`` asks for its curve.
    """
    present = [name for name in COLUMNS if any(name in row for row in rows)]
    table = pd.DataFrame(list(rows), columns=present)
    if "epoch" in table:
        table["epoch"] = table["epoch"].astype(int)
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Values as blocks from the lowest to the highest, the newest at the right.

    More values than ``width`` are thinned to evenly spaced ones, the first and the last kept.

    >>> sparkline([4.0, 3.0, 2.0, 1.0])
    '█▆▃▁'
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    if len(finite) > width:
        step = (len(finite) - 1) / (width - 1)
        finite = [finite[round(place * step)] for place in range(width)]
    low, high = min(finite), max(finite)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * scale)] for value in finite)


def curve_note(rows: Sequence[Row]) -> str:
    """``loss 0.312 █▅▃▁  validation 0.401 █▄▂▁`` for the progress line."""
    notes = []
    for column, name in (("loss", "loss"), ("validation_loss", "validation")):
        values = [row[column] for row in rows if column in row]
        if values:
            notes.append(f"{name} {values[-1]:.3f} {sparkline(values)}")
    return "  ".join(notes)
