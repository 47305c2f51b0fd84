"""Published beside measured: every figure of a paper, as published, leak-free, and the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from ..datasets.expansion import copy_names
from ..datasets.manifest import Manifest
from ..errors import AuditError, RunError
from ..evaluation.audit import AuditVerdict, audit
from ..evaluation.printed import figure
from ..files import read_json
from ..records.split import Edition
from .measuring import METRICS, Measured, measured_figure
from .network_cost import CellCost, cell_cost
from .planner import Plan
from .protocol import Protocol, TableFacts
from .published import Published, published, rows_to_audit
from .reasons import NOT_ASKED
from .runner import Outcome
from .sources import DataUsed
from .worst import Worst, worst_subject

__all__ = ["EDITIONS", "Line", "audited", "metric_title", "reproduction_lines"]

EDITIONS: tuple[Edition, ...] = ("as-published", "leak-free")


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
    ran: str
    """Id of the cell that was, or would be, run for it; empty for a mean."""
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
    """Every figure that the paper measured, and means over them, in the order of its tables."""
    protocol = plan.protocol
    of_cell = {(one.cell.id, one.cell.edition): one for one in outcomes}
    verdicts = audited(protocol)
    for other in outcomes:
        if other.cell.stands_for:  # another reading of the paper's cell, where that was not run
            of_cell.setdefault((other.cell.stands_for, other.cell.edition), other)
    costs = {place: cell_cost(o) for place, o in of_cell.items() if o.run and not o.reason}
    worst = {place: _worst(of_cell[place]) for place in costs}
    groups_of: dict[str, Mapping[str, str]] = {}
    found: list[Line] = []
    for cell in published(protocol):
        if cell.kind == "mean":
            found.append(_mean(cell, protocol, found))
            continue
        if cell.kind != "result":
            continue
        measured: dict[str, Measured] = {}
        for edition in protocol.editions:
            outcome = of_cell.get((cell.cell, edition))
            facts = protocol.table(cell.table)
            metric = facts.truly.get(cell.metric, cell.metric)
            if outcome is None:
                measured[edition] = Measured(None, reason=f"not run: {NOT_ASKED}")
                continue
            one = measured_figure(outcome, metric, facts.measured_as)
            if metric == "training_accuracy" and one.value is not None:
                one = _of_training(one, outcome, sources, groups_of)
            measured[edition] = one
        mine = (of_cell.get((cell.cell, edition)) for edition in protocol.editions)
        first = next((outcome for outcome in mine if outcome is not None), None)
        source = sources.get(first.cell.data) if first else None
        verdict = verdicts.get((cell.table, cell.line))
        found.append(
            Line(
                published=cell,
                value=_fraction(cell),
                audit=verdict.verdict if verdict else "",
                measured=measured,
                gap=_gap(measured),
                ran=first.cell.id if first else cell.cell,
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


def _gap(measured: Mapping[str, Measured]) -> float | None:
    values = [measured[edition].value for edition in EDITIONS if edition in measured]
    first, *others = values
    return first - others[0] if first is not None and others and others[0] is not None else None


def _mean(cell: Published, protocol: Protocol, before: Sequence[Line]) -> Line:
    """The mean of a column, as the paper takes it: over the figures that stand above it."""
    above = [
        line
        for line in before
        if line.published.table == cell.table
        and line.published.metric == cell.metric
        and line.published.kind == "result"
    ]
    measured: dict[str, Measured] = {
        edition: _mean_of([line.measured[edition] for line in above])
        for edition in protocol.editions
    }
    ran = next((line for line in above if line.data), None)
    return Line(
        published=cell,
        value=_fraction(cell),
        audit="",
        measured=measured,
        gap=_gap(measured),
        ran="",
        epochs=0,
        data=ran.data if ran else "",
        data_kind=ran.data_kind if ran else "",
    )


def _mean_of(figures: Sequence[Measured]) -> Measured:
    values = [one.value for one in figures if one.value is not None]
    if len(values) < len(figures):
        return Measured(
            None, reason="not run: a mean over lines of which some were not run, or none was"
        )
    bases = {(one.n, one.groups) for one in figures}
    n, groups = bases.pop() if len(bases) == 1 else (0, 0)
    return Measured(
        fmean(values), n=n, groups=groups, reason="a mean of figures of the same test images"
    )


def _of_training(
    figure: Measured,
    outcome: Outcome,
    sources: Mapping[str, DataUsed],
    known: dict[str, Mapping[str, str]],
) -> Measured:
    """A figure of the training part with its images and groups."""
    source = sources.get(outcome.cell.data)
    if source is None or outcome.run is None:
        return figure
    if source.name not in known:
        known[source.name] = _groups_of(source.manifest)
    groups = known[source.name]
    rows = {key for fold in outcome.run.split.folds for key in fold.train}
    named = {groups.get(key) or groups.get(key.rpartition("~")[0], key) for key in rows}
    return replace(figure, n=len(rows), groups=len(named))


def _groups_of(manifest: Manifest) -> Mapping[str, str]:
    """Row key, and what a row's copies are called, → its group."""
    groups = [str(group) for group in manifest.column("group")]
    table = dict(zip(manifest.keys, groups, strict=True))
    return table | dict(zip(copy_names(manifest), groups, strict=True))


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


def _worst(outcome: Outcome) -> Worst | None:
    assert outcome.folder is not None
    path = outcome.folder / "metrics.json"
    return worst_subject(read_json(path, what="metrics", schema=1, error=RunError))
