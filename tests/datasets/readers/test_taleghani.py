"""Taleghani in both namings: twins are paired and are no rows, groups are runs of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.readers.taleghani import number_in_class, segmented_twin
from leukoscope.datasets.reading import read_folder

Draw = Callable[[Path, Iterable[str]], None]
READER = READERS["taleghani"]


def test_originals_are_rows_and_twins_are_not(tmp_path: Path, draw: Draw) -> None:
    names = ["Benign/WBC-Benign-001.jpg", "Early/WBC-Malignant-Early-039.jpg"]
    names += ["Early/WBC-Malignant-Early-040.jpg", "Pro/WBC-Malignant-Pro-041.jpg"]
    draw(tmp_path / "Original", names)
    draw(tmp_path / "Segmented", names[:2])
    imported = read_folder(tmp_path)
    manifest = imported.manifest
    assert imported.recognised == "taleghani (4 images WBC-…-NNN, 2 segmented twins)"
    assert imported.passed_over == ()
    assert list(manifest.column("label")) == ["benign", "early", "early", "pro"]
    assert list(manifest.binary_labels()) == ["normal", "blast", "blast", "blast"]
    assert list(manifest.column("source_label")) == [
        "Benign",
        "Malignant-Early",
        "Malignant-Early",
        "Malignant-Pro",
    ]
    assert list(manifest.column("group")) == [
        "taleghani:benign-0000",
        "taleghani:early-0020",
        "taleghani:early-0040",
        "taleghani:pro-0040",
    ]
    assert set(manifest.column("group_source")) == {"inferred"}
    twins = [segmented_twin(manifest.folder, image) for image in manifest.column("image")]
    assert [twin is not None for twin in twins] == [True, True, False, False]
    inside = read_folder(tmp_path / "Original").manifest
    assert segmented_twin(inside.folder, "Benign/WBC-Benign-001.jpg") == (
        tmp_path / "Segmented/Benign/WBC-Benign-001.jpg"
    )
    assert segmented_twin(tmp_path / "Segmented", "Benign/WBC-Benign-001.jpg") is None


def test_only_segmented_images_are_rows_that_say_so(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["Segmented/Pre/WBC-Malignant-Pre-003.jpg"])
    manifest = read_folder(tmp_path).manifest
    assert list(manifest.column("label")) == ["pre"]
    assert "Only segmented images" in manifest.card.notes[-1]


def test_missing_numbers_do_not_shift_the_runs(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, [f"Original/Pro/WBC-Malignant-Pro-{n:03d}.jpg" for n in range(1, 61)])
    whole = READER.read(tmp_path)
    for number in (3, 4, 5, 30):
        (tmp_path / f"Original/Pro/WBC-Malignant-Pro-{number:03d}.jpg").unlink()
    part = READER.read(tmp_path)
    groups = dict(zip(whole.column("image"), whole.column("group"), strict=True))
    assert Counter(groups.values()) == {
        "taleghani:pro-0000": 19,
        "taleghani:pro-0020": 20,
        "taleghani:pro-0040": 20,
        "taleghani:pro-0060": 1,
    }
    for image, group in zip(part.column("image"), part.column("group"), strict=True):
        assert groups[image] == group


def test_four_class_folders(tmp_path: Path, draw: Draw) -> None:
    top = "Blood cell Cancer [ALL]"
    draw(
        tmp_path,
        [
            f"{top}/Benign/Sap_013 (1).jpg",
            f"{top}/[Malignant] early Pre-B/Sap_148 (1).jpg",
            f"{top}/[Malignant] Pre-B/Snap_001.jpg",
            f"{top}/[Malignant] Pro-B/Snap_001.jpg",
        ],
    )
    manifest = read_folder(tmp_path).manifest
    assert manifest.card.name == "taleghani-4class"
    assert manifest.card.image_size == (1024, 768)
    assert set(manifest.column("dataset")) == {"taleghani-4class"}
    found = zip(manifest.column("label"), manifest.column("group"), strict=True)
    assert list(found) == [
        ("benign", "taleghani-4class:benign-0000"),
        ("pre", "taleghani-4class:pre-0000"),
        ("pro", "taleghani-4class:pro-0000"),
        ("early", "taleghani-4class:early-0140"),
    ]
    assert list(manifest.binary_labels()) == ["normal", "blast", "blast", "blast"]


def test_benign_alone_is_anybodys_folder(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["Benign/1.jpg", "Malignant/1.jpg"])
    assert READER.recognise(tmp_path) is None
    assert read_folder(tmp_path).recognised.startswith("class-folders")


@pytest.mark.parametrize(
    ("image", "number"),
    [
        ("Original/Pro/WBC-Malignant-Pro-041.jpg", 41),
        ("Benign/Sap_013 (2).jpg", 13),
        ("Benign/Snap_001 - Copy (3).jpg", 1),
        ("Benign/7.jpg", 7),
        ("Benign/unnumbered.jpg", None),
    ],
)
def test_number_in_class(image: str, number: int | None) -> None:
    assert number_in_class(image) == number


def test_an_unnumbered_field_stays_with_its_like(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["[Malignant] Pro-B/one.jpg", "[Malignant] Pro-B/two.jpg"])
    assert set(READER.read(tmp_path).column("group")) == {"taleghani-4class:pro-unnumbered"}


@pytest.mark.real
def test_the_real_sample(real_data: Path) -> None:
    imported = read_folder(real_data / "taleghani")
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    counts = {
        folder.name.lower(): len(list(folder.iterdir()))
        for folder in (real_data / "taleghani" / "Original").iterdir()
    }
    assert counts == {"benign": 157, "early": 306, "pre": 299, "pro": 250}
    assert Counter(manifest.column("label")) == counts
    # Runs of 20 from number 1 on: ceil((n + 1) / 20) a class where no number is missing.
    expected = sum((count + 20) // 20 for count in counts.values())
    assert len(set(manifest.column("group"))) == expected == 8 + 16 + 15 + 13
    twins = [segmented_twin(manifest.folder, image) for image in manifest.column("image")]
    assert sum(twin is not None for twin in twins) == 86
    assert len(set(manifest.column("pixels_sha256"))) < len(manifest)
