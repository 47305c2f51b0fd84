"""Augmented copies: their number, their parents, their names; and the files of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows, read_manifest
from leukoscope.datasets.expansion import copy_generator, plan_copies, write_copies
from leukoscope.errors import ManifestError, StorageError
from leukoscope.images.augmentation import Augmentation
from leukoscope.splits.grouping import group

CARD = DatasetCard(name="cells", classes={"blast": "blast", "normal": "normal"})


def cells(blasts: int, normals: int, folder: Path = Path("cells")) -> Manifest:
    rows = [
        {
            "image": f"{label}/{number}.bmp",
            "label": label,
            "subject": f"cells:{label}{number // 3}",
            "group": f"cells:{label}{number // 3}",
            "group_source": "published",
        }
        for label, count in (("blast", blasts), ("normal", normals))
        for number in range(count)
    ]
    return manifest_from_rows(rows, CARD, folder)


def labels_of(manifest: Manifest) -> dict[str, int]:
    return dict(Counter(manifest.column("label")))


@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 20), st.integers(0, 5))
def test_a_factor_multiplies_every_class(blasts: int, normals: int, factor: int, seed: int) -> None:
    planned = plan_copies(cells(blasts, normals), factor=factor, seed=seed)
    expected = {"blast": blasts * factor, "normal": normals * factor}
    assert labels_of(planned) == {label: count for label, count in expected.items() if count}


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(0, 5))
def test_every_class_has_exactly_as_many_images_as_asked(
    blasts: int, normals: int, per_class: int, seed: int
) -> None:
    planned = plan_copies(cells(blasts, normals), per_class=per_class, seed=seed)
    assert labels_of(planned) == {"blast": per_class, "normal": per_class}
    copies = Counter(parent for parent in planned.column("parent") if parent)
    originals = planned.table[planned.table["parent"] == ""]
    for label in ("blast", "normal"):
        shares = [copies[image] for image in originals["image"][originals["label"] == label]]
        assert max(shares) - min(shares) <= 1, "no original is copied more often than another"


@given(st.integers(1, 10), st.integers(1, 10), st.integers(2, 9))
def test_a_copy_has_its_parents_class_subject_and_group(
    blasts: int, normals: int, factor: int
) -> None:
    planned = plan_copies(cells(blasts, normals), factor=factor)
    rows = {key: row for row, key in enumerate(planned.keys)}
    assert len(rows) == len(planned), "names are unique"
    shared = ["label", "source_label", "subject", "group", "group_source", "dataset"]
    for row, parent in enumerate(planned.column("parent")):
        if parent:
            assert planned.table["parent"].iloc[rows[parent]] == "", "a parent is an original"
            assert (
                planned.table[shared]
                .iloc[row]
                .equals(planned.table[shared].iloc[rows[parent]].rename(row))
            )


def test_varol2024_gets_6070_of_each_class() -> None:
    manifest = cells(7272, 3389)
    planned = plan_copies(manifest, per_class=6070)
    assert labels_of(planned) == {"blast": 6070, "normal": 6070}
    copies = planned.column("label")[planned.column("parent") != ""]
    assert dict(Counter(copies)) == {"normal": 6070 - 3389}
    assert "1202 originals were left out" in planned.card.notes[-1]


def test_the_plan_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    manifest = cells(20, 7)
    turned = manifest.with_table(manifest.table.iloc[::-1])
    first = plan_copies(manifest, per_class=15, seed=3)
    assert first.keys == plan_copies(turned, per_class=15, seed=3).keys
    assert first.keys != plan_copies(manifest, per_class=15, seed=4).keys


def test_names_stay_unique_where_only_the_suffix_or_the_box_differs() -> None:
    boxes = [(0, 0, 5, 5), (5, 0, 9, 5)]
    rows = [{"image": image, "label": "blast"} for image in ("a/1.bmp", "a/1.png", "b/1.bmp")]
    for x0, y0, x1, y1 in boxes:
        place = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
        rows.append({"image": "c.jpg", "label": "blast", **place})
    planned = plan_copies(manifest_from_rows(rows, CARD, Path()), factor=2)
    copies = set(planned.column("image")[planned.column("parent") != ""])
    assert copies == {
        "copies/a/1.bmp~001.png",
        "copies/a/1.png~001.png",
        "copies/b/1~001.png",
        "copies/c@0-0-5-5~001.png",
        "copies/c@5-0-9-5~001.png",
    }
    assert planned.boxes[planned.keys.index("copies/c@0-0-5-5~001.png")] is None


def test_rows_without_a_class_get_no_copies() -> None:
    rows = [{"image": "1.png", "label": "blast"}, {"image": "2.png", "label": ""}]
    planned = plan_copies(manifest_from_rows(rows, CARD, Path()), factor=3)
    assert set(planned.column("parent")) == {"", "1.png"}
    assert len(planned) == 4


def test_copies_stay_in_their_parents_group_when_groups_come_later() -> None:
    bare = cells(6, 6).with_columns(subject=[""] * 12, group=[""] * 12, group_source=[""] * 12)
    grouped = group(plan_copies(bare, factor=4), duplicates=False)
    assert Counter(Counter(grouped.column("group")).values()) == {4: 12}


@pytest.mark.parametrize(("factor", "per_class"), [(0, 0), (8, 100), (-1, 0), (2, -5)])
def test_one_positive_number_is_asked_for(factor: int, per_class: int) -> None:
    with pytest.raises(ManifestError, match=r"factor is .* exactly one of them is a positive"):
        plan_copies(cells(2, 2), factor=factor, per_class=per_class)


def test_copies_of_copies_and_sets_without_classes_are_refused() -> None:
    planned = plan_copies(cells(2, 2), factor=2)
    with pytest.raises(ManifestError, match="has augmented copies already"):
        plan_copies(planned, factor=2)
    unlabelled = cells(2, 2).with_columns(label=[""] * 4)
    with pytest.raises(ManifestError, match="no row has a class"):
        plan_copies(unlabelled, factor=2)


def test_an_original_with_a_copys_name_is_named() -> None:
    rows = [{"image": f"{name}.png", "label": "blast"} for name in ("1", "copies/1~001")]
    with pytest.raises(ManifestError, match=r"'copies/1~001\.png' like a copy"):
        plan_copies(manifest_from_rows(rows, CARD, Path()), factor=2)


def test_a_copys_generator_depends_on_its_key_and_the_seed() -> None:
    drawn = [copy_generator(seed, key).random() for seed, key in ((0, "a"), (0, "b"), (1, "a"))]
    assert len(set(drawn)) == 3
    assert copy_generator(0, "a").random() == drawn[0]


@pytest.fixture
def images(tmp_path: Path) -> Manifest:
    """Six images on disk, of which one is no image."""
    rng = np.random.default_rng(0)
    manifest = cells(3, 3, tmp_path / "originals")
    for row in range(len(manifest)):
        path = manifest.path(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    (tmp_path / "originals/normal/2.bmp").write_bytes(b"no image")
    return manifest


MIRROR = Augmentation(flip_horizontal=1.0)
TURN = Augmentation(rotation=30.0, brightness=(0.5, 1.0))


def test_copies_are_written_and_found_again(images: Manifest, tmp_path: Path) -> None:
    planned = plan_copies(images, factor=3)
    written = write_copies(planned, MIRROR, tmp_path / "out")
    assert len(written) == 16, "two copies of the broken image are left out"
    assert "2 copies of 1 unreadable originals" in written.card.notes[-1]
    again = read_manifest(tmp_path / "out" / "manifest.csv")
    assert again.keys == written.keys
    for row, parent in enumerate(again.column("parent")):
        if parent:
            copy = np.asarray(Image.open(again.path(row)))
            original = np.asarray(Image.open(images.folder / parent))
            np.testing.assert_array_equal(copy, original[:, ::-1])
            assert again.column("sha256")[row]


def test_a_copy_on_disk_depends_on_nothing_but_its_key_and_the_seed(
    images: Manifest, tmp_path: Path
) -> None:
    many = plan_copies(images, factor=4)
    one = plan_copies(images.with_table(images.table.iloc[[1]]), factor=2)
    key = next(key for key, parent in zip(one.keys, one.column("parent"), strict=True) if parent)
    for name, plan, seed in (("many", many, 0), ("one", one, 0), ("other", one, 1)):
        write_copies(plan, TURN, tmp_path / name, seed=seed)
    first, second, other = (
        (tmp_path / name / key).read_bytes() for name in ("many", "one", "other")
    )
    assert first == second
    assert first != other


def test_what_cannot_be_written_is_said(
    images: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan_copies(images, factor=2)
    with pytest.raises(ManifestError, match="the plan holds no copies"):
        write_copies(images, MIRROR, tmp_path / "out")
    with pytest.raises(ManifestError, match="this augmentation changes nothing"):
        write_copies(planned, Augmentation(), tmp_path / "out")
    with pytest.raises(ManifestError, match="is not empty"):
        write_copies(planned, MIRROR, tmp_path / "originals")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_copies(planned, MIRROR, tmp_path / "out")


@settings(max_examples=20)
@given(st.permutations(range(8)))
def test_every_row_order_gives_the_same_plan(order: list[int]) -> None:
    manifest = cells(4, 4)
    shuffled = dataclasses.replace(manifest).with_table(manifest.table.iloc[order])
    planned = plan_copies(shuffled, per_class=7)
    assert planned.table.equals(plan_copies(manifest, per_class=7).table)
