"""A table of whatever origin is read, or it is said what was found instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukoscope.datasets.manifest import read_manifest
from leukoscope.errors import LeukoscopeError, ManifestError
from leukoscope.records.predictions import read_predictions
from leukoscope.tables import read_csv

TEXT = "image,label\na.png,blast\n"


@pytest.mark.parametrize("read", [read_predictions, read_manifest])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (TEXT.encode("utf-16"), "text in UTF-16 was found"),
        (b"PK\x03\x04" + bytes(60), "a zip archive or an Excel workbook was found"),
        (bytes(range(256)), "binary data was found"),
        (TEXT.replace(",", ";").encode(), "semicolons between the columns were found"),
        (TEXT.replace(",", "\t").encode(), "tabs between the columns were found"),
        (b"image,label\n\xe4.png,blast\n", "line 2 holds the byte 0xe4, as text in another"),
    ],
)
def test_what_is_no_csv(
    tmp_path: Path, read: Callable[[Path], Any], content: bytes, found: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(LeukoscopeError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert found in message
    assert "a CSV file with commas between its columns, in UTF-8, was expected" in message


def test_lines_keep_their_numbers_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfimage,label\r\n\r\n"a,\r\nb",x\r\n')
    assert read_csv(path, ManifestError) == [(1, ["image", "label"]), (4, ["a,\r\nb", "x"])]


def test_other_column_names_are_pointed_to_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for header in ("path,diagnosis", "image,diagnosis"):
        path.write_text(f"{header}\na.png,blast\n", encoding="utf-8")
        with pytest.raises(ManifestError, match=r"data read FILE\.csv --as csv --map image=COLUMN"):
            read_manifest(path)
