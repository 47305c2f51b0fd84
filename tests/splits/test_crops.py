"""Crops are found in their fields to the pixel, and nothing else is."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from leukoscope.splits.crops import LARGER, find_crops

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
RNG = np.random.default_rng(11)


def field(height: int = 400, width: int = 500) -> Pixels:
    """Smooth noise: as much detail as a field of cells has."""
    noise = RNG.normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def found(pictures: list[Pixels]) -> list[tuple[int, int, int, int]]:
    shapes = {number: picture.shape[:2] for number, picture in enumerate(pictures)}
    places = find_crops(shapes, pictures.__getitem__)  # type: ignore[arg-type]
    return [(one.crop, one.field, one.x, one.y) for one in places]


def test_crops_are_found_to_the_pixel() -> None:
    first, second = field(), field()
    crops = [first[17:117, 33:133], second[300:400, 400:500], second[0:70, 0:64]]
    assert found([first, second, *crops]) == [(2, 0, 33, 17), (3, 1, 400, 300), (4, 1, 0, 0)]


def test_a_crop_that_was_saved_again_is_found() -> None:
    first = field()
    _, data = cv2.imencode(".jpg", first[50:150, 60:160], [cv2.IMWRITE_JPEG_QUALITY, 75])
    again = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    assert found([first, again]) == [(1, 0, 60, 50)]


def test_what_is_of_no_field_is_not_found() -> None:
    first = field()
    blank, other = np.full((100, 100), 200, np.uint8), field(100, 100)
    assert found([first, blank, other, field(8, 8)]) == []


def test_a_picture_of_nearly_the_size_is_no_crop() -> None:
    first = field(200, 200)
    side = 200 // LARGER + 1
    assert found([first, first[:side, :side]]) == []


def test_what_cannot_be_decoded_is_passed_over() -> None:
    first = field()
    pictures: list[Pixels | None] = [None, first, first[10:110, 20:120]]
    shapes = {0: (800, 800), 1: first.shape[:2], 2: (100, 100)}
    (one,) = find_crops(shapes, pictures.__getitem__)  # type: ignore[arg-type]
    assert (one.crop, one.field, one.x, one.y) == (2, 1, 20, 10)


@pytest.mark.real
def test_cells_of_allidb2_are_found_in_the_fields_of_allidb1(real_data: Path) -> None:
    fields = sorted((real_data / "allidb1" / "im").glob("*.jpg"))
    with (real_data / "allidb2" / "slides.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [path.name for path in fields]
    cells = [real_data / "allidb2" / "img" / row["crop"] for row in rows]
    paths = [*fields, *cells]
    shapes = {number: cv2.imread(str(path), 0).shape[:2] for number, path in enumerate(paths)}
    places = find_crops(shapes, lambda one: np.asarray(cv2.imread(str(paths[one]), 0), np.uint8))
    expected = {
        (row["crop"], row["slide"], int(row["x"]), int(row["y"]))
        for row in rows
        if row["slide"] in names
    }
    assert {(paths[p.crop].name, paths[p.field].name, p.x, p.y) for p in places} == expected
    assert len(expected) == 34
