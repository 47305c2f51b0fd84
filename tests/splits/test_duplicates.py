"""Identical images by hash, nearly identical ones by their pixels; different cells stay apart."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows
from leukoscope.splits.duplicates import compare_pixels, identical, near_identical
from leukoscope.splits.likeness import SIDE, Details, confirm, likely_pairs

CARD = DatasetCard(name="cells")
Picture = np.ndarray


def cell(seed: int, *, size: int = 160, black: bool = False) -> Picture:
    """A made-up cell: a round nucleus with chromatin of its own, red cells around, (size, size, 3).

    With ``black`` everything but the cell is blank, as in C-NMC.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size - 0.5
    chromatin = cv2.GaussianBlur(rng.normal(size=(size, size)), (0, 0), size / 50)
    grain = chromatin / chromatin.std()
    picture = np.empty((size, size, 3))
    picture[:] = 225, 205, 215
    for _ in range(6):
        cx, cy = rng.uniform(-0.5, 0.5, 2)
        picture[np.hypot(x - cx, y - cy) < 0.13] = 205, 160, 165
    inside = np.hypot(x, y * rng.uniform(0.9, 1.1)) < rng.uniform(0.2, 0.24)
    nucleus = np.stack([110 + 18 * grain, 60 + 14 * grain, 140 + 16 * grain], axis=-1)
    picture[inside] = nucleus[inside]
    picture = cv2.GaussianBlur(picture, (0, 0), size / 160)
    picture += rng.normal(scale=2, size=picture.shape)
    if black:
        picture[~inside] = 0
    return np.clip(picture, 0, 255).astype(np.uint8)


def moved(picture: Picture, dx: float, dy: float, degrees: float = 0.0) -> Picture:
    """As if photographed a second time."""
    size = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 1.0)
    matrix[:, 2] += dx * size, dy * size
    return cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REFLECT)


def as_jpeg(picture: Picture, quality: int) -> Picture:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)


GUISES = {
    "saved again": lambda picture: as_jpeg(picture, 50),
    "mirrored": lambda picture: picture[:, ::-1],
    "turned by a right angle": lambda picture: np.rot90(picture),
    "transposed and darker": lambda picture: (picture.transpose(1, 0, 2) * 0.6).astype(np.uint8),
    "smaller": lambda picture: cv2.resize(picture, (100, 100), interpolation=cv2.INTER_AREA),
    "moved": lambda picture: moved(picture, 0.08, -0.05),
    "photographed twice": lambda picture: as_jpeg(moved(picture, 0.02, 0.03, 2.0), 80),
    "another stain": lambda picture: (picture * [0.8, 1.0, 0.9]).astype(np.uint8),
    "out of focus": lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.2),
}


def pairs_of(pictures: list[Picture]) -> set[tuple[int, int]]:
    grey = [
        cv2.resize(cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY), (SIDE, SIDE))
        for p in pictures
    ]
    with details(grey) as given:
        return {(i, j) for i, j, _ in confirm(given, likely_pairs(given))}


def details(grey: Sequence[Picture], sides: Sequence[int] | None = None) -> Details:
    given = Details(len(grey))
    for picture, side in zip(grey, sides or [SIDE] * len(grey), strict=True):
        given.add(picture, side)
    return given


@pytest.mark.parametrize("guise", GUISES)
@pytest.mark.parametrize("black", [False, True], ids=["smear", "black"])
def test_a_picture_is_known_in_another_guise(guise: str, black: bool) -> None:
    pictures = [cell(seed, black=black) for seed in range(6)]
    pictures += [GUISES[guise](picture) for picture in pictures[:3]]
    assert pairs_of(pictures) == {(0, 6), (1, 7), (2, 8)}


@pytest.mark.parametrize("black", [False, True], ids=["smear", "black"])
def test_different_cells_stay_apart(black: bool) -> None:
    assert pairs_of([cell(seed, black=black) for seed in range(150)]) == set()


def test_blank_pictures_are_not_alike() -> None:
    """Else every empty field of every patient would be one group."""
    blank = [np.full((90, 90, 3), value, np.uint8) for value in (0, 128, 128, 255, 255)]
    assert pairs_of(blank) == set()


