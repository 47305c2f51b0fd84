"""The frame of ``leukoscope bench``: each room measures itself beside a peer."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from .errors import LeukoscopeError, suggestion
from .progress import Progress
from .schema import Record

__all__ = ["BENCHMARKS", "Row", "describe", "measure"]

BENCHMARKS = {
    "startup": "leukoscope.cli.benchmark",
    "images": "leukoscope.images.benchmark",
    "evaluation": "leukoscope.evaluation.benchmark",
    "training": "leukoscope.training.benchmark",
    "classical": "leukoscope.models.classical.benchmark",
}
"""Name → module with ``run(progress) -> list[dict]``; the keys are those of ``Row``."""


class Row(Record):
    """One figure of ours beside one of a peer, both measured in this run."""

    name: str
    ours: float
    peer: float | None
    """None where there is no peer: the target alone counts."""
    ratio: float | None
    """Ours over the peer's, turned so that more is better; the median over pairs."""
    unit: str
    target: str
    note: str = ""


def measure(names: Sequence[str], progress: Progress) -> list[Row]:
    """Run the named benchmarks (all of them where none is named), one after another.

    Raises
    ------
    LeukoscopeError
        When a name is unknown; near matches are told.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise LeukoscopeError(f"bench: no '{name}'. {suggestion(name, BENCHMARKS)}")
    rows = []
    for name in names or BENCHMARKS:
        progress.say(f"measuring {name}")
        module = importlib.import_module(BENCHMARKS[name])
        rows += [Row.model_validate(row) for row in module.run(progress)]
    return rows


def describe(rows: Sequence[Row]) -> str:
    """The figures as a table of text."""
    header = ("figure", "ours", "peer", "ratio", "target")
    cells = [
        (
            row.name,
            f"{row.ours:,.4g} {row.unit}",
            "–" if row.peer is None else f"{row.peer:,.4g} {row.unit}",
            "–" if row.ratio is None else f"{row.ratio:.2f}",
            row.target,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [header, *cells]) for column in range(5)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, *cells]
    ]
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *notes])
