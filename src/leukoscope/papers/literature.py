"""What a paper prints and nobody measures here: others' results, and what only describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..evaluation.audit import AuditVerdict
from .protocol import Protocol
from .published import Kind, Published, published

__all__ = ["Context", "ContextRow", "described", "literature"]


@dataclass(frozen=True)
class ContextRow:
    """One work of others."""

    name: str
    values: tuple[str, ...]
    """As printed, in the order of the table's columns; empty where it prints none."""
    accuracy: float | None
    """As a fraction, where the table prints one number for it."""
    impossible: bool


@dataclass(frozen=True)
class Context:
    """The rows of one table that are others' results, or a description."""

    table: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[ContextRow, ...]


def literature(
    protocol: Protocol, verdicts: Mapping[tuple[str, str], AuditVerdict] | None = None
) -> tuple[Context, ...]:
    """Each table's rows of other works; tables without one are left out.

    Parameters
    ----------
    verdicts
        Table and line → what the audit says of it.
    """
    return _of_kind(protocol, "literature", verdicts or {})


def described(protocol: Protocol) -> tuple[Context, ...]:
    """Each table's cells that only describe, such as sources of images or names of models."""
    return _of_kind(protocol, "data", {})


def _of_kind(
    protocol: Protocol, kind: Kind, verdicts: Mapping[tuple[str, str], AuditVerdict]
) -> tuple[Context, ...]:
    tables: dict[str, list[Published]] = {}
    for cell in published(protocol):
        if cell.kind == kind:
            tables.setdefault(cell.table, []).append(cell)
    return tuple(
        _context(name, protocol.table(name).title, cells, verdicts)
        for name, cells in tables.items()
    )


def _context(
    name: str,
    title: str,
    cells: list[Published],
    verdicts: Mapping[tuple[str, str], AuditVerdict],
) -> Context:
    columns = tuple(dict.fromkeys(cell.column for cell in cells))
    works: list[list[Published]] = []
    for cell in cells:
        # A work with several results repeats its name and begins its columns anew.
        fresh = not works or works[-1][0].row != cell.row
        if fresh or cell.column in {one.column for one in works[-1]}:
            works.append([])
        works[-1].append(cell)
    return Context(name, title, columns, tuple(_row(columns, work, verdicts) for work in works))


def _row(
    columns: tuple[str, ...],
    work: list[Published],
    verdicts: Mapping[tuple[str, str], AuditVerdict],
) -> ContextRow:
    by_column = {cell.column: cell for cell in work}
    numbers = [
        cell.number
        for cell in work
        if cell.number is not None
        and ("accuracy" in cell.column.casefold() or cell.metric == "accuracy")
    ]
    accuracy = numbers[0] if len(numbers) == 1 else None
    if accuracy is not None and accuracy > 1:
        accuracy /= 100
    audits = [verdicts.get((cell.table, cell.line)) for cell in work if cell.line]
    return ContextRow(
        name=work[0].row,
        values=tuple(by_column[c].value if c in by_column else "" for c in columns),
        accuracy=accuracy if accuracy is not None and 0 <= accuracy <= 1 else None,
        impossible=any(one is not None and one.verdict == "impossible" for one in audits),
    )
