"""Published beside measured: every figure of a paper, as published, leak-free, and the gap."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AuditError, RunError
from ..evaluation import evaluate
from ..evaluation.audit import AuditVerdict, audit
from ..evaluation.printed import figure
from ..files import read_json, write_atomic
from ..records.predictions import read_predictions
from ..records.run import read_history
from ..records.split import Edition
from .network_cost import CellCost, cell_cost
from .planner import Plan
from .protocol import Protocol, TableFacts
from .published import Published, published, rows_to_audit
from .runner import Outcome
from .sources import DataUsed
from .worst import Worst, worst_subject

__all__ = [
    "COLUMNS",
    "METRICS",
    "Line",
    "Measured",
    "audited",
    "measured_figure",
    "reproduction_lines",
    "write_reproduction_csv",
]

EDITIONS: tuple[Edition, ...] = ("as-published", "leak-free")
COLUMNS = (
    "paper", "table", "line", "column", "metric", "published", "published_value", "audit", "cell",
    "as_published", "as_published_low", "as_published_high",
    "leak_free", "leak_free_low", "leak_free_high", "gap",
    "groups", "n", "epochs",
    "parameters", "gflop", "vector_length", "as_published_seconds", "leak_free_seconds",
    "worst_subject", "worst_subject_right",
    "budget", "data", "data_kind", "not_run",
)  # fmt: skip
NAMES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "npv": "npv",
    "auc": "auroc",
    "f1_weighted": "f1_weighted",
}
"""Published metric → ours, where the averaging does not matter."""
METRICS = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "npv": "NPV",
    "training_accuracy": "Training accuracy",
    "validation_accuracy": "Validation accuracy",
    "claimed_accuracy": "Average accuracy, claimed",
    "f1_weighted": "Weighted F1",
}
"""Published metric → what people call it."""
SUBJECTS = (
    "subject_sensitivity",
    "subject_specificity",
    "subject_balanced_accuracy",
    "worst_subject",
)
"""Means over subjects of the share of their images that are right, as C-NMC's challengers give
them: of the positive class, of the other, of both; and the smallest share."""


@dataclass(frozen=True)
class Measured:
    """One measured figure; ``reason`` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    groups: int = 0
    n: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Line:
    """One published figure beside its measured twins."""

    published: Published
    value: float | None
    """The published figure as a fraction."""
    audit: str
    measured: Mapping[str, Measured]
    """Edition → figure."""
    gap: float | None
    """As published minus leak-free."""
    epochs: int
    data: str
    data_kind: str
    costs: Mapping[str, CellCost] = field(default_factory=dict)
    """Edition → what its cell cost, where it was run."""
    worst: Worst | None = None
    """Of the leak-free edition, or of the only one that was run."""


def reproduction_lines(
    plan: Plan, outcomes: Sequence[Outcome], sources: Mapping[str, DataUsed]
) -> tuple[Line, ...]:
    """Every figure that the paper measured, in the order of its tables."""
    protocol = plan.protocol
    of_cell = {(one.cell.id, one.cell.edition): one for one in outcomes}
    verdicts = audited(protocol)
    costs = {place: cell_cost(one) for place, one in of_cell.items() if one.run and not one.reason}
    worst = {place: _worst(of_cell[place]) for place in costs}
    found = []
    for cell in published(protocol):
        if cell.kind != "result":
            continue
        measured: dict[str, Measured] = {}
        for edition in protocol.editions:
            outcome = of_cell.get((cell.cell, edition))
            facts = protocol.table(cell.table)
            metric = facts.truly.get(cell.metric, cell.metric)
            measured[edition] = (
                Measured(None, reason="not run: not among the cells that were asked for")
                if outcome is None
                else measured_figure(outcome, metric, facts.measured_as)
            )
        values = [measured[edition].value for edition in EDITIONS if edition in measured]
        both = len(values) == 2 and None not in values
        first = next((o for o in outcomes if o.cell.id == cell.cell), None)
        source = sources.get(first.cell.data) if first else None
        verdict = verdicts.get((cell.table, cell.line))
        found.append(
            Line(
                published=cell,
                value=_fraction(cell),
                audit=verdict.verdict if verdict else "",
                measured=measured,
                gap=(values[0] or 0.0) - (values[1] or 0.0) if both else None,
                epochs=first.epochs if first else 0,
                data=source.words if source else "",
                data_kind=source.kind if source else "",
                costs={e: costs[cell.cell, e] for e in EDITIONS if (cell.cell, e) in costs},
                worst=next(
                    (worst[cell.cell, e] for e in reversed(EDITIONS) if (cell.cell, e) in worst),
                    None,
                ),
            )
        )
    return tuple(found)


def metric_title(facts: TableFacts, metric: str) -> str:
    """What a published metric is called, and what it is where that is something else."""
    name = METRICS.get(metric, metric.replace("_", " ").capitalize())
    truth = facts.truly.get(metric)
    return f"{name} (in truth {METRICS[truth]})" if truth else name


