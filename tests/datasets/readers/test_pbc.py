"""PBC as folders and as the zipped pack."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.reading import read_folder
from leukoscope.files import cache_folder

Draw = Callable[[Path, Iterable[str]], None]


def test_classes_and_finer_names(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["ig/MMY_12.jpg", "lymphocyte/LY_1.jpg", "neutrophil/BNE_7.jpg", "ig/x.jpg"])
    imported = read_folder(tmp_path)
    manifest = imported.manifest
    assert list(manifest.column("label")) == ["ig", "lymphocyte", "neutrophil"]
    assert list(manifest.column("source_label")) == ["MMY", "LY", "BNE"]
    assert list(manifest.binary_labels()) == ["", "normal", ""]
    assert imported.passed_over == ("ig/x.jpg",)


def test_cell_types_under_other_names_are_plain_classes(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["lymphocyte/1.jpg", "monocyte/1.jpg"])
    assert READERS["pbc"].recognise(tmp_path) is None


@pytest.mark.real
def test_the_real_folders(real_data: Path) -> None:
    imported = read_folder(real_data / "pbc")
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    counts = {
        folder.name: len(list(folder.iterdir()))
        for folder in (real_data / "pbc").iterdir()
        if folder.is_dir()
    }
    assert Counter(manifest.column("label")) == counts
    assert (sum(counts.values()), counts["lymphocyte"]) == (316, 180)


@pytest.mark.real
def test_the_real_pack(real_data: Path) -> None:
    pack = real_data / "pbc" / "pbc_96.zip"
    manifest = read_folder(pack, hash_pixels=False).manifest
    with zipfile.ZipFile(pack) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
    assert set(manifest.column("image")) == set(names)
    assert len(manifest) == 9000
    assert Counter(manifest.column("label")) == Counter(name.split("/")[1] for name in names)
    assert manifest.folder.is_relative_to(cache_folder())
