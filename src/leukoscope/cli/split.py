"""``leukoscope split``: divide the rows so that nothing leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..files import verify_output
from .options import As, Data, Json, Quiet, Seed, emit, progress

__all__ = ["split"]

USED_BY = {
    "folds": ("kfold",),
    "repeats": ("kfold", "holdout", "image"),
    "test": ("holdout", "image", "forward"),
}
"""The kinds that each option says something to; validation is for all of them."""


def split(
    data: Data,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="S.json", help="Where to write.")],
    kind: Annotated[
        Literal["holdout", "kfold", "lodo", "official", "image", "forward"],
        typer.Option(help="How: lodo leaves one data set out, image cuts groups (as published)."),
    ] = "kfold",
    folds: Annotated[int | None, typer.Option(min=2, help="For kfold.  [default: 5]")] = None,
    repeats: Annotated[
        int | None,
        typer.Option(min=1, help="For kfold, holdout, image: divide anew so often.  [default: 1]"),
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(help="Share that tests, for holdout, image, forward.  [default: 0.2]"),
    ] = None,
    validation: Annotated[float, typer.Option(help="Share that validates.")] = 0.15,
    edition: Annotated[
        Literal["leak-free", "as-published"] | None,
        typer.Option(help="as-published cuts groups as the papers did; image implies it."),
    ] = None,
    group_duplicates: Annotated[
        bool | None,
        typer.Option(
            help="Keep near-identical images together. Without a word only images that have no "
            "groups are compared; named, groups that are there are joined, too."
        ),
    ] = None,
    seed: Seed = 0,
    as_: As = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Divide the rows into parts or folds of whole groups, balanced in their classes.

    Example: leukoscope split allidb2.csv --kind kfold --folds 5 -o split.json
    """
    from .. import api
    from ..datasets.card import RENDERED_DATA
    from ..errors import SplitError
    from ..records.experiment import SplitPlan
    from ..records.split import write_split
    from ..schema import parse

    verify_output(out, suffixes=(".json",), inputs=[data])
    asked = {"folds": folds, "repeats": repeats, "test": test}
    given = {name: value for name, value in asked.items() if value is not None}
    for name in given:
        if kind not in USED_BY[name]:
            raise SplitError(
                f"split: --{name} says nothing to --kind {kind}; it is for "
                f"{', '.join(USED_BY[name])}. Leave it out, or choose another kind."
            )
    plan = parse(
        SplitPlan,
        {
            "kind": kind,
            **given,
            "validation": validation,
            "group_duplicates": group_duplicates is not False,
        },
        where="split",
        error=SplitError,
    )
    division = api.split(
        data,
        plan=plan,
        seed=seed,
        edition=edition or ("as-published" if kind == "image" else "leak-free"),
        join_duplicates=bool(group_duplicates),
        as_=as_,
        progress=progress(quiet),
    )
    write_split(division, out)
    lines = [
        f"{division.kind}, {division.edition}, whole {division.unit}s, groups {division.groups}",
        *(
            f"{fold.name}: {len(fold.train)} train, {len(fold.validation)} validation, "
            f"{len(fold.test)} test"
            for fold in division.folds
        ),
        *division.notes,
        *([RENDERED_DATA] if division.rendered else []),
        f"written: {out}",
        f"next: leukoscope train --model cnn-3 --data {data} --split {out} -o run",
    ]
    emit(division.model_dump(mode="json", by_alias=True), "\n".join(lines), as_json)
