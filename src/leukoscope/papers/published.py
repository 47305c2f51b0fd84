"""The tables of a paper as printed: which cell is which figure of which training."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources
from typing import Literal, get_args

from ..errors import ProtocolError
from ..evaluation.printed import METRICS, PublishedRow, published_row
from ..schema import Record
from .cells import cells, parse_only
from .protocol import Protocol

__all__ = ["Kind", "Published", "PublishedLine", "lines", "published", "rows_to_audit"]

Kind = Literal["result", "setting", "mean", "images", "parts", "layers", "data", "literature"]
COLUMNS = ("table", "row", "column", "value", "number", "kind", "line", "metric", "cell")


class Published(Record):
    """One cell of a published table."""

    table: str
    row: str
    column: str
    value: str
    """As printed, its misprints too."""
    number: float | None
    kind: Kind
    """``result``: measured by the paper. ``setting``: what it was measured with. ``mean``: over
    the results above it. ``images``, ``parts`` and ``layers``: counts and shapes. ``data``: what
    only describes. ``literature``: others' results."""
    line: str
    """Cells of one table with the same line belong to one confusion matrix."""
    metric: str
    cell: str
    """Id of the grid's cell that it is a figure of; of a count, a condition as ``--only`` takes
    it; empty where there is none."""


class PublishedLine(Record):
    """The figures of one table that belong to one confusion matrix."""

    table: str
    line: str
    cell: str
    figures: dict[str, str]
    """Metric → as printed."""
    literature: bool


def published(protocol: Protocol) -> tuple[Published, ...]:
    """Every cell of the paper's tables, in their order.

    Raises
    ------
    ProtocolError
        When the CSV beside the protocol has other columns, another number of cells of a table
        than the protocol says, an unknown kind, or names a cell that the grid does not have.
    """
    name = f"{protocol.id}.csv"
    text = (resources.files("leukoscope.papers") / name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ProtocolError(f"{name}: expected the columns {', '.join(COLUMNS)}.")
    found = tuple(_read(name, number, row) for number, row in enumerate(rows, start=2))
    counts = Counter(cell.table for cell in found)
    for table in protocol.tables:
        if counts.pop(table.name, 0) != table.cells:
            raise ProtocolError(
                f"{name}: {table.name} has not the {table.cells} cells that the protocol says."
            )
    if counts:
        raise ProtocolError(f"{name}: {next(iter(counts))} is in no [[tables]] of the protocol.")
    known = _known_cells(protocol)
    for cell in found:
        if cell.kind == "data" and not protocol.table(cell.table).described:
            raise ProtocolError(
                f"{name}: {cell.table} has cells that only describe; say in 'described' of its "
                "[[tables]] why they have no measured twin."
            )
        if cell.kind in ("images", "parts", "layers"):
            parse_only(protocol, [cell.cell] if cell.cell else [])
        elif cell.cell and cell.cell not in known:
            raise ProtocolError(f"{name}: {cell.table}: no cell of the grid is '{cell.cell}'.")
    return found


def _read(name: str, number: int, row: dict[str, str]) -> Published:
    if row["kind"] not in get_args(Kind):
        raise ProtocolError(
            f"{name}: line {number}: kind '{row['kind']}' is none of {', '.join(get_args(Kind))}."
        )
    return Published.model_validate({**row, "number": row["number"] or None})


def _known_cells(protocol: Protocol) -> frozenset[str]:
    return frozenset(cell.id for cell in cells(protocol, protocol.editions[0]))


def lines(protocol: Protocol) -> tuple[PublishedLine, ...]:
    """The measured figures line by line: what a confusion matrix must explain together."""
    figures: dict[tuple[str, str], dict[str, str]] = {}
    facts: dict[tuple[str, str], tuple[str, bool]] = {}
    for cell in published(protocol):
        if cell.kind not in ("result", "literature") or not cell.metric or cell.number is None:
            continue
        key = (cell.table, cell.line)
        facts[key] = (cell.cell, cell.kind == "literature")
        figures.setdefault(key, {})[cell.metric] = cell.value
    return tuple(
        PublishedLine(
            table=table,
            line=line,
            cell=facts[table, line][0],
            figures=values,
            literature=facts[table, line][1],
        )
        for (table, line), values in figures.items()
    )


def rows_to_audit(protocol: Protocol) -> tuple[tuple[PublishedLine, PublishedRow], ...]:
    """The lines that a confusion matrix of two classes must explain, for ``evaluation.audit``."""
    if not protocol.positive:
        return ()
    known = {cell.id: cell for cell in cells(protocol, protocol.editions[0])}
    found = []
    for line in lines(protocol):
        figures = {m: text for m, text in line.figures.items() if m in METRICS}
        if not figures:
            continue
        table, cell = protocol.table(line.table), known.get(line.cell)
        row = published_row(
            line.line,
            figures,
            n=str(cell.n) if cell and cell.n and cell.positives >= 1 else "",
            positives=f"{cell.positives:g}" if cell and cell.positives else "",
            averaging=table.averaging,
            rounding=table.rounding,
            rounding_of=table.rounding_of,
            digits=table.digits,
        )
        found.append((line, row))
    return tuple(found)
