"""A plan told: rows for machines, a table for people, what is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..counting import counted
from ..models import MODELS
from ..models.classical.names import MEASURED
from ..records.experiment import weights_kind
from .budget import beyond_smoke, in_minutes
from .cells import Cell
from .conditions import conditions_of, counts_of
from .costs import MACHINES, parts_of
from .planner import Plan, Training, disk_bytes

__all__ = ["plan_rows", "plan_table"]

SEPARATOR = "  "
MOST_CONDITIONS = 6
"""Parts of the grid that are named; more are counted by the values of their axes."""


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """The plan by edition and arm, and last all together.

    A training counts where its first cell lies; cells of other arms that are measured from it are
    counted in theirs.
    """
    rows = []
    possible = plan.possible
    planned = [cell for one in possible for cell in one.cells]
    beyond = [cell for one in plan.left_out for cell in one.cells]
    impossible = [cell for one in plan.trainings if one.obstacle for cell in one.cells]
    places = dict.fromkeys(
        (cell.edition, cell.arm) for one in (*plan.trainings, *plan.left_out) for cell in one.cells
    )
    for place in places:
        mine = [one for one in possible if (one.edition, one.cells[0].arm) == place]
        parts = [
            [cell for cell in some if (cell.edition, cell.arm) == place]
            for some in (planned, beyond, impossible)
        ]
        rows.append(_row(place, parts, mine))
    rows.append(_row(("all", ""), [planned, beyond, impossible], possible))
    return rows


def _row(
    place: tuple[str, str], parts: Sequence[Sequence[Cell]], trainings: Sequence[Training]
) -> dict[str, Any]:
    own, left_out, impossible = parts
    return {
        "edition": place[0],
        "arm": place[1],
        "cells": len(own),
        "cells_left_out": len(left_out),
        "cells_impossible": len(impossible),
        "trainings": len(trainings),
        "epochs": sum(one.experiment.training.epochs for one in trainings),
        "epochs_without_sharing": sum(int(cell.settings["training.epochs"]) for cell in own),
        "operations": sum(one.cost.operations for one in trainings),
        **{
            f"seconds_{machine.name}": sum(one.cost.seconds(machine) for one in trainings)
            for machine in MACHINES
        },
        "memory_bytes": max((one.cost.memory_bytes for one in trainings), default=0),
        "disk_bytes": sum(disk_bytes(trainings)),
    }


def plan_table(plan: Plan) -> str:
    """The plan as text for people."""
    from ..progress import duration

    head = ["edition", "arm", "cells", "left out", "impossible", "trainings", "epochs", "unshared"]
    head += [machine.title for machine in MACHINES] + ["memory", "disk"]
    body = [
        [
            row["edition"],
            row["arm"],
            f"{row['cells']:,}",
            f"{row['cells_left_out']:,}",
            f"{row['cells_impossible']:,}",
            f"{row['trainings']:,}",
            f"{row['epochs']:,}",
            f"{row['epochs_without_sharing']:,}",
            *(_long(row[f"seconds_{machine.name}"], duration) for machine in MACHINES),
            f"{row['memory_bytes'] / 2**30:.1f} GiB",
            f"{row['disk_bytes'] / 2**30:.1f} GiB",
        ]
        for row in plan_rows(plan)
    ]
    widths = [max(len(line[place]) for line in (head, *body)) for place in range(len(head))]
    lines = []
    for line in (head, *body):
        cells_ = [
            text.ljust(width) if place < 2 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(SEPARATOR.join(cells_).rstrip())
    lines += [f"{name}: {words}" for name, words in plan.data.items()]
    if plan.scaled:
        parts = ", ".join(f"{name} at {scale:.3f}" for name, scale in plan.scaled.items())
        lines.append(
            f"draws in proportion to the images here: {parts}; balanced ones to the smallest class"
        )
    lines += _of_weights(plan)
    lines += _impossible(plan)
    lines += _of_budget(plan)
    lines.append("Times and memory are estimates from operations; what ran is measured.")
    return "\n".join(lines)


def _of_weights(plan: Plan) -> list[str]:
    """Where published weights come from."""
    kinds = {}
    for one in plan.possible:
        model = one.experiment.model
        for name in parts_of(model.name)[0]:
            if name not in MODELS and name not in MEASURED and not one.after:
                kinds[name] = weights_kind(model.weights)
    words = {
        "hub": "in the hub's cache",
        "file": f"of {Path(plan.weights).name}",
        "none": "none; it begins at random",
        "run": "of an earlier run",
    }
    said = []
    for name, kind in sorted(kinds.items()):
        place = plan.downloads.get(name)
        said.append(f"{name} {f'to be downloaded from {place}' if place else words[kind]}")
    return [f"weights: {'; '.join(said)}"] if said else []


def _impossible(plan: Plan) -> list[str]:
    """How many cells cannot be run, and why."""
    reasons: dict[str, list[Training]] = {}
    for one in plan.trainings:
        if one.obstacle:
            reasons.setdefault(one.obstacle, []).append(one)
    return [
        f"{counted(sum(len(one.cells) for one in those), 'cell')} of "
        f"{counted(len(those), 'training')} cannot be run: {reason}"
        for reason, those in reasons.items()
    ]


def _of_budget(plan: Plan) -> list[str]:
    """What the smoke budget leaves out, and where it does not hold."""
    from ..progress import duration

    lines = []
    cells_ = sum(len(one.cells) for one in plan.left_out)
    if cells_:
        lines.append(
            f"{counted(cells_, 'cell')} of {counted(len(plan.left_out), 'training')} left out: "
            f"{beyond_smoke(plan.minutes).removeprefix('not run: ')}."
        )
        lines += _left_out(plan)
    for edition, seconds in plan.too_long.items():
        lines.append(
            f"{edition}: to meet every value of every axis takes an estimated "
            f"{duration(seconds)}, more than the {in_minutes(plan.minutes)} of the smoke budget. "
            "It is planned all the same; choose less with --only."
        )
    return lines


def _left_out(plan: Plan) -> list[str]:
    """Which cells these are: as --only would choose them, or in numbers; an edition a line."""
    by_edition: dict[str, list[Cell]] = {}
    for one in plan.left_out:
        by_edition.setdefault(one.edition, []).extend(one.cells)
    said: dict[str, list[str]] = {}
    for edition, those in by_edition.items():
        conditions = conditions_of(plan.protocol, those)
        few = len(conditions) <= MOST_CONDITIONS
        words = " ".join(conditions) if few else "; ".join(counts_of(plan.protocol, those))
        said.setdefault(words, []).append(edition)
    return [f"  {' and '.join(editions)}: {words}" for words, editions in said.items()]


def _long(seconds: float, duration: Any) -> str:
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.1f} days"
    return str(duration(seconds))
