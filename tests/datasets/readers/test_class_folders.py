"""Plain class folders: classes, official parts, subjects from a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.readers.class_folders import class_meaning
from leukoscope.datasets.reading import read_folder
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]
READER = READERS["class-folders"]


def test_classes_at_any_depth_with_names_of_all_kinds(tmp_path: Path, draw: Draw) -> None:
    files = ["ALL/P 1/Zelle ä (1).png", "ALL/P 2/b.png", "normal/c.png", "Größe µm/雪.png"]
    draw(tmp_path / "my set", files)
    imported = read_folder(tmp_path / "my set")
    manifest = imported.manifest
    assert imported.recognised == "class-folders (3 class folders: ALL, Größe µm, normal)"
    assert set(manifest.column("image")) == set(files)
    labels = dict(zip(manifest.column("image"), manifest.column("label"), strict=True))
    assert labels["Größe µm/雪.png"] == "Größe µm"
    assert manifest.card.name == "my-set"
    assert manifest.card.classes == {"ALL": "blast", "Größe µm": "", "normal": "normal"}
    assert "'ALL' for blast" in manifest.card.notes[0]
    assert "Neither blast nor normal: Größe µm" in manifest.card.notes[1]
    assert manifest.card.groups_inferred


def test_train_and_test_are_parts(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["train/all/1.png", "val/all/2.png", "Testing/hem/3.png", "train/hem/4.png"])
    manifest = read_folder(tmp_path).manifest
    assert list(manifest.column("official_split")) == ["test", "train", "train", "validation"]
    assert list(manifest.column("label")) == ["hem", "all", "hem", "all"]


@pytest.mark.parametrize("pattern", [r"(?P<subject>P\d+)_", r"(P\d+)_", r"P\d+(?=_)"])
def test_subjects_from_a_pattern(tmp_path: Path, draw: Draw, pattern: str) -> None:
    draw(tmp_path / "s", ["all/P1_a.png", "all/P12_b.png", "hem/other.png"])
    manifest = read_folder(tmp_path / "s", subject_pattern=pattern).manifest
    assert list(manifest.column("subject")) == ["s:P12", "s:P1", ""] or list(
        manifest.column("subject")
    ) == ["s:P1", "s:P12", ""]
    assert "finds none in 1 images" in manifest.card.notes[-1]
    assert manifest.card.groups_inferred
    (tmp_path / "s/hem/other.png").rename(tmp_path / "s/hem/P3_c.png")
    whole = read_folder(tmp_path / "s", subject_pattern=pattern).manifest
    assert not whole.card.groups_inferred
    assert whole.card.group_note == ""


def test_a_pattern_that_is_none(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["a/1.png", "b/1.png"])
    with pytest.raises(ManifestError, match=r"pattern '\(' is no regular expression: .*Example"):
        read_folder(tmp_path, subject_pattern="(")


def test_folders_that_are_no_classes(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "a", ["images/1.png", "masks/1.png"])
    draw(tmp_path / "b", ["only/1.png", "2.png"])
    assert READER.recognise(tmp_path / "a") is None
    assert READER.recognise(tmp_path / "b") is None


def test_images_outside_every_class_are_counted(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["a/1.png", "b/1.png", "stray.png"])
    imported = read_folder(tmp_path)
    assert imported.passed_over == ("stray.png",)
    assert "1 images lie in no class folder" in imported.manifest.card.notes[-1]


@pytest.mark.parametrize(
    ("label", "meaning"),
    [("ALL", "blast"), ("Blast", "blast"), (" hem ", "normal"), ("platelet", ""), ("0", "")],
)
def test_what_names_say_by_themselves(label: str, meaning: str) -> None:
    assert class_meaning(label) == meaning


@pytest.mark.real
def test_real_class_folders(real_data: Path) -> None:
    imported = read_folder(real_data / "taleghani" / "Original", as_="class-folders")
    assert imported.manifest.card.classes == {
        "Benign": "normal",
        "Early": "",
        "Pre": "",
        "Pro": "",
    }
    assert len(imported.manifest) == 1012
