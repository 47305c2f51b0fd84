"""A manifest against its files: each image stands in the one list that fits it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import Manifest, join, read_manifest, write_manifest
from leukoscope.datasets.reading import read_folder
from leukoscope.datasets.validation import validate


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (9, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for number in range(8):
        draw(tmp_path / "set" / ("all", "hem")[number % 2] / f"{number}.png", number)
    return read_folder(tmp_path / "set").manifest


def test_all_is_well(manifest: Manifest, tmp_path: Path) -> None:
    outcome = validate(manifest)
    assert outcome.ok
    assert outcome.published == 0
    write_manifest(manifest, tmp_path / "m.csv")
    assert validate(read_manifest(tmp_path / "m.csv")).ok


def test_everything_is_named_once(manifest: Manifest) -> None:
    folder = manifest.folder
    (folder / "all/0.png").unlink()
    draw(folder / "hem/new.png", 99)
    (folder / "hem/broken.png").write_bytes(b"no image")
    (folder / "all/2.png").write_bytes((folder / "all/2.png").read_bytes()[:60])
    draw(folder / "hem/1.png", 77)
    outcome = validate(manifest)
    assert outcome.missing == ("all/0.png",)
    assert outcome.extra == ("hem/new.png",)
    assert outcome.unreadable == ("all/2.png", "hem/broken.png")
    assert outcome.changed == ("hem/1.png",)
    assert outcome.reasons["hem/1.png"] == "the file is not the one that was imported"
    assert "truncated or damaged" in outcome.reasons["all/2.png"]
    assert set(outcome.reasons) == {"hem/1.png", "all/2.png", "hem/broken.png"}
    assert not outcome.ok


def test_without_hashes_images_are_decoded(manifest: Manifest) -> None:
    bare = manifest.with_columns(sha256=[""] * len(manifest))
    (manifest.folder / "all/2.png").write_bytes(b"no image")
    outcome = validate(bare)
    assert outcome.unreadable == ("all/2.png",)
    assert outcome.changed == ()


def test_a_folder_that_is_gone(manifest: Manifest) -> None:
    shutil.rmtree(manifest.folder)
    outcome = validate(manifest)
    assert outcome.missing == tuple(sorted(manifest.column("image")))
    assert outcome.extra == ()


def test_joined_sets_are_looked_at_one_by_one(manifest: Manifest, tmp_path: Path) -> None:
    for number in range(2):
        draw(tmp_path / "second" / "ab"[number] / "1.png", 50 + number)
    draw(tmp_path / "unrelated.png", 9)
    both = join([manifest, read_folder(tmp_path / "second").manifest])
    assert validate(both).ok
    draw(tmp_path / "second/a/2.png", 60)
    assert validate(both).extra == ("second/a/2.png",)


@pytest.mark.real
def test_a_real_copy_is_verified_file_by_file(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "cnmc" / "C-NMC_training_data"
    for path in source.rglob("*.bmp"):
        target = tmp_path / "copy" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    name = "fold_0/all/UID_11_10_1_all.bmp"
    data = bytearray((tmp_path / "copy" / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / "copy" / name).write_bytes(data)
    # Altered before it was imported: only the published hash can tell.
    outcome = validate(read_folder(tmp_path / "copy").manifest)
    assert outcome.published == 12
    assert outcome.changed == (name,)
    assert outcome.reasons[name] == "the file differs from the published one"
    untouched = validate(read_folder(source).manifest)
    assert untouched.ok
    assert untouched.published == 12


@pytest.mark.real
@pytest.mark.parametrize("folder", ["taleghani", "allidb2", "bccd", "cnmc", "segmentation_wbc"])
def test_real_companions_are_not_extra(real_data: Path, folder: str) -> None:
    assert validate(read_folder(real_data / folder, hash_pixels=False).manifest).ok
