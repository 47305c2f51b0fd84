"""``leukoscope train``: an experiment becomes a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ExperimentError
from .options import As, Json, Quiet, emit, progress, settings_of

__all__ = ["train"]


def train(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="The run folder.")],
    experiment: Annotated[
        Path | None, typer.Argument(metavar="[EXPERIMENT.toml]", help="What to train.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model name, such as cnn-3; without a file the defaults.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="M.csv|FOLDER", help="Data, instead of the experiment's own."),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="S.json", help="A split file to use.")
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Begin with the backbone of a finished run."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key: training.epochs=10."),
    ] = None,
    as_: As = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train, predict and measure; stopped at any moment, the same command goes on.

    Example: leukoscope train --model cnn-3 --data allidb2.csv --set training.epochs=30 -o run
    """
    from .. import api

    changes = settings_of(settings or [])
    if from_ is not None:
        changes = {"model.weights": f"run:{from_}", **changes}
        if model is None and experiment is None:
            model = api.model_of(from_)
    planned = api.experiment_for(experiment, model=model, settings=changes)
    if data is None:
        if experiment is None or not planned.data.manifest:
            raise ExperimentError(
                "train: on which data? Give --data M.csv, or name data.manifest in the experiment."
            )
        data = experiment.parent / planned.data.manifest
    if split is None and planned.split.file and experiment is not None:
        split = experiment.parent / planned.split.file
    run = api.train(data, out, experiment=planned, split=split, as_=as_, progress=progress(quiet))
    from ..reports import summary

    text = summary([run.folder])
    emit(
        {"run": str(run.folder), "edition": run.edition, "metrics": run.metrics},
        f"{text}\nrun: {run.folder}\nnext: leukoscope report {run.folder} -o report.html",
        as_json,
    )
