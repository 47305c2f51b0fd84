"""PCam: patches out of HDF5 (plain and gzip), slides from the meta table, loose samples."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import READERS
from leukoscope.datasets.reading import read_folder
from leukoscope.datasets.validation import validate
from leukoscope.errors import ManifestError, MissingExtraError
from leukoscope.files import cache_folder

h5py = pytest.importorskip("h5py")
Draw = Callable[[Path, Iterable[str]], None]
HEAD = "camelyonpatch_level_2_split_"


def write(folder: Path, part: str, count: int, *, meta: bool = True) -> np.ndarray:
    """HDF5 as published: x (n, 96, 96, 3) uint8 and y (n, 1, 1, 1)."""
    folder.mkdir(exist_ok=True, parents=True)
    rng = np.random.default_rng(count)
    pixels = rng.integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)
    labels = (np.arange(count) % 2).astype(np.uint8).reshape(-1, 1, 1, 1)
    for name, data in (("x", pixels), ("y", labels)):
        with h5py.File(folder / f"{HEAD}{part}_{name}.h5", "w") as file:
            file[name] = data
    if meta:
        lines = ["coord_y,coord_x,tumor_patch,center_tumor_patch,wsi"]
        lines += [f"1,2,True,True,camelyon16_{part}_{n // 3:03d}" for n in range(count)]
        (folder / f"{HEAD}{part}_meta.csv").write_text("\n".join(lines) + "\n")
    return pixels


def test_patches_are_written_once_and_are_the_hdf5s(tmp_path: Path) -> None:
    pixels = {part: write(tmp_path, part, count) for part, count in (("train", 7), ("test", 4))}
    imported = read_folder(tmp_path)
    manifest = imported.manifest
    assert imported.recognised == "pcam (HDF5 files of test, train)"
    assert Counter(manifest.column("official_split")) == {"train": 7, "test": 4}
    for row in range(len(manifest)):
        number, label = manifest.path(row).stem.split("_")
        part = manifest.column("official_split")[row]
        with Image.open(manifest.path(row)) as image:
            assert np.array_equal(np.asarray(image), pixels[part][int(number)])
        assert manifest.column("label")[row] == ("no-tumour", "tumour")[int(label)]
        assert int(label) == int(number) % 2
        slide = f"pcam:camelyon16_{part}_{int(number) // 3:03d}"
        assert manifest.column("subject")[row] == slide
    assert not manifest.card.groups_inferred
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "patches").rglob("*.png")}
    again = read_folder(tmp_path)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "patches").rglob("*.png")} == before
    assert again.manifest.sha256 == manifest.sha256
    assert again.passed_over == ()
    assert validate(manifest).ok


def test_gzip_and_no_meta_table(tmp_path: Path) -> None:
    write(tmp_path, "valid", 5, meta=False)
    for path in list(tmp_path.iterdir()):
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
    manifest = read_folder(tmp_path).manifest
    assert set(manifest.column("official_split")) == {"validation"}
    assert set(manifest.column("subject")) == {""}
    assert manifest.card.groups_inferred
    assert "slides are not known" in manifest.card.group_note
    assert list((cache_folder() / "unpacked").rglob(f"{HEAD}valid_x.h5"))


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "train", 3)
    real = Path.mkdir

    def refuse(self: Path, *args: Any, **options: Any) -> None:
        if self == tmp_path / "patches":
            raise PermissionError(13, "Permission denied")
        real(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    manifest = read_folder(tmp_path).manifest
    assert len(manifest) == 3
    assert manifest.folder.is_relative_to(cache_folder())


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    write(tmp_path / "a", "train", 6)
    write(tmp_path / "b", "train", 4)
    os.replace(tmp_path / f"b/{HEAD}train_y.h5", tmp_path / f"a/{HEAD}train_y.h5")
    with pytest.raises(ManifestError, match=r"6 patches, 4 labels, 6 slides .* do not belong"):
        read_folder(tmp_path / "a")
    (tmp_path / f"a/{HEAD}train_y.h5").unlink()
    with pytest.raises(ManifestError, match=rf"its labels are missing; expected {HEAD}train_y.h5"):
        read_folder(tmp_path / "a")


def test_damaged_hdf5_and_meta(tmp_path: Path) -> None:
    write(tmp_path, "train", 3)
    (tmp_path / f"{HEAD}train_meta.csv").write_text("slide\n1\n")
    with pytest.raises(ManifestError, match="no column 'wsi'; found"):
        read_folder(tmp_path)
    (tmp_path / f"{HEAD}train_meta.csv").unlink()
    (tmp_path / f"{HEAD}train_x.h5").write_bytes(b"not HDF5")
    with pytest.raises(ManifestError, match="cannot be read as PCam's HDF5"):
        read_folder(tmp_path)


def test_damaged_gzip(tmp_path: Path) -> None:
    write(tmp_path, "train", 3)
    (tmp_path / f"{HEAD}train_x.h5").unlink()
    (tmp_path / f"{HEAD}train_x.h5.gz").write_bytes(b"\x1f\x8b and then nothing")
    with pytest.raises(ManifestError, match="cannot be unpacked as gzip"):
        read_folder(tmp_path)


def test_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "train", 2)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"PCam's HDF5 files needs the extra 'train'"):
        read_folder(tmp_path)


def test_loose_patches_only_where_the_folder_says_pcam(tmp_path: Path, draw: Draw) -> None:
    files = ["a/image1_0.jpg", "a/image2_1.jpg", "b/ornek-belirsiz.png", "b/ornek-kanserli-1.png"]
    draw(tmp_path / "pcam", [*files, "b/ornek-saglikli-2.png"])
    manifest = read_folder(tmp_path / "pcam").manifest
    assert list(manifest.column("label")) == ["no-tumour", "tumour", "", "tumour", "no-tumour"]
    draw(tmp_path / "other", files)
    assert READERS["pcam"].recognise(tmp_path / "other") is None


@pytest.mark.real
def test_the_real_sample(real_data: Path) -> None:
    imported = read_folder(real_data / "pcam")
    labels = Counter(imported.manifest.column("label"))
    assert labels == {"tumour": 8, "no-tumour": 6, "": 1}
    assert imported.failures == imported.passed_over == ()
