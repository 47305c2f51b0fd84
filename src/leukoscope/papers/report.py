"""``reproduction.html``: the tables of a paper with their measured twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import write_atomic
from ..reports.numbers import counted, decimal, interval, sentence
from ..reports.templating import render
from ..reports.words import value_words
from .budget import SMOKE_IMAGES, SMOKE_SUBJECTS, smoke_rules
from .cells import cells
from .counts import Count
from .found import Found
from .fuzzy_stage import Staged, stage_shown
from .measuring import METRICS
from .network_cost import cell_cost
from .operating_stage import points_shown
from .plan_table import plan_rows
from .planner import Plan
from .plates import SERIES
from .protocol import Source
from .reasons import Legend
from .reproduction import Line, audited
from .runner import Outcome
from .sources import DataUsed
from .spread import Spread, spreads
from .systems import systems
from .tables import shown_cost, tables
from .twins import twins
from .worst import worst_subject

__all__ = ["write_reproduction_report"]


def write_reproduction_report(
    plan: Plan,
    outcomes: Sequence[Outcome],
    lines: Sequence[Line],
    counts: Sequence[Count],
    sources: Mapping[str, DataUsed],
    out: Path,
    staged: Sequence[Staged] = (),
) -> None:
    """Write the page: what was run on which data, every table, plan, choices, faults, cells."""
    protocol = plan.protocol
    done = [one for one in outcomes if not one.reason]
    found = Found(plan, outcomes, lines, sources)
    legend = Legend()
    measured, shown = systems(found, legend), tables(plan, lines, counts, legend)
    blocks = twins(found)
    for block in blocks:
        for reason in block.all_reasons:
            legend.mark(reason)
    page = render(
        "reproduction.html",
        title=f"{protocol.id}, reproduced",
        protocol=protocol,
        budget=plan.budget,
        rules=smoke_rules(plan.minutes, part=_is_part(plan)) if plan.budget == "smoke" else (),
        editions=list(protocol.editions),
        rendered=any(source.kind == "rendered" for source in sources.values()),
        all_rendered=bool(sources)
        and all(source.kind == "rendered" for source in sources.values()),
        substitutes=[
            f"{source.title} in place of {protocol.data[name].title}"
            for name, source in sources.items()
            if source.kind == "substitute"
        ],
        changed=[f"{key} = {value_words(value)}" for key, value in plan.changes.items()],
        random_weights=plan.weights == "none" and any(_is_pretrained(one) for one in done),
        asked=_asked(plan),
        grid=sum(len(cells(protocol, edition)) for edition in protocol.editions),
        done=len(done),
        total=len(outcomes),
        sources=[
            _source(plan, name, sources.get(name))
            for name in protocol.data
            if name in protocol.own_data or name in sources
        ],
        systems=measured,
        tables=shown,
        blocks=blocks,
        spreads=_spreads(found),
        fuzzy=stage_shown(plan, staged),
        points=points_shown(plan, outcomes),
        plan=[_plan_row(row) for row in plan_rows(plan)],
        cells=[_cell(plan, one) for one in done],
        reasons=_missing(outcomes, legend),
        letter=legend.letter,
        impossible=[
            (table, line, verdict.reasons, verdict.instead)
            for (table, line), verdict in audited(protocol).items()
            if verdict.verdict == "impossible"
        ],
    )
    write_atomic(out, page)


def _is_part(plan: Plan) -> bool:
    """Whether less than the whole grid was asked for."""
    return bool(plan.only) or plan.reading != "full"


def _asked(plan: Plan) -> list[str]:
    """What was asked for, as on the command line; nothing where that is the whole grid."""
    said = [f"--only {condition}" for condition in plan.only]
    if plan.reading != "full":
        said.append(f"--reading {plan.reading}")
    planned = (*plan.trainings, *plan.left_out)
    editions = [one for one in plan.protocol.editions if one in {t.edition for t in planned}]
    if len(editions) < len(plan.protocol.editions):
        said += [f"--edition {one}" for one in editions]
    return said


def _is_pretrained(one: Outcome) -> bool:
    """Whether the paper has published weights in a cell."""
    return str(one.cell.settings.get("model.weights", "")).startswith("hub")


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
            len(used.manifest) * _cells_an_image(published, used) < SMOKE_IMAGES
            or 0 < len(set(used.manifest.column("subject")) - {""}) < SMOKE_SUBJECTS
        ),
        "inferred": bool(used and used.manifest.card.groups_inferred),
    }


def _cells_an_image(published: Source, used: DataUsed) -> int:
    """The paper's own layout may be one of fields; what stands in for it is one of cells."""
    from ..datasets.rendered import LAYOUTS

    return 1 if used.kind == "substitute" else LAYOUTS[published.rendered].cells


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
        "cost": shown_cost(plan, {one.cell.edition: cost}, one.epochs),
        "seconds": duration(cost.seconds),
        "worst_value": decimal(worst.right) if worst else "—",
        "worst_name": worst.name if worst and worst.right < 1 else "",
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


def _missing(outcomes: Sequence[Outcome], legend: Legend) -> list[dict[str, Any]]:
    """Every reason with its letter, and the cells that were not run for it."""
    cells: dict[str, list[str]] = {}
    for one in outcomes:
        if one.reason:
            letter = legend.mark(one.reason).letter
            cells.setdefault(letter, []).append(f"{one.cell.edition}: {one.cell.id}")
    return [
        {
            "letter": letter,
            "text": sentence(text),
            "count": counted(len(cells[letter]), "cell") if letter in cells else "",
            "cells": cells.get(letter, []),
        }
        for letter, text in legend.rows
    ]
