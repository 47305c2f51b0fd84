"""The folder of a fuzzy decision: ``fuzzy.json`` and the files beside it.

::

    DIR/
      predictions.csv        the run's test rows with ``calibrated``, ``verdict`` and ``reason``
      cells.csv              every measurement of every cell
      fold-0.toml, …         the system that decided each fold
      curves.json            sets and score of the first fold's system, as numbers to be drawn
      memberships.svg, decision_surface.svg, and both as PNG
      fuzzy.json             what came of it; written last, so a folder that has it is whole

Such a folder inside a run is shown by the run's report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..errors import FuzzyError
from ..files import read_json, sha256_file, write_atomic, write_json
from ..schema import Record, parse

__all__ = [
    "SCHEMA",
    "Curves",
    "Difference",
    "Judged",
    "Plane",
    "Rule",
    "Variable",
    "Verdicts",
    "find_verdicts",
    "of_these_predictions",
    "read_curves",
    "read_verdicts",
    "write_curves",
    "write_verdicts",
]

SCHEMA = 1
FILE, CURVES = "fuzzy.json", "curves.json"
Counts = dict[str, dict[str, int]]
"""Label → verdict → cells."""


class Difference(Record):
    """A value with its 95 % interval over groups; None where there is none, and why."""

    value: float | None
    low: float | None
    high: float | None
    groups: int
    n: int
    reason: str = ""


class Rule(Record):
    """What one rule of referral did."""

    answered: int
    referred: int
    errors: int
    """Answered cells whose answer is wrong."""
    missed: int
    """Of these: positive cells that were called normal."""
    rate: Difference
    """Errors among the answered cells."""


class Judged(Record):
    """The fuzzy system (a) beside the plain band (b) on the same cells."""

    cells: int
    groups: int
    a: Rule
    b: Rule
    difference: Difference
    """Error rate of a less that of b: above 0, the fuzzy system loses."""


class Verdicts(Record):
    """``fuzzy.json``."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    system: str
    title: str = ""
    source: str
    inputs: tuple[str, ...] = ()
    """Titles, in their order."""
    edition: str
    positive: str = ""
    """The class that is called blast."""
    predictions_sha256: str = ""
    """Of the run's ``predictions.csv``: verdicts of other predictions are not shown as its own."""
    verdicts: dict[str, int]
    by_label: Counts = Field(default_factory=dict)
    plain_by_label: Counts = Field(default_factory=dict)
    """The same of the plain band."""
    measured: dict[str, int | dict[str, int]]
    """``cells`` measured, and how many have each of the ``flags``."""
    comparison: Judged
    summary: str
    notes: tuple[str, ...] = ()
    research_use_only: Literal[True] = True


class Variable(Record):
    """One input (or the score) and its sets, as curves."""

    name: str
    title: str
    x: tuple[float, ...]
    sets: dict[str, tuple[float, ...]]
    cuts: tuple[float, ...] = ()


class Plane(Record):
    """Scores over two inputs; None where no rule applies."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    score: tuple[tuple[float | None, ...], ...]
    x_title: str
    y_title: str
    cuts: tuple[float, float]
    held: dict[str, float]


class Curves(Record):
    """``curves.json``: what the two figures are drawn from."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    note: str
    memberships: tuple[Variable, ...]
    surface: Plane | None = None
    """None with a single input."""


def find_verdicts(run: Path) -> tuple[Path, ...]:
    """The folders of fuzzy decisions that lie directly inside a run's folder, by name."""
    return tuple(sorted(path.parent for path in run.glob(f"*/{FILE}")))


def of_these_predictions(verdicts: Verdicts, run: Path) -> bool:
    """Whether verdicts were made from the predictions that the run has now."""
    return verdicts.predictions_sha256 == sha256_file(run / "predictions.csv")


def read_verdicts(folder: Path) -> Verdicts:
    """``fuzzy.json`` of a folder."""
    path = folder / FILE
    table = read_json(path, what="fuzzy decision", schema=SCHEMA, error=FuzzyError)
    return parse(Verdicts, table, where=str(path), error=FuzzyError)


def write_verdicts(verdicts: Verdicts, folder: Path) -> None:
    """Write ``fuzzy.json``, atomically."""
    write_json(folder / FILE, verdicts.model_dump(mode="json", by_alias=True))


def read_curves(folder: Path) -> Curves:
    """``curves.json`` of a folder."""
    path = folder / CURVES
    table = read_json(path, what="drawn fuzzy system", schema=SCHEMA, error=FuzzyError)
    return parse(Curves, table, where=str(path), error=FuzzyError)


def write_curves(curves: Curves, folder: Path) -> None:
    """Write ``curves.json``, atomically, in one line: it holds some thousand numbers."""
    text = json.dumps(curves.model_dump(mode="json", by_alias=True), allow_nan=False)
    write_atomic(folder / CURVES, text + "\n")
