"""SN-AM in the documented layout: raw fields are rows, masks are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from leukoscope.datasets import READERS
from leukoscope.datasets.readers.snam import masks_of
from leukoscope.datasets.reading import read_folder

Draw = Callable[[Path, Iterable[str]], None]


def test_fields_with_masks_beside_them(tmp_path: Path, draw: Draw) -> None:
    names = [f"B-ALL/B-ALL_{n:03d}" for n in (1, 2, 10)] + ["MM/MM_001"]
    parts = ("", "_nucleus", "_cytoplasm", "_background")
    draw(tmp_path, [f"{name}{part}.bmp" for name in names for part in parts])
    imported = read_folder(tmp_path)
    manifest = imported.manifest
    assert imported.recognised == "snam (3 B-ALL and 1 MM fields, 12 masks)"
    assert imported.passed_over == ()
    assert list(manifest.column("image")) == [f"{name}.bmp" for name in names]
    assert list(manifest.column("label")) == ["b-all"] * 3 + ["mm"]
    assert list(manifest.column("source_label")) == ["B-ALL"] * 3 + ["MM"]
    assert list(manifest.binary_labels()) == ["blast"] * 3 + [""]
    assert [path.name for path in masks_of(manifest.folder, "B-ALL/B-ALL_001.bmp")] == [
        "B-ALL_001_background.bmp",
        "B-ALL_001_cytoplasm.bmp",
        "B-ALL_001_nucleus.bmp",
    ]


def test_masks_in_folders_of_their_own(tmp_path: Path, draw: Draw) -> None:
    draw(
        tmp_path,
        [
            "SN-AM/B-ALL/1.bmp",
            "SN-AM/B-ALL/10.bmp",
            "SN-AM/B-ALL/Nucleus masks/1.bmp",
            "SN-AM/B-ALL/Nucleus masks/10.bmp",
            "SN-AM/MM/1.bmp",
        ],
    )
    imported = read_folder(tmp_path)
    assert list(imported.manifest.column("image")) == [
        "SN-AM/B-ALL/1.bmp",
        "SN-AM/B-ALL/10.bmp",
        "SN-AM/MM/1.bmp",
    ]
    assert imported.passed_over == ()
    found = masks_of(tmp_path, "SN-AM/B-ALL/1.bmp")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "SN-AM/B-ALL/Nucleus masks/1.bmp"
    ]


def test_the_card_says_that_nobody_is_healthy(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["B-ALL/a.bmp"])
    card = READERS["snam"].read(tmp_path).card
    assert card.normal_means == "nothing: the set has no healthy class"
    assert card.classes == {"b-all": "blast", "mm": ""}


def test_a_class_tree_of_another_kind_is_not_taken(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["MM/1.png", "healthy/1.png"])
    assert READERS["snam"].recognise(tmp_path) is None
    draw(tmp_path / "2", ["summary/1.bmp", "BALLS/1.bmp"])
    assert READERS["snam"].recognise(tmp_path / "2") is None
