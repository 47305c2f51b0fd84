"""Small text files beside the images: label tables, lists of slides, centres."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ...errors import ManifestError

__all__ = ["header_of", "table_of", "text_of"]


def text_of(path: Path) -> str:
    """A file's text in UTF-8, a byte order mark taken off.

    Raises
    ------
    ManifestError
        When it cannot be read, or is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as reason:
        raise ManifestError(f"{path}: cannot be read as text in UTF-8: {reason}.") from reason


def table_of(path: Path) -> list[list[str]]:
    """The lines of a CSV as lists of values, the header first; blank lines are left out.

    Raises
    ------
    ManifestError
        When it cannot be read as CSV.
    """
    try:
        rows = csv.reader(io.StringIO(text_of(path), newline=""))
        return [[value.strip() for value in row] for row in rows if row]
    except csv.Error as reason:
        raise ManifestError(f"{path}: cannot be read as a CSV file: {reason}.") from reason


def header_of(path: Path) -> list[str]:
    """The first line of a CSV, or nothing where it cannot be read: to see what a file is."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [name.strip() for name in next(csv.reader([file.readline(1 << 16)]), [])]
    except (OSError, csv.Error):
        return []
