"""``leukoscope demo``: the main job on rendered cells, with a report, in two minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..files import verify_output
from .options import Json, Quiet, Seed, emit, progress

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="Where everything is written.")
    ] = Path("leukoscope-demo"),
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw cells, check, train both editions, evaluate, report; says how large the leak is.

    Example: leukoscope demo -o demo
    """
    from ..demo import run_demo

    verify_output(out)
    outcome = run_demo(out, seed=seed, progress=progress(quiet))
    emit(outcome.model_dump(mode="json"), outcome.sentence(), as_json)