def audited(protocol: Protocol) -> dict[tuple[str, str], AuditVerdict]:
    """Table and line → what the audit says."""
    return {(line.table, line.line): audit(row) for line, row in rows_to_audit(protocol)}


def _fraction(cell: Published) -> float | None:
    if cell.number is None:
        return None
    try:
        return figure(f"{cell.number}", percent=cell.number > 1, rounding="round").value
    except AuditError:
        return None


def measured_figure(outcome: Outcome, metric: str, averaging: str) -> Measured:
    """What a published metric is in a run that was made here; with its reason where it is not."""
    if outcome.reason or outcome.run is None or outcome.folder is None:
        return Measured(None, reason=outcome.reason)
    if metric == "training_accuracy":
        return _training_accuracy(outcome)
    if metric == "validation_accuracy":
        return _of_validation(outcome)
    table = read_json(outcome.folder / "metrics.json", what="metrics", schema=1, error=RunError)
    if metric in SUBJECTS:
        return _over_subjects(table, metric)
    name = NAMES.get(metric, "")
    if metric in ("precision", "recall", "f1"):
        name = metric if averaging == "positive" else f"{metric}_{averaging}"
    entry = (table["levels"].get("image") or {}).get(name)
    if entry is None:
        return Measured(None, reason=f"{metric.replace('_', ' ')} is not measured")
    return _entry(entry)


def _over_subjects(metrics: Mapping[str, Any], metric: str) -> Measured:
    """Shares of right images, averaged over subjects (groups, where no subjects are known)."""
    shares = (metrics.get("subjects") or {}).get("share_right") or {}
    positive = metrics.get("positive")
    wanted = {
        "subject_sensitivity": [name for name in shares if name == positive],
        "subject_specificity": [name for name in shares if name != positive],
    }.get(metric, list(shares))
    chosen = [shares[name] for name in wanted]
    if positive is None or not chosen:
        return Measured(None, reason="no subjects or groups are known")
    value = (
        min(one["worst"] for one in chosen)
        if metric == "worst_subject"
        else sum(one["mean"] for one in chosen) / len(chosen)
    )
    return Measured(value, groups=sum(one["subjects"] for one in chosen))


def _worst(outcome: Outcome) -> Worst | None:
    assert outcome.folder is not None
    path = outcome.folder / "metrics.json"
    return worst_subject(read_json(path, what="metrics", schema=1, error=RunError))


def _entry(entry: Mapping[str, Any]) -> Measured:
    value = entry.get("value")
    return Measured(
        None if value is None else float(value),
        entry.get("low"),
        entry.get("high"),
        int(entry.get("groups") or 0),
        int(entry.get("n") or 0),
        str(entry.get("reason") or ""),
    )


def _training_accuracy(outcome: Outcome) -> Measured:
    """The running accuracy of the last epoch, as Keras prints it: no interval belongs to it."""
    assert outcome.run is not None
    values = []
    for path in sorted(outcome.run.folder.glob("fold-*/history.csv")):
        history = read_history(path)
        mine = history[history["epoch"] <= outcome.epochs]
        values.append(float(mine["accuracy"].iloc[-1]))
    if not values:
        return Measured(None, reason="nothing was trained epoch by epoch")
    return Measured(sum(values) / len(values), reason="running mean of the last epoch")


def _of_validation(outcome: Outcome) -> Measured:
    assert outcome.run is not None
    assert outcome.folder is not None
    positive = outcome.run.data.card.get("positive")
    binary = len(outcome.run.data.classes) == 2 and positive in outcome.run.data.classes
    predictions = read_predictions(
        outcome.folder / "predictions.csv", str(positive) if binary else None
    ).part("validation")
    if not len(predictions):
        return Measured(None, reason="no image validates")
    metrics = evaluate(predictions, groups=outcome.run.split.groups, level="image")
    return _entry(metrics["levels"]["image"]["accuracy"])


def write_reproduction_csv(plan: Plan, lines: Sequence[Line], path: Path) -> None:
    """Write ``reproduction.csv``, one row a published figure, values as fractions of 1."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        row: dict[str, Any] = {
            "paper": plan.protocol.id,
            "table": line.published.table,
            "line": line.published.line,
            "column": line.published.column,
            "metric": line.published.metric,
            "published": line.published.value,
            "published_value": _digits(line.value),
            "audit": line.audit,
            "cell": line.published.cell,
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
                row["groups"], row["n"] = measured.groups or "", measured.n or ""
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
        reasons = {m.reason for m in line.measured.values() if m.value is None and m.reason}
        row["not_run"] = "; ".join(sorted(reasons))
        writer.writerow(row)
    write_atomic(path, text.getvalue())


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
