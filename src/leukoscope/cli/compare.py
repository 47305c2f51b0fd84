"""``leukoscope compare``: how much two runs differ, paired and grouped."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Json, Seed, emit

__all__ = ["compare"]


def compare(
    a: Annotated[str, typer.Argument(metavar="RUN_A", help="A run folder or predictions file.")],
    b: Annotated[str, typer.Argument(metavar="RUN_B", help="Another one.")],
    positive: Annotated[
        str | None, typer.Option(help="Positive class of a binary task, if it is not blast.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap samples of groups.")] = 2000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare two runs on their common rows: the difference A − B with its interval.

    Example: leukoscope compare runs/cnn-3 runs/cnn-4
    """
    from .. import api
    from ..evaluation.comparison import describe

    outcome = api.compare(a, b, positive=positive, resamples=resamples, seed=seed)
    emit(outcome, describe(outcome), as_json)
