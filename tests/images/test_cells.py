"""Crops to the cell, on drawn cells and on real ones with their masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from leukoscope.images.cells import cell_box, crop_cell, crop_centre
from leukoscope.images.decode import decode

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def smear(height: int = 200, width: int = 240) -> Pixels:
    image = np.full((height, width, 3), (200, 195, 180), np.uint8)
    cv2.circle(image, (40, 40), 25, (185, 140, 140), -1)  # a red cell
    return image


def test_the_nucleus_is_found_among_red_cells() -> None:
    image = smear()
    cv2.circle(image, (150, 110), 30, (90, 40, 130), -1)
    assert cell_box(image, margin=0, square=False) == pytest.approx((120, 80, 181, 141), abs=2)


def test_of_two_equal_nuclei_the_central_one_is_meant() -> None:
    image = smear()
    cv2.circle(image, (120, 100), 25, (90, 40, 130), -1)
    cv2.circle(image, (220, 180), 28, (90, 40, 130), -1)
    assert cell_box(image, margin=0, square=False) == pytest.approx((95, 75, 146, 126), abs=2)


def test_on_black_whatever_is_not_black_is_the_cell() -> None:
    image = np.zeros((450, 450, 3), np.uint8)
    cv2.ellipse(image, (250, 200), (90, 60), 0, 0, 360, (60, 20, 70), -1)
    cv2.circle(image, (20, 430), 3, (200, 200, 200), -1)
    assert cell_box(image, margin=0, square=False) == pytest.approx((160, 140, 341, 261), abs=3)
    x0, y0, x1, y1 = cell_box(image, margin=0.1)
    assert x1 - x0 == y1 - y0 == pytest.approx(181 * 1.2, abs=5)


def test_the_square_is_moved_into_the_image_and_cut_where_it_must_be() -> None:
    image = np.zeros((60, 200, 3), np.uint8)
    image[:, 150:200] = 90
    assert cell_box(image, margin=0.5) == (80, 0, 200, 60)
    assert crop_cell(image, margin=0.5).shape == (60, 120, 3)


def test_without_a_cell_the_image_stays_whole() -> None:
    for empty in (np.zeros((50, 50, 3), np.uint8), np.full((50, 50, 3), 230, np.uint8)):
        assert cell_box(empty) is None
        assert crop_cell(empty) is empty


def test_the_centre_is_a_square_share_of_the_shorter_side() -> None:
    image = np.arange(100 * 60 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 60, 3)
    assert np.array_equal(crop_centre(image, 1.0), image[20:80])
    assert np.array_equal(crop_centre(image, 0.5), image[35:65, 15:45])


@pytest.mark.real
def test_real_cells_lie_in_their_crops(real_data: Path) -> None:
    masks = {path.stem: path for path in (real_data / "allidb2" / "masks").rglob("*.*")}
    kept, overlaps = [], []
    for path in sorted((real_data / "allidb2" / "img").glob("*.tif")):
        mask = decode(masks[path.stem]).pixels
        pixels = decode(path).pixels
        if mask.shape != pixels.shape:
            continue
        nucleus = (mask[..., 0] < 128) & (mask[..., 1] > 128) & (mask[..., 2] > 128)
        x0, y0, x1, y1 = cell_box(pixels, margin=0.1) or (0, 0, 0, 0)
        kept.append(nucleus[y0:y1, x0:x1].sum() / nucleus.sum())
        box = np.zeros_like(nucleus)
        x0, y0, x1, y1 = cell_box(pixels, margin=0, square=False) or (0, 0, 0, 0)
        box[y0:y1, x0:x1] = True
        truth = np.zeros_like(nucleus)
        rows, columns = np.flatnonzero(nucleus.any(1)), np.flatnonzero(nucleus.any(0))
        truth[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        overlaps.append((box & truth).sum() / (box | truth).sum())
    assert len(kept) > 150
    # Measured: 0.99 and 0.93.
    assert np.median(kept) > 0.98
    assert np.mean(np.array(kept) > 0.9) > 0.93
    assert np.median(overlaps) > 0.88