def test_a_cell_segmented_a_second_time_is_known() -> None:
    picture = cell(3, black=True)
    mask = (picture.max(axis=2) > 0).astype(np.uint8)
    smaller = picture * cv2.erode(mask, np.ones((7, 7), np.uint8))[..., None]
    assert pairs_of([picture, cell(4, black=True), smaller]) == {(0, 2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(4):
        Image.fromarray(cell(seed)).save(tmp_path / f"{seed}.png")
    Image.fromarray(cell(1)[:, ::-1]).save(tmp_path / "mirrored.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


def manifest(folder: Path, *images: str, **columns: list[str]) -> Manifest:
    rows = [{"image": image, "label": "blast"} for image in images]
    for column, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[column] = value
    return manifest_from_rows(rows, CARD, folder)


def test_pairs_of_a_manifest_and_what_was_not_at_hand(folder: Path) -> None:
    data = manifest(folder, *(f"{n}.png" for n in range(4)), "mirrored.png", "broken.png", "no.png")
    found = compare_pixels(data)
    assert [pair[:2] for pair in found.pairs] == [("1.png", "mirrored.png")]
    assert 0.95 < found.pairs[0][2] <= 1
    assert found.skipped == ("broken.png", "no.png")
    turned = data.with_table(data.table.iloc[::-1])
    assert compare_pixels(turned) == found, "the order of rows changes nothing"
    assert near_identical(data) == [["1.png", "mirrored.png"]]


def test_copies_are_known_from_their_parent_and_not_compared(folder: Path) -> None:
    data = manifest(folder, "1.png", "mirrored.png", parent=["", "1.png"])
    assert compare_pixels(data).pairs == ()


def test_boxes_in_one_file_are_never_a_pair(folder: Path) -> None:
    """They are one group anyway, and may overlap."""
    rows = [
        {"image": "1.png", "label": "", "x0": x, "y0": 0, "x1": x + 120, "y1": 160} for x in (0, 10)
    ]
    assert compare_pixels(manifest_from_rows(rows, CARD, folder)).pairs == ()


def test_identical_by_pixels_or_by_file_without_any_image() -> None:
    data = manifest(
        Path("/nowhere"),
        *"abcdef",
        sha256=["1", "2", "2", "3", "", ""],
        pixels_sha256=["p", "p", "", "", "", ""],
    )
    assert identical(data) == [["a", "b", "c"]], "a and b by pixels, b and c by file; not empty"
    boxes = [
        {"image": "f", "label": "", "x0": x, "y0": 0, "x1": 9, "y1": 9, "sha256": "1"}
        for x in (0, 1)
    ]
    assert identical(manifest_from_rows(boxes, CARD, Path())) == [], "one file, two cells"


@pytest.mark.real
def test_cells_of_allidb2_that_were_photographed_twice(real_data: Path) -> None:
    """Facts of the set: these four pairs, and no other, show one cell (seen by eye)."""
    folder = real_data / "allidb2" / "img"
    data = manifest(folder, *sorted(path.name for path in folder.iterdir()))
    assert near_identical(data) == [
        ["Im134_0.tif", "Im245_0.tif"],
        ["Im135_0.tif", "Im244_0.tif"],
        ["Im170_0.tif", "Im209_0.tif"],
        ["Im171_0.tif", "Im211_0.tif"],
    ]


@pytest.mark.real
def test_cells_of_cnmc_that_were_photographed_or_segmented_twice(real_data: Path) -> None:
    """Identical pairs under two subjects, and twins that no hash can see (seen by eye)."""
    folder = real_data / "cnmc" / "as_png"
    images = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    sets = near_identical(manifest(folder, *images))
    assert sorted(sorted(Path(image).stem for image in members) for members in sets) == [
        ["UID_11_4_1_all", "UID_11_5_4_all"],
        ["UID_11_5_2_all", "UID_11_6_6_all"],
        ["UID_H10_1_1_hem", "UID_h3_1_1_hem"],
        ["UID_H10_2_1_hem", "UID_h3_2_1_hem"],
        ["UID_H2_1_1_hem", "UID_H6_1_1_hem"],
        ["UID_H2_1_2_hem", "UID_H6_1_2_hem"],
    ]


@pytest.mark.real
def test_fields_of_taleghani_are_alike_only_within_a_class(real_data: Path) -> None:
    """Byte-identical neighbours in Pro and overlapping fields; each lies within one class."""
    folder = real_data / "taleghani" / "Original"
    images = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    pairs = compare_pixels(manifest(folder, *images)).pairs
    assert len(pairs) >= 70
    assert all(a.split("/")[0] == b.split("/")[0] for a, b, _ in pairs)
    exact = Counter(a.split("/")[0] for a, _, fit in pairs if fit > 0.9999)
    assert set(exact) == {"Pro"}


@pytest.mark.real
def test_normal_cells_of_pbc_stay_apart(real_data: Path) -> None:
    """316 different cells, most of them round and dark."""
    folder = real_data / "pbc"
    images = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    assert len(images) > 300
    assert compare_pixels(manifest(folder, *images)).pairs == ()


def test_likely_pairs_are_found_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    from leukoscope.splits import likeness

    pictures = [cell(seed % 5) for seed in range(12)]
    whole = pairs_of(pictures)
    assert whole == {(i, j) for i, j in itertools.combinations(range(12), 2) if i % 5 == j % 5}
    monkeypatch.setattr(likeness, "CELLS", 24)
    monkeypatch.setattr(likeness, "BLOCK", 2)
    assert pairs_of(pictures) == whole


def test_drawn_cells_of_different_subjects_stay_apart(tmp_path: Path) -> None:
    """Small, round, smooth and on black: the hardest to tell from one another."""
    from leukoscope.datasets.rendered import render_dataset

    drawn = render_dataset("rendered-cnmc", tmp_path / "drawn", images=400, subjects=40, size=32)
    assert compare_pixels(drawn).pairs == ()


def test_an_enlarged_picture_has_no_more_details_than_its_own_pixels() -> None:
    pictures = [cv2.cvtColor(cell(1, size=SIDE), cv2.COLOR_RGB2GRAY)] * 2
    with details(pictures, [SIDE, 450]) as sharp, details(pictures, [32, 24]) as enlarged:
        assert list(sharp.detail_px) == [16, 16]
        assert list(enlarged.detail_px) == [36, 64]
