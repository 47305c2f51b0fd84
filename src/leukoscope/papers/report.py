"""``reproduction.html``: the tables of a paper with their measured twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import write_atomic
from ..reports.numbers import counted, decimal, interval, signed
from ..reports.templating import render
from ..reports.words import value_words
from .budget import SMOKE_IMAGES, SMOKE_SUBJECTS, smoke_rules
from .found import Found
from .fuzzy_stage import Staged, stage_shown
from .literature import literature
from .network_cost import CellCost, cell_cost
from .optimism import expected_maximum, optimism
from .plan_table import plan_rows
from .planner import Plan
from .plates import SERIES
from .protocol import TableFacts
from .reproduction import METRICS, Line, Measured, audited, metric_title
from .runner import Outcome
from .sources import DataUsed
from .spread import Spread, spreads
from .twins import twins
from .worst import worst_subject

__all__ = ["write_reproduction_report"]


@dataclass(frozen=True)
class Row:
    """One figure as the page shows it."""

    line: str
    """Its name, on the first figure of the line only."""
    figures: int
    """How many the line has."""
    setting: str
    """What the grid calls it."""
    metric: str
    published: str
    impossible: bool
    measured: tuple[tuple[str, str, str], ...]
    """For each edition: value, interval, reason."""
    gap: str
    cost: ShownCost | None
    """On the first figure of the line."""


@dataclass(frozen=True)
class ShownCost:
    """What a cell cost, as the page prints it."""

    parameters: str
    gflop: str
    vector: str
    seconds: tuple[str, ...]
    """For each edition."""


def write_reproduction_report(
    plan: Plan,
    outcomes: Sequence[Outcome],
    lines: Sequence[Line],
    sources: Mapping[str, DataUsed],
    out: Path,
    staged: Sequence[Staged] = (),
) -> None:
    """Write the page: what was run on which data, every table, plan, choices, faults, cells."""
    protocol = plan.protocol
    done = [one for one in outcomes if not one.reason]
    found = Found(plan, outcomes, lines, sources)
    page = render(
        "reproduction.html",
        title=f"{protocol.id}, reproduced",
        protocol=protocol,
        budget=plan.budget,
        rules=smoke_rules(plan.minutes) if plan.budget == "smoke" else (),
        editions=list(protocol.editions),
        rendered=any(source.kind == "rendered" for source in sources.values()),
        all_rendered=bool(sources)
        and all(source.kind == "rendered" for source in sources.values()),
        changed=[f"{key} = {value_words(value)}" for key, value in plan.changes.items()],
        random_weights=plan.weights == "none",
        done=len(done),
        total=len(outcomes),
        sources=[_source(plan, name, sources.get(name)) for name in protocol.data],
        tables=_tables(plan, lines),
        blocks=twins(found),
        spreads=_spreads(found),
        fuzzy=stage_shown(plan, staged),
        plan=[_plan_row(row) for row in plan_rows(plan)],
        cells=[_cell(plan, one) for one in done],
        missing=_missing(outcomes),
        impossible=[
            (table, line, verdict.reasons, verdict.instead)
            for (table, line), verdict in audited(protocol).items()
            if verdict.verdict == "impossible"
        ],
    )
    write_atomic(out, page)


def _source(plan: Plan, name: str, used: DataUsed | None) -> dict[str, Any]:
    published = plan.protocol.data[name]
    scale = plan.scaled.get(name)
    return {
        "title": published.title,
        "images": sum(published.images.values()),
        "used": used.words if used else "not here: nothing was run on it",
        "kind": used.kind if used else "",
        "scale": f"{scale:.3f}" if used and scale else "",
        "few": bool(used)
        and plan.budget == "smoke"
        and used is not None
        and (
            len(used.manifest) < SMOKE_IMAGES
            or 0 < len(set(used.manifest.column("subject")) - {""}) < SMOKE_SUBJECTS
        ),
        "inferred": bool(used and used.manifest.card.groups_inferred),
    }


def _tables(plan: Plan, lines: Sequence[Line]) -> list[dict[str, Any]]:
    by_place: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        by_place.setdefault((line.published.table, line.published.line), []).append(line)
    found: dict[str, list[Row]] = {}
    for (table, name), together in by_place.items():
        for number, line in enumerate(together):
            cell = line.published
            found.setdefault(table, []).append(
                Row(
                    line=name if not number else "",
                    figures=len(together),
                    setting=cell.cell.partition("/")[2].replace(",", ", ") if not number else "",
                    metric=metric_title(plan.protocol.table(table), cell.metric),
                    published=cell.value,
                    impossible=line.audit == "impossible" and not number,
                    measured=tuple(_shown(line.measured[e]) for e in plan.protocol.editions),
                    gap=signed(line.gap) if line.gap is not None else "—",
                    cost=None if number else _cost(plan, line.costs),
                )
            )
    others = {one.table: one for one in literature(plan.protocol, audited(plan.protocol))}
    tables = [
        {
            "name": name,
            "title": plan.protocol.table(name).title,
            "chosen": _chosen(plan.protocol.table(name), lines),
            "rows": rows,
            "costed": any(row.cost for row in rows),
            "context": others.pop(name, None),
        }
        for name, rows in found.items()
    ]
    alone = [
        {"name": one.table, "title": one.title, "chosen": "", "rows": [], "costed": False,
         "context": one}
        for one in others.values()
    ]  # fmt: skip
    order = {table.name: number for number, table in enumerate(plan.protocol.tables)}
    return sorted([*tables, *alone], key=lambda table: order[table["name"]])


def _cost(plan: Plan, costs: Mapping[str, CellCost]) -> ShownCost | None:
    from ..progress import duration

    if not costs:
        return None
    one = list(costs.values())[-1]
    return ShownCost(
        parameters="—" if one.parameters is None else f"{one.parameters:,}",
        gflop="—" if one.gflop is None else f"{one.gflop:.3g}",
        vector="—" if one.vector_length is None else f"{one.vector_length:,}",
        seconds=tuple(
            duration(costs[e].seconds) if e in costs else "—" for e in plan.protocol.editions
        ),
    )


def _chosen(table: TableFacts, lines: Sequence[Line]) -> str:
    """What choosing the best on the test part brings by chance alone."""
    if table.best_of < 2:
        return ""
    text = (
        f"Each published figure is the best of {table.best_of} test results. Were all equally "
        f"good, the best would lie {expected_maximum(table.best_of):.1f} standard errors above the "
        "truth by chance"
    )
    accuracies = [
        line.value
        for line in lines
        if line.published.table == table.name
        and line.published.metric == "accuracy"
        and line.value is not None
    ]
    if table.test_images and accuracies:
        best = max(accuracies)
        by_chance = optimism(best, table.test_images, table.best_of)
        text += f": {by_chance:.3f} at {best:.3f} of {table.test_images:,} images"
    return text + "."


def _shown(measured: Measured) -> tuple[str, str, str]:
    if measured.value is None:
        reason = measured.reason
        return "", "", "not run" if reason.startswith("not run") else reason
    ends = interval(measured.low, measured.high) if measured.low is not None else ""
    return decimal(measured.value), ends, "" if ends else measured.reason


def _plan_row(row: Mapping[str, Any]) -> dict[str, Any]:
    from ..progress import duration

    return {
        **row,
        "cores": duration(row["seconds_cores"]),
        "gpu": duration(row["seconds_gpu"]),
        "memory": f"{row['memory_bytes'] / 2**30:.1f} GiB",
    }


def _cell(plan: Plan, one: Outcome) -> dict[str, Any]:
    from ..errors import RunError
    from ..files import read_json
    from ..progress import duration

    assert one.run is not None
    assert one.folder is not None
    table = read_json(one.folder / "metrics.json", what="metrics", schema=1, error=RunError)
    image = table["levels"].get("image") or {}
    cost, worst = cell_cost(one), worst_subject(table)
    figures = []
    for name in ("accuracy", "auroc"):
        entry = image.get(name) or {}
        figures.append((decimal(entry.get("value")), interval(entry.get("low"), entry.get("high"))))
    shares = (table.get("subjects") or {}).get("share_right") or {}
    means = [share["mean"] for share in shares.values()]
    return {
        "id": one.cell.id,
        "edition": one.run.edition,
        "f1_weighted": decimal((image.get("f1_weighted") or {}).get("value")),
        "balanced": decimal((image.get("balanced_accuracy") or {}).get("value")),
        "subjects": [
            (name, share["subjects"], decimal(share["mean"]), decimal(share["worst"]))
            for name, share in shares.items()
        ],
        "subject_balanced": decimal(sum(means) / len(means)) if means else "—",
        "epochs": one.epochs,
        "figures": figures,
        "groups": counted((image.get("accuracy") or {}).get("groups") or 0, "group"),
        "n": (image.get("accuracy") or {}).get("n") or 0,
        "cost": _cost(plan, {one.cell.edition: cost}),
        "seconds": duration(cost.seconds),
        "worst_value": decimal(worst.right) if worst else "—",
        "worst_name": worst.name if worst else "",
    }


def _spreads(found: Found) -> dict[str, Any]:
    """Repeats as a table, and for each kind of repeat a box plot of accuracies."""
    from ..figures import FIGURES
    from ..figures.box import BoxRow
    from ..reports.drawings import Drawn, placed

    all_of_them = spreads(found)
    drawings: list[Drawn] = []
    for over in dict.fromkeys(one.over for one in all_of_them):
        rows: dict[str, dict[str, tuple[float, ...]]] = {}
        for one in all_of_them:
            if one.over == over and one.metric == "accuracy":
                rows.setdefault(one.name, {})[SERIES[one.edition]] = one.values
        if rows:
            boxes = [BoxRow(name, values) for name, values in rows.items()]
            note = f"{found.data_words_of_all}; {found.plan.budget} budget"
            drawing = FIGURES["box"](boxes, METRICS["accuracy"], over, note=note)
            drawings.append(placed(drawing, f"spread-{len(drawings)}"))
    return {"rows": [_spread(one) for one in all_of_them], "drawings": drawings}


def _spread(one: Spread) -> dict[str, str]:
    return {
        "name": one.name,
        "edition": one.edition,
        "metric": METRICS[one.metric],
        "over": counted(len(one.values), one.over),
        "mean": decimal(one.mean),
        "deviation": decimal(one.deviation),
        "least": decimal(min(one.values)),
        "most": decimal(max(one.values)),
    }


def _missing(outcomes: Sequence[Outcome]) -> list[tuple[str, str, list[str]]]:
    """Reason → how many cells and which, the most frequent first."""
    reasons: dict[str, list[str]] = {}
    for one in outcomes:
        if one.reason:
            text = one.reason.removeprefix("not run: ")
            reasons.setdefault(text, []).append(f"{one.cell.edition}: {one.cell.id}")
    ordered = sorted(reasons.items(), key=lambda pair: -len(pair[1]))
    return [(reason, counted(len(ids), "cell"), ids) for reason, ids in ordered]
