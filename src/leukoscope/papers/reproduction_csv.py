"""``reproduction.csv``: a row for each published figure and count."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..files import write_atomic
from .counts import Count
from .planner import Plan
from .reasons import short
from .reproduction import Line

__all__ = ["COLUMNS", "write_reproduction_csv"]

COLUMNS = (
    "paper", "table", "line", "column", "kind", "metric", "published", "published_value", "audit",
    "cell",
    "as_published", "as_published_low", "as_published_high", "as_published_n",
    "as_published_groups",
    "leak_free", "leak_free_low", "leak_free_high", "leak_free_n", "leak_free_groups", "gap",
    "as_published_count", "leak_free_count", "epochs",
    "parameters", "gflop", "vector_length", "as_published_seconds", "leak_free_seconds",
    "worst_subject", "worst_subject_right",
    "budget", "data", "data_kind", "not_run",
)  # fmt: skip


def write_reproduction_csv(
    plan: Plan, lines: Sequence[Line], counts: Sequence[Count], path: Path
) -> None:
    """Write the table: figures as fractions of 1, counts as the page shows them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    order = {table.name: place for place, table in enumerate(plan.protocol.tables)}
    rows = [*(_figure(plan, line) for line in lines), *_counts(plan, counts)]
    writer.writerows(sorted(rows, key=lambda row: order[row["table"]]))
    write_atomic(path, text.getvalue())


def _figure(plan: Plan, line: Line) -> dict[str, Any]:
    row: dict[str, Any] = {
        "paper": plan.protocol.id,
        "table": line.published.table,
        "line": line.published.line,
        "column": line.published.column,
        "kind": line.published.kind,
        "metric": line.published.metric,
        "published": line.published.value,
        "published_value": _digits(line.value),
        "audit": line.audit,
        "cell": line.ran,
        "gap": _digits(line.gap),
        "epochs": line.epochs or "",
        "budget": plan.budget,
        "data": line.data,
        "data_kind": line.data_kind,
    }
    for edition, measured in line.measured.items():
        name = edition.replace("-", "_")
        row[name] = _digits(measured.value)
        row[f"{name}_low"] = _digits(measured.low)
        row[f"{name}_high"] = _digits(measured.high)
        if measured.value is not None:
            row[f"{name}_n"] = measured.n or ""
            row[f"{name}_groups"] = measured.groups or ""
    for edition, cost in line.costs.items():
        row |= {
            "parameters": cost.parameters,
            "gflop": "" if cost.gflop is None else f"{cost.gflop:.6g}",
            "vector_length": cost.vector_length,
            f"{edition.replace('-', '_')}_seconds": f"{cost.seconds:.3f}",
        }
    if line.worst is not None:
        row["worst_subject"] = line.worst.name
        row["worst_subject_right"] = _digits(line.worst.right)
    absent = [one.reason for one in line.measured.values() if one.value is None and one.reason]
    row["not_run"] = _reasons(absent)
    return row


def _counts(plan: Plan, counts: Sequence[Count]) -> Iterator[dict[str, Any]]:
    for count in counts:
        cell = count.published
        row = {
            "paper": plan.protocol.id,
            "table": cell.table,
            "line": cell.row,
            "column": cell.column,
            "kind": cell.kind,
            "metric": cell.metric,
            "published": cell.value,
            "cell": cell.cell,
            "budget": plan.budget,
            "not_run": _reasons(list(count.reasons.values())),
        }
        for edition, text in count.here.items():
            row[f"{edition.replace('-', '_')}_count"] = text
        yield row


def _reasons(reasons: Sequence[str]) -> str:
    return "; ".join(sorted({short(reason) for reason in reasons}))


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
