"""The Manifest: one row a cell or field, as a CSV (or Parquet) file beside its card.

Row key: ``image`` for a whole image, ``image#x0,y0,x1,y1`` for a box in it.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ManifestError, MissingExtraError, suggestion
from ..files import atomic_path, sha256_bytes, write_atomic
from ..tables import is_missing, read_csv
from .card import DatasetCard, read_card, verify_replaceable, write_card

__all__ = [
    "BOX_COLUMNS",
    "COLUMNS",
    "Manifest",
    "manifest_from_rows",
    "read_manifest",
    "write_manifest",
]

BOX_COLUMNS = ("x0", "y0", "x1", "y1")
COLUMNS = (
    "image",
    *BOX_COLUMNS,
    "label",
    "source_label",
    "subject",
    "group",
    "group_source",
    "dataset",
    "site",
    "official_split",
    "parent",
    "sha256",
    "pixels_sha256",
)
MOST_PIXELS = 2**31
OTHERS = (
    "A CSV with columns of other names becomes a manifest with: leukoscope data read FILE.csv "
    "--as csv --map image=COLUMN --map label=COLUMN -o M.csv"
)
GROUP_SOURCES = ("", "published", "inferred")


@dataclass(frozen=True)
class Manifest:
    """Rows, their card and the folder that image paths are relative to.

    ``table`` has exactly the columns ``COLUMNS``, all of them strings (an empty string where
    nothing is known) except the four box columns, which are nullable integers (``Int64``).
    Treat it as immutable: ``with_table`` gives a changed copy.
    """

    table: pd.DataFrame
    card: DatasetCard
    folder: Path

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The row keys, in the order of the rows."""
        return tuple(row_keys(self.table))

    @cached_property
    def boxes(self) -> tuple[tuple[int, int, int, int] | None, ...]:
        """For each row its box (x0, y0, x1, y1) in pixels, half-open, or None."""
        values = self.table[list(BOX_COLUMNS)]
        whole = values.isna().any(axis=1).to_numpy()
        numbers = values.fillna(0).to_numpy(dtype=np.int64)
        return tuple(
            None if none else (int(x0), int(y0), int(x1), int(y1))
            for none, (x0, y0, x1, y1) in zip(whole, numbers, strict=True)
        )

    @cached_property
    def sha256(self) -> str:
        """Hash of what a split depends on: row keys, labels, subjects, groups, parents."""
        parts = self.table[["label", "subject", "group", "parent", "dataset", "official_split"]]
        lines = ["\x1f".join((key, *row)) for key, row in zip(self.keys, parts.values, strict=True)]
        return sha256_bytes("\n".join(lines).encode("utf-8"))

    def path(self, row: int) -> Path:
        """Where the image of row number ``row`` lies."""
        return self.folder / str(self.table["image"].iloc[row])

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One text column as an array of ``str`` objects."""
        values: np.ndarray[Any, Any] = self.table[name].to_numpy(dtype=object)
        return values

    def with_table(self, table: pd.DataFrame) -> Manifest:
        """The same card and folder over other rows."""
        return replace(self, table=typed(table.reset_index(drop=True)))

    def with_columns(self, **columns: Sequence[str]) -> Manifest:
        """A copy in which the named columns hold the given values."""
        return self.with_table(self.table.assign(**columns))

    def with_card(self, **changes: Any) -> Manifest:
        """A copy whose card has the given fields changed."""
        return replace(self, card=self.card.model_copy(update=changes))

    def binary_labels(self) -> np.ndarray[Any, Any]:
        """Each row's class as the card maps it: ``blast``, ``normal`` or an empty string."""
        mapping = {"blast": "blast", "normal": "normal", **self.card.classes}
        return np.array([mapping.get(label, "") for label in self.column("label")], dtype=object)


def row_keys(table: pd.DataFrame) -> list[str]:
    """Row keys of a manifest table."""
    boxes = table[list(BOX_COLUMNS)]
    whole = boxes.isna().any(axis=1)
    return [
        image if none else f"{image}#{x0},{y0},{x1},{y1}"
        for image, none, (x0, y0, x1, y1) in zip(
            table["image"], whole, boxes.itertuples(index=False), strict=True
        )
    ]


def manifest_from_rows(
    rows: Sequence[Mapping[str, Any]], card: DatasetCard, folder: Path, *, where: str = ""
) -> Manifest:
    """A manifest from dictionaries; absent columns are empty, ``dataset`` is the card's name.

    This is what a reader of a data set calls. Row order is made canonical (by row key), so that
    the order in which a file system lists its files never matters.

    Raises
    ------
    ManifestError
        Beginning with ``where`` (by default the card's name): a wrong path, box or group, or a
        row that stands twice. Rows are counted as in a table with a header, from 2.
    """
    table = pd.DataFrame(rows, columns=list(COLUMNS)) if rows else pd.DataFrame(columns=COLUMNS)
    if len(table):
        table["dataset"] = table["dataset"].where(table["dataset"].notna(), card.name)
    table = typed(table)
    verify_rows(table, where=where or card.name)
    order = np.argsort(np.array(row_keys(table), dtype=object), kind="stable")
    return Manifest(table.iloc[order].reset_index(drop=True), card, folder)


def typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reindex(columns=list(COLUMNS))
    for column in COLUMNS:
        if column in BOX_COLUMNS:
            table[column] = pd.to_numeric(table[column], errors="raise").astype("Int64")
        else:
            values = table[column].astype(object)
            table[column] = values.where(values.notna(), "").map(str).astype(object)
    return table


def read_manifest(path: Path) -> Manifest:
    """Read ``NAME.csv`` or ``NAME.parquet`` with the card ``NAME.toml`` beside it.

    A CSV needs the columns ``image`` and ``label``; the others may be absent. Without a card
    one is made that knows nothing but the classes.

    Raises
    ------
    ManifestError
        With file, row and remedy: missing or unknown columns, duplicate rows, an absolute or
        outward path, a box that is no box, a label that the card does not know, a group without
        its source.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise ManifestError(f"{path}: there is no such manifest. Make one: leukoscope data read.")
    raw = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    twice = raw.columns[raw.columns.duplicated()]
    if len(twice):
        raise ManifestError(f"{path}: the header names column '{twice[0]}' twice.")
    unknown = [column for column in raw.columns if column not in COLUMNS]
    if unknown:
        raise ManifestError(
            f"{path}: unknown column '{unknown[0]}'. {suggestion(unknown[0], COLUMNS)} {OTHERS}"
        )
    for needed in ("image", "label"):
        if needed not in raw.columns:
            raise ManifestError(
                f"{path}: column '{needed}' is missing; found {', '.join(raw.columns)}. {OTHERS}"
            )
    for column in BOX_COLUMNS:
        if column in raw.columns:
            raw[column] = [
                whole_pixels(value, f"{path}: row {row + 2}: {column}")
                for row, value in enumerate(raw[column])
            ]
    table = typed(raw)
    table = typed(
        table.assign(**{column: table[column].map(_plain) for column in ("image", "parent")})
    )
    card_path = path.with_suffix(".toml")
    card = read_card(card_path) if os.path.exists(card_path) else _card_for(path, table)
    table["dataset"] = table["dataset"].where(table["dataset"] != "", card.name)
    verify_rows(table, where=str(path))
    verify_labels(table, card, where=str(path))
    return Manifest(table, card, path.parent / card.root)


def whole_pixels(value: Any, where: str) -> int | None:
    """A pixel coordinate as a person or Parquet writes it (``12``, ``12.0``, nothing).

    Raises
    ------
    ManifestError
        Beginning with ``where``, when it is no whole number of pixels.
    """
    if value is None or value is pd.NA or str(value).strip() in ("", "<NA>"):
        return None
    if isinstance(value, float) and np.isnan(value):
        return None
    try:
        number = float(value)
    except ValueError:
        number = np.nan
    if not number % 1 == 0 or abs(number) > MOST_PIXELS:
        raise ManifestError(f"{where} is {value!r}; a whole number of pixels was expected.")
    return int(number)


def _read_csv(path: Path) -> pd.DataFrame:
    (_, header), *rows = read_csv(path, ManifestError)
    for number, row in rows:
        if len(row) != len(header):
            raise ManifestError(
                f"{path}: row {number}: {len(row)} values, but the header names {len(header)}."
            )
    return pd.DataFrame([row for _, row in rows], columns=header, dtype=object)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise MissingExtraError("Reading a Parquet manifest", "parquet") from None
    except (OSError, ValueError) as reason:
        raise ManifestError(f"{path}: cannot be read as Parquet: {reason}.") from reason


def _card_for(path: Path, table: pd.DataFrame) -> DatasetCard:
    classes = {
        label: label if label in ("blast", "normal") else ""
        for label in sorted(set(table["label"]))
        if label and not is_missing(label)
    }
    return DatasetCard(
        name=re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "data", classes=classes
    )


def verify_rows(table: pd.DataFrame, *, where: str) -> None:
    for row, image in enumerate(table["image"]):
        if reason := _unsafe(image):
            raise ManifestError(
                f"{where}: row {row + 2}: image {image!r} {reason}; "
                "paths are relative to the manifest, with '/', and stay below it."
            )
    boxes = table[list(BOX_COLUMNS)]
    given = boxes.notna().sum(axis=1).to_numpy()
    numbers = boxes.fillna(0).to_numpy(dtype=np.int64)
    bad = ((given != 0) & (given != 4)) | (
        (given == 4)
        & (
            (numbers[:, 0] >= numbers[:, 2])
            | (numbers[:, 1] >= numbers[:, 3])
            | (numbers[:, :2] < 0).any(axis=1)
        )
    )
    for wrong in np.flatnonzero(bad):
        raise ManifestError(
            f"{where}: row {wrong + 2}: box ({_shown(boxes.iloc[wrong])}) is no box; expected "
            "x0 < x1 and y0 < y1 in pixels, or four empty cells for the whole image."
        )
    for column in ("subject", "group", "parent"):
        for at in np.flatnonzero(table[column].map(is_missing)):
            raise ManifestError(
                f"{where}: row {at + 2}: {column} is {table[column].iloc[at]!r}, which would tie "
                f"all such rows together; leave the cell empty where no {column} is known."
            )
    keys = pd.Series(row_keys(table))
    twice = keys[keys.duplicated()]
    if len(twice):
        first = int(keys[keys == twice.iloc[0]].index[0])
        raise ManifestError(
            f"{where}: row {int(twice.index[0]) + 2} repeats row {first + 2} ({twice.iloc[0]!r}); "
            f"{len(twice)} such rows. Each cell stands once: remove the copies."
        )
    for row, source in enumerate(table["group_source"]):
        if source not in GROUP_SOURCES:
            raise ManifestError(
                f"{where}: row {row + 2}: group_source is {source!r}; "
                "expected 'published', 'inferred' or nothing."
            )
        if bool(table["group"].iloc[row]) != bool(source):
            raise ManifestError(
                f"{where}: row {row + 2}: a group has a source (published or inferred) and a "
                f"source has a group; found group {table['group'].iloc[row]!r} from {source!r}."
            )


def _shown(box: pd.Series) -> str:
    return ", ".join("nothing" if value is pd.NA else str(value) for value in box)


def _plain(path: str) -> str:
    """``./a//b.png`` as ``a/b.png``; an empty path stays empty."""
    return str(PurePosixPath(path)) if path else ""


