"""``predictions.csv``: what a model said of each row; all evaluation works from it alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import PredictionsError, suggestion
from ..files import write_atomic

__all__ = ["PARTS", "Predictions", "read_predictions", "write_predictions"]

PARTS = ("train", "validation", "test")
TEXT = ("row", "image", "subject", "group", "dataset", "part", "label", "predicted")
NUMBERS = ("fold", "repeat")
OPTIONAL = ("calibrated", "verdict", "reason")
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
        return Predictions(chosen, self.classes, self.positive, self.groups_known)


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
    try:
        raw = pd.read_csv(sys.stdin if str(path) == "-" else path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise PredictionsError(f"{name}: there is no such predictions file.") from None
    except (OSError, UnicodeDecodeError, ValueError) as reason:
        raise PredictionsError(f"{name}: cannot be read as a CSV file: {reason}.") from reason
    return predictions_from_table(raw, positive=positive, where=name)


def predictions_from_table(
    raw: pd.DataFrame, *, positive: str | None = None, where: str = "predictions"
) -> Predictions:
    """Verify a table that is already in memory; see ``read_predictions``."""
    if not len(raw):
        raise PredictionsError(f"{where}: no predictions; at least one row was expected.")
    classes = tuple(column[2:] for column in raw.columns if column.startswith("p_"))
    for needed in ("image", "label"):
        if needed not in raw.columns:
            raise PredictionsError(
                f"{where}: column '{needed}' is missing. image, label and p_<class> are needed."
            )
    if len(classes) < 2:
        raise PredictionsError(
            f"{where}: {len(classes)} columns of probabilities; at least two, p_<class>, are "
            "needed (for a binary task p_blast and p_normal)."
        )
    table = raw.copy()
    columns = [f"p_{name}" for name in classes]
    for column in columns:
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    p = table[columns].to_numpy(dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(p).all(axis=1) | ((p < 0) | (p > 1)).any(axis=1)):
        raise PredictionsError(
            f"{where}: row {row + 2}: probabilities {raw[columns].iloc[row].tolist()} are not "
            "all numbers in [0, 1]; logits must be turned into probabilities first."
        )
    for row in np.flatnonzero(np.abs(p.sum(axis=1) - 1) > SUM_TOLERANCE):
        raise PredictionsError(
            f"{where}: row {row + 2}: probabilities sum to {p[row].sum():.4g}, not to 1."
        )
    for number, label in enumerate(table["label"], start=2):
        if label not in classes:
            raise PredictionsError(
                f"{where}: row {number}: label {label!r} has no column p_{label}. "
                f"{suggestion(str(label), classes)}"
            )
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
    known = any(bool(raw[name].ne("").any()) for name in ("group", "subject") if name in raw)
    return Predictions(table, classes, positive if len(classes) == 2 else None, known)


def _completed(
    table: pd.DataFrame, classes: Sequence[str], p: np.ndarray[Any, Any], where: str
) -> pd.DataFrame:
    """The table with every column of the contract."""
    if "row" not in table:
        table["row"] = table["image"]
    for column, default in (("subject", ""), ("group", ""), ("dataset", ""), ("part", "test")):
        if column not in table:
            table[column] = default
    empty = table["group"] == ""
    table.loc[empty, "group"] = table.loc[empty, "subject"]
    empty = table["group"] == ""
    table.loc[empty, "group"] = table.loc[empty, "row"]
    for column in NUMBERS:
        values = pd.to_numeric(table[column], errors="coerce") if column in table else 0
        table[column] = values
        if table[column].isna().any():
            row = int(np.flatnonzero(table[column].isna())[0])
            raise PredictionsError(f"{where}: row {row + 2}: {column} is not a whole number.")
        table[column] = table[column].astype(np.int64)
    for row, part in enumerate(table["part"]):
        if part not in PARTS:
            raise PredictionsError(
                f"{where}: row {row + 2}: part is {part!r}. {suggestion(str(part), PARTS)}"
            )
    if "predicted" not in table:
        table["predicted"] = np.array(classes, dtype=object)[p.argmax(axis=1)]
    for row, predicted in enumerate(table["predicted"]):
        if predicted not in classes:
            raise PredictionsError(
                f"{where}: row {row + 2}: predicted class {predicted!r} has no column. "
                f"{suggestion(str(predicted), classes)}"
            )
    keys = ["row", "part", "fold", "repeat"]
    twice = table.duplicated(keys)
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        raise PredictionsError(
            f"{where}: row {row + 2}: {table['row'].iloc[row]!r} is predicted twice in the same "
            "part, fold and repeat; each row is predicted once."
        )
    kept = [name for name in OPTIONAL if name in table]
    return table[[*TEXT[:6], *NUMBERS, *TEXT[6:], *(f"p_{c}" for c in classes), *kept]]


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write a predictions table, atomically; probabilities keep full double precision."""
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))
