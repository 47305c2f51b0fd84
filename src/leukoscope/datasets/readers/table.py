"""Any CSV of images: its columns are mapped to the manifest's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import ManifestError, suggestion
from ...progress import Progress
from ...tables import is_missing, read_csv
from ..card import DatasetCard
from ..manifest import (
    BOX_COLUMNS,
    COLUMNS,
    Manifest,
    manifest_from_rows,
    whole_pixels,
)
from .class_folders import class_meaning
from .reader import Options, Reader, Recognised
from .texts import header_of
from .tree import Tree

__all__ = ["READER", "find_table", "read_table"]


def _tables(tree: Tree) -> list[str]:
    return [file for file in tree.ending(".csv") if "/" not in file]


def look(tree: Tree) -> Recognised | None:
    """Exactly one CSV at the top of the folder that has the columns image and label."""
    fitting = [file for file in _tables(tree) if _fits(tree.root / file)]
    if len(fitting) != 1:
        return None
    with (tree.root / fitting[0]).open(encoding="utf-8-sig", errors="replace") as file:
        count = sum(1 for line in file if line.strip()) - 1
    return Recognised("csv", count, f"{fitting[0]} with the columns image and label")


def _fits(path: Path) -> bool:
    return {"image", "label"} <= set(header_of(path))


def find_table(tree: Tree) -> Path:
    """The one CSV that is meant when a folder is read as a table.

    Raises
    ------
    ManifestError
        When there is none, or several and not exactly one that has image and label.
    """
    tables = _tables(tree)
    fitting = [file for file in tables if _fits(tree.root / file)] if len(tables) > 1 else tables
    if len(fitting) != 1:
        raise ManifestError(
            f"{tree.root}: one CSV was expected, found {', '.join(tables) or 'none'}. "
            "Name the file itself: leukoscope data read --as csv FILE.csv."
        )
    return tree.root / fitting[0]


def rows(tree: Tree, options: Options, _progress: Progress) -> Manifest:
    """The one table of the folder."""
    return read_table(find_table(tree), options)


def read_table(path: Path, options: Options) -> Manifest:
    """A CSV as a manifest; image paths are relative to it.

    ``options.columns`` maps manifest columns to the table's (``{"image": "path"}``); columns
    of the manifest's own names need no mapping, other columns are passed over.

    Raises
    ------
    ManifestError
        An unknown manifest column, a column that the table does not have, no column for image
        or label, an unreadable table, rows of different lengths, a path that leads outside.
    """
    header, lines = _read(path)
    mapping = _mapping(path, header, options.columns)
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.casefold()).strip("-") or "table"
    made, labels = [], dict[str, str]()
    for number, line in lines:
        values = {column: line[header.index(source)].strip() for column, source in mapping.items()}
        row = _row(path, number, values, name, options)
        labels.setdefault(row["label"], class_meaning(row["label"]))
        made.append(row)
    if not made:
        raise ManifestError(f"{path}: the table has a header and no rows.")
    labels.pop("", None)
    subjects = all(row.get("subject") for row in made)
    card = DatasetCard(
        name=name,
        title=path.stem,
        classes=dict(sorted(labels.items())),
        subject_is="from the table" if subjects else "not known for every row",
        groups_inferred=not subjects,
        group_note=""
        if subjects
        else "groups inferred: where no subject is known, only look-alike images are joined",
    )
    return manifest_from_rows(made, card, path.parent, where=str(path))


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    rows = read_csv(path, ManifestError)
    header = [column.strip() for column in rows[0][1]]
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise ManifestError(
                f"{path}: row {number}: {len(row)} values, but the header names {len(header)}."
            )
    return header, rows[1:]


def _mapping(path: Path, header: list[str], asked: Mapping[str, str]) -> dict[str, str]:
    for column, source in asked.items():
        if column not in COLUMNS:
            raise ManifestError(
                f"--map {column}={source}: the manifest has no column '{column}'. "
                f"{suggestion(column, COLUMNS)}"
            )
        if source not in header:
            raise ManifestError(
                f"{path}: --map {column}={source}: the table has no column '{source}'. "
                f"{suggestion(source, header)}"
            )
    mapping = {column: column for column in COLUMNS if column in header} | dict(asked)
    for needed in ("image", "label"):
        if needed not in mapping:
            raise ManifestError(
                f"{path}: no column '{needed}'; found {', '.join(header)}. "
                f"Say which one it is: --map {needed}=COLUMN."
            )
    return mapping


def _row(
    path: Path, number: int, values: dict[str, str], name: str, options: Options
) -> dict[str, Any]:
    row: dict[str, Any] = {**values, "image": str(PurePosixPath(values["image"] or ""))}
    if not values["image"]:
        raise ManifestError(f"{path}: row {number}: the image is empty.")
    if is_missing(values["label"]):
        raise ManifestError(
            f"{path}: row {number}: the label is {values['label']!r}; "
            "leave the cell empty where there is no label."
        )
    for column in BOX_COLUMNS:
        if column in values:
            row[column] = whole_pixels(values[column], f"{path}: row {number}: {column}")
    subject = values.get("subject", "") or options.subject(values["image"])
    if subject:
        row["subject"] = subject if ":" in subject else f"{name}:{subject}"
    if row.get("group") and not row.get("group_source"):
        row["group_source"] = "inferred"
    row["source_label"] = values.get("source_label") or values["label"]
    row["dataset"] = values.get("dataset") or name
    return row


READER = Reader(
    name="csv",
    title="a CSV of images",
    layout="one CSV with the columns image and label, or others named with --map image=COLUMN",
    look=look,
    rows=rows,
    generic=True,
)