def _unsafe(image: str) -> str:
    if not image or image == "." or image.lower() == "nan":
        return "is empty"
    if "\0" in image:
        return "holds a NUL character"
    if "\\" in image or re.match(r"^[A-Za-z]:", image):
        return "is a Windows path"
    path = PurePosixPath(image)
    if path.is_absolute():
        return "is an absolute path"
    if ".." in path.parts:
        return "leads outside"
    return ""


def verify_labels(table: pd.DataFrame, card: DatasetCard, *, where: str) -> None:
    for row, label in enumerate(table["label"]):
        if is_missing(label) and label not in card.classes:
            raise ManifestError(
                f"{where}: row {row + 2}: label is {label!r}; leave the cell empty where there is "
                "no label."
            )
    if not card.classes:
        return
    for row, label in enumerate(table["label"]):
        if label and label not in card.classes:
            raise ManifestError(
                f"{where}: row {row + 2}: class {label!r} is not in the card. "
                f"{suggestion(label, card.classes)}"
            )


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write rows to ``path`` (``.csv`` or ``.parquet``) and the card beside it, atomically.

    Image paths become relative to the new place where the images lie below it; otherwise (a
    read-only data folder, say) they stay and the card's ``root`` says where they are.

    Raises
    ------
    ManifestError
        As ``verify_replaceable``.
    """
    path = Path(path)
    verify_replaceable(path)
    table, root = manifest.table, ""
    prefix = folder_below(manifest.folder, path.parent)
    if prefix is None:
        root = manifest.folder.resolve().as_posix()
    elif prefix:
        table = with_prefix(table, prefix)
    if path.suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise MissingExtraError("Writing a Parquet manifest", "parquet") from None
        with atomic_path(path) as temporary:
            table.to_parquet(temporary, index=False)
    else:
        text = table.to_csv(index=False, lineterminator="\n")
        if "\r" in text:  # the one character that csv leaves bare and then ends a line at
            text = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)
        write_atomic(path, text)
    write_card(manifest.card.model_copy(update={"root": root}), path.with_suffix(".toml"))


def folder_below(folder: Path, above: Path) -> str | None:
    """``folder`` relative to ``above`` ('' for the same), or None where it lies elsewhere."""
    folder, above = folder.resolve(), above.resolve()
    if not folder.is_relative_to(above):
        return None
    relative = folder.relative_to(above).as_posix()
    return "" if relative == "." else relative


def with_prefix(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The table with ``prefix/`` before every image and parent."""
    return table.assign(
        image=[f"{prefix}/{image}" for image in table["image"]],
        parent=[f"{prefix}/{parent}" if parent else "" for parent in table["parent"]],
    )
