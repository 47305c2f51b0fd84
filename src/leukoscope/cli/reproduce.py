"""``leukoscope reproduce``: a paper's whole grid, published and measured side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..files import verify_output
from .options import Json, Quiet, emit, progress, settings_of

if TYPE_CHECKING:
    from ..papers.reproduce import Reproduction

__all__ = ["reproduce"]


def reproduce(
    paper: Annotated[
        str,
        typer.Argument(
            metavar="PAPER",
            help="varol2024, fata2023, murtoza2023, abed2022, bhavsar2023 or cnmc2019.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Where all goes; by default ./PAPER."),
    ] = None,
    edition: Annotated[
        Literal["as-published", "leak-free", "both"], typer.Option(help="Which edition is run.")
    ] = "both",
    budget: Annotated[
        Literal["smoke", "full"],
        typer.Option(help="Every axis in about an hour, or all epochs as published."),
    ] = "smoke",
    minutes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Of the smoke budget, an edition.  [default: 60]"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="ARM,AXIS=A+B", help="Only these cells: approach1,size=32+48."),
    ] = None,
    reading: Annotated[
        str, typer.Option(help="Which of the paper's counts of trainings (docs/papers.md).")
    ] = "full",
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Where a data set of the paper lies."),
    ] = None,
    substitute: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Another set in its place, labelled so."),
    ] = None,
    rendered: Annotated[
        bool, typer.Option("--rendered", help="Draw the data sets that are not given.")
    ] = False,
    images: Annotated[
        int | None,
        typer.Option(min=8, help="Of a drawn data set; by default as many as hold 2,000 cells."),
    ] = None,
    subjects: Annotated[
        int | None, typer.Option(min=4, help="Of a drawn data set.  [default: 40]")
    ] = None,
    weights: Annotated[
        str, typer.Option(metavar="PATH|none", help="Weights here instead of the hub's, or none.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of every experiment."),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Processes of this machine, or a Ray cluster (extra cluster)."),
    ] = "local",
    address: Annotated[
        str,
        typer.Option(
            metavar="auto|HOST:PORT|ray://…",
            help="Of the cluster; else RAY_ADDRESS, else one is started here.",
        ),
    ] = "",
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Trainings at once, with the cores divided among them; else as many as fit.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a paper's grid; stopped at any moment, the same command goes on.

    The plan comes first: cells, distinct trainings, estimated time and memory. What cannot be run
    is marked with its reason; exit code 1 when that is everything.

    Example: leukoscope reproduce varol2024 --only approach1,network=3 --rendered -o varol
    """
    from ..papers.plan_table import plan_rows, plan_table
    from ..papers.reproduce import plan_for
    from ..papers.reproduce import reproduce as run
    from ..papers.request import Request, dataset_paths

    request = Request(
        paper=paper,
        editions=() if edition == "both" else (edition,),
        budget=budget,
        minutes=minutes,
        only=tuple(only or ()),
        reading=reading,
        data=dataset_paths(data or (), "--data"),
        substitutes=dataset_paths(substitute or (), "--substitute"),
        rendered=rendered,
        images=images,
        subjects=subjects,
        weights=weights,
        settings=settings_of(settings or []),
        engine=engine,
        address=address,
        jobs=jobs,
    )
    if plan:
        planned = plan_for(request)
        emit({"paper": paper, "plan": plan_rows(planned)}, plan_table(planned), as_json)
        return
    folder = out or Path(paper)
    verify_output(folder)
    done = run(request, folder, progress(quiet))
    _tell(done, as_json)
    if not done.done:
        raise typer.Exit(1)


def _tell(done: Reproduction, as_json: bool) -> None:
    """What was run, why the rest was not, and where the report lies."""
    missing = len(done.outcomes) - done.done
    reasons = sorted({one.reason for one in done.outcomes if one.reason})
    lines = [f"{done.done} of {len(done.outcomes)} cells were run, {missing} were not."]
    lines += reasons[:5] + (["…"] if len(reasons) > 5 else [])
    lines += [
        f"report: {done.folder / 'reproduction.html'}",
        f"table: {done.folder / 'reproduction.csv'}",
        "Research use only.",
    ]
    value = {
        "cells": len(done.outcomes),
        "run": done.done,
        "not_run": {f"{o.cell.edition}: {o.cell.id}": o.reason for o in done.outcomes if o.reason},
        "report": str(done.folder / "reproduction.html"),
    }
    emit(value, "\n".join(lines), as_json)
