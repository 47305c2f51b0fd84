"""``split.json``: which rows train, validate and test, tied to one manifest by its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from ..errors import SplitError
from ..files import read_json, write_json
from ..schema import Record, parse

__all__ = ["SCHEMA", "Edition", "Fold", "Split", "SplitKind", "read_split", "write_split"]

SCHEMA = 1
Edition = Literal["leak-free", "as-published"]
SplitKind = Literal["holdout", "kfold", "lodo", "official", "image", "forward", "given"]


class Fold(Record):
    """One division of the rows; the parts are disjoint lists of row keys."""

    name: str
    """``fold-0``, as its folder in a run, or what is left out: the data set's name under lodo."""
    repeat: int = Field(default=0, ge=0)
    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


class Split(Record):
    """All folds of one split and how they were made."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    kind: SplitKind
    edition: Edition
    unit: Literal["group", "image"]
    """What is never cut: a whole group, or (as published) only an image."""
    groups: Literal["published", "inferred", "none"]
    """Where the groups come from; with ``inferred`` every figure says so."""
    rendered: bool = False
    """Whether the cells are drawn: nothing made of this split says anything about patients."""
    seed: int = Field(ge=0)
    manifest_sha256: str
    folds: tuple[Fold, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know: rows in no part, classes that are not validated on."""

    @field_validator("folds")
    @classmethod
    def _names_differ(cls, folds: tuple[Fold, ...]) -> tuple[Fold, ...]:
        if not folds:
            raise ValueError("at least one fold is needed")
        seen = set()
        for fold in folds:
            if (fold.name, fold.repeat) in seen:
                raise ValueError(f"two folds of repeat {fold.repeat} are named {fold.name!r}")
            seen.add((fold.name, fold.repeat))
        return folds


def read_split(path: Path) -> Split:
    """Read a split; whether it fits a manifest is ``splits.verify_split``'s to say."""
    return parse(
        Split,
        read_json(path, what="split", schema=SCHEMA, error=SplitError),
        where=str(path),
        error=SplitError,
    )


def write_split(split: Split, path: Path) -> None:
    """Write a split as JSON, atomically."""
    write_json(path, split.model_dump(mode="json", by_alias=True))
