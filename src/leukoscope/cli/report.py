"""``leukoscope report``: one HTML that reads like the results section of a good paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, emit

__all__ = ["report"]


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN…", help="Run folders; two editions stand together.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="R.html", help="Where to write.")],
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save every figure there too, as SVG and PNG."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of one or more runs: self-contained, printable, without scripts.

    Example: leukoscope report runs/leak-free runs/as-published -o report.html
    """
    from .. import api
    from ..reports import summary

    api.report(list(runs), out, figures=figures)
    emit({"report": str(out)}, f"{summary(list(runs))}\nreport: {out}", as_json)
