"""A table that people wrote as CSV: its rows, or a sentence on what was found instead."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from .errors import LeukoscopeError

__all__ = ["is_missing", "parse_csv", "read_csv"]

EXPECTED = "a CSV file with commas between its columns, in UTF-8, was expected"
SAVE = "Save it as CSV (UTF-8, comma-separated), which every spreadsheet can"
MARKS = ((b"\xff\xfe", "text in UTF-16"), (b"\xfe\xff", "text in UTF-16"))
BINARY = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
)
MISSING = frozenset({"na", "n/a", "nan", "none", "null", "<na>"})
"""How other programs write a name that is not there; here the cell is empty."""
OTHERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def is_missing(name: str) -> bool:
    """Whether a cell holds another program's word for nothing, also behind its data set's name.

    >>> is_missing("NA"), is_missing("allidb2:nan"), is_missing("")
    (True, True, False)
    """
    return name.rpartition(":")[2].strip().casefold() in MISSING


def read_csv(path: Path, error: type[LeukoscopeError]) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, with their numbers from 1, the header first.

    Raises
    ------
    error
        When the file cannot be read, is empty, or is no comma-separated text in UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as reason:
        raise error(
            f"{path}: cannot be read ({reason.strerror or reason}); {EXPECTED}."
        ) from reason
    return parse_csv(data, str(path), error)


def parse_csv(data: bytes, where: str, error: type[LeukoscopeError]) -> list[tuple[int, list[str]]]:
    """As ``read_csv``, of bytes that are at hand; messages begin with ``where``."""
    if not data.strip():
        raise error(f"{where}: the file is empty; {EXPECTED}, its first line a header.")
    for mark, found in (*MARKS, *BINARY):
        if data.startswith(mark):
            raise error(f"{where}: {found} was found; {EXPECTED}. {SAVE}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        if b"\0" in data:
            raise error(f"{where}: binary data was found; {EXPECTED}. {SAVE}.") from reason
        line = data.count(b"\n", 0, reason.start) + 1
        raise error(
            f"{where}: cannot be read as a CSV file in UTF-8: line {line} holds the byte "
            f"0x{data[reason.start]:02x}, as text in another encoding does; {EXPECTED}. {SAVE}."
        ) from reason
    try:
        # Newlines stay as they are: a carriage return inside quotes is part of the value.
        reader = csv.reader(io.StringIO(text, newline=""))
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as reason:
        raise error(
            f"{where}: cannot be read as a CSV file in UTF-8: {reason}; {EXPECTED}. {SAVE}."
        ) from reason
    header = rows[0][1]
    for separator, name in OTHERS.items():
        if len(header) == 1 and separator in header[0]:
            raise error(f"{where}: {name} between the columns were found; {EXPECTED}. {SAVE}.")
    return rows
