"""The two WBC segmentation sets, as published and as images and masks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.readers.wbc_seg import TYPES, mask_of
from leukoscope.datasets.reading import read_folder
from leukoscope.datasets.validation import validate
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]


def label(folder: Path, number: int, *lines: str) -> None:
    path = folder / f"Class Labels of Dataset {number}.csv"
    path.write_text("image ID,class label\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("start", ["", "Dataset 1"])
def test_as_published(tmp_path: Path, draw: Draw, start: str) -> None:
    draw(tmp_path, [f"Dataset 1/{n:03d}.{kind}" for n in (1, 2) for kind in ("bmp", "png")])
    label(tmp_path, 1, "1,2", "2,5", "3,1")
    imported = read_folder(tmp_path / start)
    manifest = imported.manifest
    assert list(manifest.column("label")) == ["lymphocyte", "basophil"]
    assert list(manifest.column("source_label")) == ["2", "5"]
    assert set(manifest.column("dataset")) == {"wbc-seg-1"}
    assert imported.passed_over == ()
    for image in manifest.column("image"):
        mask = mask_of(manifest.folder, image)
        assert mask is not None
        assert mask.suffix == ".png"
    assert validate(manifest).ok


def test_images_and_masks(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["dataset2/images/007.png", "dataset2/masks/007.png", "dataset1/images/1.png"])
    manifest = read_folder(tmp_path).manifest
    assert list(manifest.column("image")) == ["dataset1/images/1.png", "dataset2/images/007.png"]
    assert list(manifest.column("dataset")) == ["wbc-seg-1", "wbc-seg-2"]
    assert set(manifest.column("label")) == {""}
    assert "no cell has a label" in manifest.card.notes[-1]
    assert mask_of(manifest.folder, "dataset2/images/007.png") is not None
    assert mask_of(manifest.folder, "dataset1/images/1.png") is None


def test_a_class_out_of_range(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["Dataset 1/001.bmp"])
    label(tmp_path, 1, "1,6")
    with pytest.raises(ManifestError, match="row 2: '1,6'; expected an image number and a class"):
        READERS["wbc-seg"].read(tmp_path)


@pytest.mark.real
def test_the_real_sample(real_data: Path) -> None:
    folder = real_data / "segmentation_wbc"
    imported = read_folder(folder)
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    assert Counter(manifest.column("dataset")) == {"wbc-seg-1": 218, "wbc-seg-2": 71}
    published = {}
    for number in "12":
        with (folder / f"Class Labels of Dataset {number}.csv").open() as file:
            for row in list(csv.reader(file))[1:]:
                published[f"wbc-seg-{number}", int(row[0])] = TYPES[row[1]]
    for row in range(len(manifest)):
        key = (str(manifest.column("dataset")[row]), int(manifest.path(row).stem))
        assert manifest.column("label")[row] == published[key]
        assert mask_of(manifest.folder, str(manifest.column("image")[row])) is not None
    assert validate(manifest).ok


@pytest.mark.real
def test_the_real_copies_are_the_same_pictures(real_data: Path) -> None:
    folder = real_data / "segmentation_wbc"
    first, second = (read_folder(folder / name).manifest for name in ("as_published", "dataset1"))
    pixels = dict(zip(second.column("image"), second.column("pixels_sha256"), strict=True))
    for image, digest in zip(first.column("image"), first.column("pixels_sha256"), strict=True):
        if image.startswith("Dataset 1/"):
            assert pixels[f"images/{Path(image).stem}.png"] == digest
