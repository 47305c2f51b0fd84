"""A plan told: rows for machines, a table for people, what is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..counting import counted
from .budget import beyond_smoke, in_minutes
from .cells import Cell
from .costs import MACHINES
from .planner import Plan, Training

__all__ = ["plan_rows", "plan_table"]

SEPARATOR = "  "


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """The plan by edition and arm, and last all together.

    A training counts where its first cell lies; cells of other arms that are measured from it are
    counted in theirs.
    """
    rows = []
    planned = [cell for one in plan.trainings for cell in one.cells]
    beyond = [cell for one in plan.left_out for cell in one.cells]
    places = dict.fromkeys((cell.edition, cell.arm) for cell in (*planned, *beyond))
    for edition, arm in places:
        mine = [t for t in plan.trainings if (t.edition, t.cells[0].arm) == (edition, arm)]
        own, out = (
            [cell for cell in some if (cell.edition, cell.arm) == (edition, arm)]
            for some in (planned, beyond)
        )
        rows.append(_row(edition, arm, own, len(out), mine))
    rows.append(_row("all", "", planned, len(beyond), plan.trainings))
    return rows


def _row(
    edition: str, arm: str, own: Sequence[Cell], left_out: int, trainings: Sequence[Training]
) -> dict[str, Any]:
    return {
        "edition": edition,
        "arm": arm,
        "cells": len(own),
        "cells_left_out": left_out,
        "trainings": len(trainings),
        "epochs": sum(one.experiment.training.epochs for one in trainings),
        "epochs_without_sharing": sum(int(cell.settings["training.epochs"]) for cell in own),
        "operations": sum(one.cost.operations for one in trainings),
        **{
            f"seconds_{machine.name}": sum(one.cost.seconds(machine) for one in trainings)
            for machine in MACHINES
        },
        "memory_bytes": max((one.cost.memory_bytes for one in trainings), default=0),
        "disk_bytes": sum(one.cost.disk_bytes for one in trainings),
    }


def plan_table(plan: Plan) -> str:
    """The plan as text for people."""
    from ..progress import duration

    head = ["edition", "arm", "cells", "left out", "trainings", "epochs", "unshared"]
    head += [machine.title for machine in MACHINES] + ["memory", "disk"]
    body = [
        [
            row["edition"],
            row["arm"],
            f"{row['cells']:,}",
            f"{row['cells_left_out']:,}",
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
    lines += _of_budget(plan)
    lines.append("Times and memory are estimates from operations; what ran is measured.")
    return "\n".join(lines)


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
    for edition, seconds in plan.too_long.items():
        lines.append(
            f"{edition}: to meet every value of every axis takes an estimated "
            f"{duration(seconds)}, more than the {in_minutes(plan.minutes)} of the smoke budget. "
            "It is planned all the same; choose less with --only."
        )
    return lines


def _long(seconds: float, duration: Any) -> str:
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.1f} days"
    return str(duration(seconds))
