"""Any CSV: columns mapped, faults named with file, row and remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets.reading import read_folder
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]
MAP = {"image": "path", "label": "diagnosis"}


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    draw(tmp_path, ["img/a b.png", "img/ü.png", "img/c.png"])
    return tmp_path


def write(folder: Path, text: str, name: str = "cells.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_mapped(folder: Path) -> None:
    table = write(
        folder,
        "path,diagnosis,patient,age\nimg/a b.png,ALL,7,3\n./img//ü.png,healthy,8,4\n"
        "img/c.png,,8,\n",
    )
    imported = read_folder(table, "csv", mapping=MAP | {"subject": "patient"})
    manifest = imported.manifest
    assert list(manifest.column("image")) == ["img/a b.png", "img/c.png", "img/ü.png"]
    assert list(manifest.column("label")) == ["ALL", "", "healthy"]
    assert list(manifest.column("subject")) == ["cells:7", "cells:8", "cells:8"]
    assert list(manifest.binary_labels()) == ["blast", "", "normal"]
    assert all(manifest.column("pixels_sha256"))
    assert not manifest.card.groups_inferred
    assert imported.recognised == "csv (a table)"


def test_the_folder_of_the_table_may_be_named(folder: Path) -> None:
    write(folder, "path,diagnosis\nimg/c.png,ALL\n")
    assert len(read_folder(folder, "csv", mapping=MAP).manifest) == 1
    write(folder, "x,y\n1,2\n", "other.csv")
    with pytest.raises(ManifestError, match=r"one CSV was expected, found cells.csv, other.csv"):
        read_folder(folder, "csv", mapping=MAP)


def test_a_table_with_our_names_is_recognised(folder: Path) -> None:
    write(folder, "image,label,stain\nimg/c.png,blast,MGG\n")
    imported = read_folder(folder)
    assert imported.recognised.startswith("csv")
    assert imported.passed_over == ("img/a b.png", "img/ü.png")


def test_boxes_and_a_subject_pattern(folder: Path) -> None:
    table = write(folder, "image,label,x0,y0,x1,y1\nimg/c.png,blast,1,2,5,6.0\nimg/c.png,,,,,\n")
    manifest = read_folder(table, "csv", subject_pattern=r"img/(\w)").manifest
    assert manifest.keys == ("img/c.png", "img/c.png#1,2,5,6")
    assert set(manifest.column("subject")) == {"cells:c"}


def test_a_manifest_is_read_as_what_it_is(folder: Path) -> None:
    table = write(folder, "image,label,group,group_source\nimg/c.png,blast,g,published\n")
    imported = read_folder(table)
    assert imported.recognised == "manifest"
    assert imported.manifest.column("group")[0] == "g"
    assert imported.manifest.column("pixels_sha256")[0]


def test_images_that_are_not_there_are_listed(folder: Path) -> None:
    table = write(folder, "image,label\nimg/c.png,blast\nimg/none.png,blast\n")
    imported = read_folder(table)
    assert len(imported.manifest) == 1
    assert imported.failures == (("img/none.png", "there is no such file."),)


@pytest.mark.parametrize(
    ("text", "mapping", "sentence"),
    [
        (
            "path,diagnosis\n",
            {"image": "pth"},
            "the table has no column 'pth'. Did you mean 'path'",
        ),
        ("a,b\n", {"imag": "a"}, "--map imag=a: the manifest has no column 'imag'. Did you mean"),
        ("path,label\n", {}, "no column 'image'; found path, label. Say which one it is: --map"),
        ("image,diagnosis\n", {}, "no column 'label'; found image, diagnosis"),
        ("image,label\n", {}, "the table has a header and no rows"),
        ("", {}, "the file is empty; a CSV file with commas"),
        ("image,label\na.png\n", {}, "row 2: 1 values, but the header names 2"),
        ("image,label\n,x\n", {}, "row 2: the image is empty"),
        ("image,label\na.png,NaN\n", {}, "row 2: the label is 'NaN'; leave the cell empty"),
        ("image,label\n/a.png,x\n", {}, "row 2: image '/a.png' is an absolute path"),
        ("image,label\na.png,x\n../b.png,x\n", {}, "row 3: image '../b.png' leads outside"),
        ("image,label\nD:\\b.png,x\n", {}, "is a Windows path"),
        ("image,label\nb.png,x\na.png,x\nb.png,y\n", {}, "row 4 repeats row 2 ('b.png')"),
        ("image,label,x0\nb.png,x,one\n", {}, "row 2: x0 is 'one'; a whole number of pixels"),
    ],
)
def test_refusals(folder: Path, text: str, mapping: dict[str, str], sentence: str) -> None:
    table = write(folder, text)
    with pytest.raises(ManifestError) as caught:
        read_folder(table, "csv", mapping=mapping)
    assert sentence in str(caught.value)
    assert "cells.csv" in str(caught.value) or "--map" in str(caught.value)


def test_a_table_that_is_no_text(folder: Path) -> None:
    (folder / "cells.csv").write_bytes(b"image,label\na.png,\xff\xfe\n")
    with pytest.raises(ManifestError, match="cannot be read as a CSV file in UTF-8"):
        read_folder(folder / "cells.csv", "csv")
