"""``predictions.csv``: what a model said of each row; all evaluation works from it alone."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..counting import counted
from ..errors import PredictionsError, suggestion
from ..files import write_atomic
from ..tables import is_missing, parse_csv, read_csv

__all__ = ["PARTS", "Predictions", "read_predictions", "write_predictions"]

PARTS = ("train", "validation", "test")
TEXT = ("row", "image", "subject", "group", "dataset", "part", "label", "predicted")
NUMBERS = ("fold", "repeat")
OPTIONAL = ("calibrated", "verdict", "reason")
VERDICTS = ("", "normal", "refer", "blast")
SUM_TOLERANCE = 1e-3
"""Probabilities printed with four digits sum to 1 within this."""


@dataclass(frozen=True)
class Predictions:
    """A verified table and its classes.

    ``table`` has every column of the file contract: text columns as ``str`` (empty where
    unknown), ``fold`` and ``repeat`` as integers, ``p_<class>`` as float64. Where the file names
    no group, each subject is one; where it names no subject either, each image is its own.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    positive: str | None
    """The positive class of a binary task; None with more than two classes."""
    groups_known: bool
    """Whether the file named groups or subjects at all."""
    alone: frozenset[str] = frozenset()
    """Rows that name neither group nor subject, so that each is a group of its own."""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def probabilities(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Shape (rows, classes), in the order of ``classes``."""
        values = self.table[[f"p_{name}" for name in self.classes]].to_numpy(dtype=np.float64)
        return np.asarray(values)

    def part(self, name: str) -> Predictions:
        """Only the rows of one part (train, validation, test)."""
        chosen = self.table[self.table["part"] == name].reset_index(drop=True)
        return replace(self, table=chosen)


def read_predictions(path: Path | str, positive: str | None = None) -> Predictions:
    """Read and verify a predictions table; ``-`` reads standard input.

    ``image``, ``label`` and ``p_<class>…`` suffice, whoever wrote them. ``positive`` names the
    positive class of a binary task; without it that is ``blast``.

    Raises
    ------
    PredictionsError
        With the row: missing columns, unknown class, NaN, a probability outside [0, 1] or rows
        that do not sum to 1, duplicate predictions of one row in one fold and repeat.
    """
    name = "standard input" if str(path) == "-" else str(path)
    if str(path) == "-":
        rows = parse_csv(sys.stdin.buffer.read(), name, PredictionsError)
    elif not Path(path).exists():
        raise PredictionsError(f"{name}: there is no such predictions file.")
    else:
        rows = read_csv(Path(path), PredictionsError)
    header = rows[0][1]
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise PredictionsError(
                f"{name}: row {number}: {len(row)} values, but the header names {len(header)}."
            )
    table = pd.DataFrame([row for _, row in rows[1:]], columns=header, dtype=str)
    return predictions_from_table(table, positive=positive, where=name)


def predictions_from_table(
    raw: pd.DataFrame, *, positive: str | None = None, where: str = "predictions"
) -> Predictions:
    """Verify a table that is already in memory; see ``read_predictions``."""
    if not len(raw):
        raise PredictionsError(f"{where}: no predictions; at least one row was expected.")
    _verify_columns(raw, where)
    classes = tuple(column[2:] for column in raw.columns if column.startswith("p_"))
    if len(classes) < 2:
        raise PredictionsError(
            f"{where}: {counted(len(classes), 'column')} of probabilities; at least two, "
            "p_<class>, are needed (for a binary task p_blast and p_normal)."
        )
    table = _as_texts(raw)
    columns = [f"p_{name}" for name in classes]
    for column in columns:
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    p = table[columns].to_numpy(dtype=np.float64)
    for row, place in np.argwhere(np.isnan(p)):
        raise PredictionsError(
            f"{where}: row {row + 2}: {columns[place]} is {raw[columns[place]].iloc[row]!r}; a "
            "probability was expected. Leave out rows that were not predicted."
        )
    for row in np.flatnonzero(((p < 0) | (p > 1)).any(axis=1)):
        raise PredictionsError(
            f"{where}: row {row + 2}: probabilities {raw[columns].iloc[row].tolist()} are not "
            "all in [0, 1]; logits must be turned into probabilities first."
        )
    for row in np.flatnonzero(np.abs(p.sum(axis=1) - 1) > SUM_TOLERANCE):
        raise PredictionsError(
            f"{where}: row {row + 2}: probabilities sum to {p[row].sum():.4g}, not to 1."
        )
    for row in np.flatnonzero(~table["label"].isin(classes)):
        label = str(table["label"].iloc[row])
        raise PredictionsError(
            f"{where}: row {row + 2}: label {label!r} has no column p_{label}. "
            f"{suggestion(label, classes)}"
            if label
            else f"{where}: row {row + 2}: label is empty; what is evaluated has a true class. "
            "Leave unlabelled rows out."
        )
    _refuse_missing_names(table, where)
    table = _completed(table, classes, p, where)
    if positive is not None and positive not in classes:
        raise PredictionsError(
            f"{where}: positive class {positive!r} has no column. {suggestion(positive, classes)}"
        )
    if len(classes) == 2 and positive is None:
        if "blast" not in classes:
            raise PredictionsError(
                f"{where}: which of {classes[0]!r} and {classes[1]!r} is the positive class? "
                "Name it with --positive."
            )
        positive = "blast"
    named = _as_texts(raw)
    stated = np.zeros(len(raw), dtype=bool)
    for name in ("group", "subject"):
        if name in named:
            stated |= named[name].ne("").to_numpy()
    return Predictions(
        table,
        classes,
        positive if len(classes) == 2 else None,
        groups_known=bool(stated.any()),
        alone=frozenset(table["row"].to_numpy()[~stated]),
    )


def _verify_columns(raw: pd.DataFrame, where: str) -> None:
    """What is needed is there, once, and every class has a name."""
    for needed in ("image", "label"):
        if needed not in raw.columns:
            raise PredictionsError(
                f"{where}: column '{needed}' is missing. image, label and p_<class> are needed; "
                f"found {', '.join(map(str, raw.columns))}.{_renamed(needed, raw)}"
            )
    for column in raw.columns[raw.columns.duplicated()]:
        raise PredictionsError(f"{where}: column '{column}' stands twice; keep the right one.")
    if "p_" in raw.columns:
        raise PredictionsError(f"{where}: column 'p_' names no class; p_<class> was expected.")


def _renamed(needed: str, raw: pd.DataFrame) -> str:
    """Which column looks like the one that is missing."""
    near = difflib.get_close_matches(needed, [str(column).casefold() for column in raw.columns])
    found = [column for column in map(str, raw.columns) if column.casefold() in near[:1]]
    return f" Rename '{found[0]}' if it is that." if found else ""


def _refuse_missing_names(table: pd.DataFrame, where: str) -> None:
    """No subject or group is another program's word for nothing: it would be one large group."""
    for column in ("subject", "group"):
        if column not in table:
            continue
        for row in np.flatnonzero(table[column].map(is_missing)):
            raise PredictionsError(
                f"{where}: row {row + 2}: {column} is {table[column].iloc[row]!r}, which would tie "
                f"all such rows together; leave the cell empty where no {column} is known."
            )


def _as_texts(raw: pd.DataFrame) -> pd.DataFrame:
    """A copy whose text columns hold texts, empty where nothing is known."""
    table = raw.copy()
    for column in (*TEXT, "verdict", "reason"):
        if column in table:
            values = table[column].astype(object)
            table[column] = values.where(values.notna(), "").map(str).astype(str)
    return table


def _completed(
    table: pd.DataFrame, classes: Sequence[str], p: np.ndarray[Any, Any], where: str
) -> pd.DataFrame:
    """The table with every column of the contract."""
    for column in TEXT:
        if column not in table:
            table[column] = "test" if column == "part" else ""
    for column, stand_in in (("row", "image"), ("group", "subject"), ("group", "row")):
        table[column] = table[column].where(table[column] != "", table[stand_in])
    for unnamed in np.flatnonzero(table["row"] == ""):
        raise PredictionsError(
            f"{where}: row {unnamed + 2}: image is empty; each row names its image."
        )
    for column in NUMBERS:
        table[column] = _whole_numbers(table[column], where) if column in table else np.int64(0)
    answer = np.array(classes, dtype=object)[p.argmax(axis=1)]
    table["predicted"] = table["predicted"].where(table["predicted"] != "", answer).astype(str)
    _verify_known(table, "part", PARTS, where)
    _verify_known(table, "predicted", classes, where)
    twice = np.flatnonzero(table.duplicated(["row", "part", "fold", "repeat"]))
    for row in twice:
        raise PredictionsError(
            f"{where}: row {row + 2}: {table['row'].iloc[row]!r} is predicted twice in the same "
            "part, fold and repeat; each row is predicted once."
        )
    if "calibrated" in table:
        table["calibrated"] = _calibrated(table["calibrated"], where)
    if "verdict" in table:
        _verify_known(table, "verdict", VERDICTS, where)
    kept = [name for name in OPTIONAL if name in table]
    return table[[*TEXT[:6], *NUMBERS, *TEXT[6:], *(f"p_{c}" for c in classes), *kept]]


def _verify_known(table: pd.DataFrame, column: str, known: Sequence[str], where: str) -> None:
    """Every value of a column is one of the known ones."""
    for row in np.flatnonzero(~table[column].isin(known)):
        value = str(table[column].iloc[row])
        raise PredictionsError(
            f"{where}: row {row + 2}: {column} is {value!r}. {suggestion(value, known)}"
        )


def _whole_numbers(given: pd.Series[Any], where: str) -> pd.Series[Any]:
    values = pd.to_numeric(given, errors="coerce")
    for row in np.flatnonzero(values.isna() | (values % 1 != 0) | (values < 0)):
        raise PredictionsError(
            f"{where}: row {row + 2}: {given.name} is {given.iloc[row]!r}; a whole number from 0 "
            "was expected."
        )
    return values.astype(np.int64)


def _calibrated(given: pd.Series[Any], where: str) -> pd.Series[Any]:
    """Calibrated probabilities of the positive class; an empty cell is NaN."""
    values = pd.to_numeric(given.replace("", None), errors="coerce").astype(np.float64)
    stated = given.notna() & given.ne("")
    for row in np.flatnonzero(stated & ~((values >= 0) & (values <= 1))):
        raise PredictionsError(
            f"{where}: row {row + 2}: calibrated is {given.iloc[row]!r}; a probability in [0, 1] "
            "or nothing was expected."
        )
    return values


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write a predictions table, atomically; probabilities keep full double precision."""
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))
