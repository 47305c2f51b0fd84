"""``leukoscope bench``: both sides measured in one run, in turn, medians."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Json, Quiet, emit, progress

__all__ = ["bench"]


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Which; without one, all.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure speed beside a peer's, interleaved, on this machine.

    Example: leukoscope bench images evaluation
    """
    from ..bench import describe, measure

    rows = measure(names or [], progress(quiet))
    emit([row.model_dump() for row in rows], describe(rows), as_json)
