"""Published figures as they are printed: what true values a printed one may stand for."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import AuditError, suggestion

__all__ = [
    "COLUMNS",
    "METRICS",
    "Averaging",
    "Figure",
    "PublishedRow",
    "Rounding",
    "published_row",
    "read_file",
    "read_table",
]

METRICS = (
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "npv",
    "recall",
    "f1",
    "auc",
)
COLUMNS = ("model", "n", "positives", *METRICS)
Rounding = Literal["round", "truncate", "either"]
Averaging = Literal["positive", "macro", "weighted", "any"]
ABSENT = {"", "-", "–", "—", "n/a", "nan", "none"}
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
SLACK = 1e-12
"""Of a comparison of numbers that were computed in different orders."""


@dataclass(frozen=True)
class Figure:
    """One printed figure and the true values that print so, as fractions of 1."""

    text: str
    value: float
    low: float
    high: float
    digits: int
    """Decimals of the fraction that are printed: 4 for 85.41 %."""

    def holds(self, value: float) -> bool:
        """Whether a true value prints so."""
        return self.low - SLACK <= value <= self.high + SLACK

    @property
    def unit(self) -> float:
        """One in the last printed digit."""
        return float(10.0**-self.digits)


@dataclass(frozen=True)
class PublishedRow:
    """The figures of one model on one test set of two classes."""

    model: str
    figures: Mapping[str, Figure]
    """Metric → figure; what is not printed is absent."""
    n: int | None = None
    """Test images."""
    positives: int | None = None
    """Positive ones among them."""
    share: float | None = None
    """Share of the positive ones where only that is known."""
    averaging: Averaging = "any"
    """Of precision, recall and F1."""


def figure(text: str, *, percent: bool, rounding: Rounding, digits: int | None = None) -> Figure:
    """A printed number as an interval; ``digits`` of the print count where they are given."""
    found = NUMBER.search(text)
    if found is None:
        raise AuditError(f"'{text}' is no number.")
    number = found[0].replace(",", ".")
    decimals = len(number.partition(".")[2]) if digits is None else digits
    scale = 100.0 if percent else 1.0
    value, unit = float(number) / scale, 10.0**-decimals / scale
    below = 0.0 if rounding == "truncate" else unit / 2
    above = unit / 2 if rounding == "round" else unit * (1 - 1e-6)
    if not 0 <= value <= 1:
        raise AuditError(f"'{text}' is {value:g} as a share, which is not between 0 and 1.")
    low, high = max(0.0, value - below), min(1.0, value + above)
    return Figure(text.strip(), value, low, high, decimals + (2 if percent else 0))


def published_row(
    model: str,
    texts: Mapping[str, str],
    *,
    n: str = "",
    positives: str = "",
    averaging: Averaging = "any",
    rounding: Rounding = "either",
    rounding_of: Mapping[str, Rounding] | None = None,
    digits: Mapping[str, int] | None = None,
) -> PublishedRow:
    """A row from its texts.

    Per cent or fractions are told apart by the row: where any figure is above 1 or has a per-cent
    sign, all of them are per cent. ``positives`` below 1 or with a per-cent sign is a share.

    Raises
    ------
    AuditError
        For a column that is no metric, a text that is no number, or counts that cannot be.
    """
    for name in texts:
        if name not in METRICS:
            raise AuditError(f"{model}: unknown column '{name}'. {suggestion(name, COLUMNS)}")
    present = {m: t for m, t in texts.items() if t.strip().casefold() not in ABSENT}
    numbers = [NUMBER.search(text) for text in present.values()]
    percent = any("%" in text for text in present.values()) or any(
        float(found[0].replace(",", ".")) > 1 for found in numbers if found
    )
    figures = {}
    for metric, text in present.items():
        try:
            figures[metric] = figure(
                text,
                percent=percent,
                rounding=(rounding_of or {}).get(metric, rounding),
                digits=(digits or {}).get(metric),
            )
        except AuditError as error:
            raise AuditError(f"{model}: column '{metric}': {error}") from None
    count = _count(model, "n", n)
    share = _share(model, positives)
    known = None if share is not None else _count(model, "positives", positives)
    if share is not None and count is not None and abs(share * count - round(share * count)) < 1e-6:
        known, share = round(share * count), None
    if known is not None and count is not None and not 0 < known < count:
        raise AuditError(
            f"{model}: {known} positives of {count}: at least one of each class is needed."
        )
    return PublishedRow(model, figures, count, known, share, averaging)


def _count(model: str, name: str, text: str) -> int | None:
    plain = text.strip().replace(",", "").replace(" ", "")
    if plain.casefold() in ABSENT:
        return None
    if not plain.isdigit() or int(plain) < 1:
        raise AuditError(f"{model}: column '{name}' is '{text}': expected a whole number from 1.")
    return int(plain)


def _share(model: str, text: str) -> float | None:
    plain = text.strip()
    if not plain.endswith("%") and not re.fullmatch(r"0?\.\d+", plain):
        return None
    try:
        share = float(plain.rstrip("% ")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise AuditError(f"{model}: column 'positives' is '{text}': a share lies between 0 and 1.")
    return share


def read_table(
    lines: Iterable[str], where: str, *, averaging: Averaging = "any", rounding: Rounding = "either"
) -> tuple[PublishedRow, ...]:
    """The rows of a table with columns ``model,n,positives,accuracy,…``; all but one may lack.

    Raises
    ------
    AuditError
        When a column is unknown (near names are told), no metric is there, or a cell is no number.
    """
    reader = csv.DictReader(lines)
    names = reader.fieldnames or []
    for name in names:
        if name not in COLUMNS:
            raise AuditError(f"{where}: unknown column '{name}'. {suggestion(name, COLUMNS)}")
    if not set(names) & set(METRICS):
        raise AuditError(
            f"{where}: holds none of the columns {', '.join(METRICS)}. Write one row a model, as "
            "in: model,n,positives,accuracy,sensitivity,specificity"
        )
    found = []
    for number, row in enumerate(reader, start=2):
        texts = {metric: row.get(metric) or "" for metric in METRICS}
        try:
            found.append(
                published_row(
                    row.get("model") or f"row {number}",
                    texts,
                    n=row.get("n") or "",
                    positives=row.get("positives") or "",
                    averaging=averaging,
                    rounding=rounding,
                )
            )
        except AuditError as error:
            raise AuditError(f"{where}: line {number}: {error}") from None
    if not found:
        raise AuditError(f"{where}: holds no row under its header.")
    return tuple(found)


def read_file(path: Path) -> list[str]:
    """The lines of a table file.

    Raises
    ------
    AuditError
        When it cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as reason:
        raise AuditError(f"{path}: cannot be read as a table ({reason}).") from None
