"""The resize is Pillow's antialiased one, on zone plates, noise and cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.images.benchmark import psnr, zone_plate
from leukoscope.images.decode import decode
from leukoscope.images.resize import FILTERS, resize, weights

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
PROMISED_DB = 50.0
"""Weights rounded otherwise than Pillow's turn ties, of which black and white patterns are full."""
RNG = np.random.default_rng(3)


def pillow(
    pixels: Pixels, size: tuple[int, int], filter: Image.Resampling = Image.Resampling.BILINEAR
) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), filter))


def patterns(height: int, width: int) -> dict[str, Pixels]:
    plate = zone_plate(height, width)
    return {
        "zone plate": plate,
        "corner": np.ascontiguousarray(zone_plate(2 * height, 2 * width)[height:, width:]),
        "noise": RNG.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "step": np.where(plate > 127, 255, 0).astype(np.uint8),
    }


SIZES = [
    (450, 32), (450, 48), (450, 64), (450, 96), (450, 112), (450, 150), (450, 200), (450, 224),
    (257, 32), (257, 64), (257, 128), (257, 224), (224, 48), (360, 32), (363, 48), (640, 128),
    (1024, 224), (96, 32), (20, 64), (32, 450),
]  # fmt: skip


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize(("length", "out"), SIZES)
def test_it_is_pillows_but_for_a_grey_level_or_two_here_and_there(
    length: int, out: int, name: str
) -> None:
    for pattern, pixels in patterns(length, length).items():
        ours, theirs = resize(pixels, (out, out), name), pillow(pixels, (out, out), FILTERS[name])
        assert np.abs(ours.astype(int) - theirs).max() <= 2, pattern
        assert psnr(ours, theirs) >= PROMISED_DB, pattern


def test_every_size_agrees_with_pillow() -> None:
    for height, width in RNG.integers(20, 700, (60, 2)).tolist():
        rows, columns = RNG.integers(8, 260, 2).tolist()
        pixels = zone_plate(height, width)
        theirs = pillow(pixels, (rows, columns), FILTERS["bicubic"])
        found = psnr(resize(pixels, (rows, columns), "bicubic"), theirs)
        assert found >= PROMISED_DB, (height, width, rows, columns, found)


def test_fields_larger_than_any_cell_are_left_to_pillow() -> None:
    pixels = RNG.integers(0, 256, (40, 5000, 3), dtype=np.uint8)
    assert np.array_equal(resize(pixels, (32, 224)), pillow(pixels, (32, 224)))


def test_sums_are_whole_numbers_that_float32_holds() -> None:
    for length, out in SIZES:
        for name in ("bilinear", "bicubic", "lanczos"):
            units = weights(length, out, name) * 2**15
            assert np.array_equal(units, np.rint(units)), (length, out, name)
            assert (units.sum(axis=1) == 2**15).all(), (length, out, name)
            assert np.abs(units).sum(axis=1).max() * 255 + 2**14 < 2**24, (length, out, name)


def test_real_cells_agree_far_better(real_data: Path) -> None:
    for path in sorted((real_data / "cnmc").rglob("*.bmp"))[:6]:
        pixels = decode(path).pixels
        for out in (32, 48, 224):
            assert psnr(resize(pixels, (out, out)), pillow(pixels, (out, out))) > 58


test_real_cells_agree_far_better = pytest.mark.real(test_real_cells_agree_far_better)


def test_flat_colours_stay_what_they_are() -> None:
    for value in (0, 1, 127, 254, 255):
        flat = np.full((450, 450, 3), value, np.uint8)
        for out in (32, 48, 64, 200, 224):
            assert (resize(flat, (out, out)) == value).all()


def test_axes_and_channels_are_not_mixed_up() -> None:
    pixels = np.zeros((450, 500, 3), np.uint8)
    pixels[:225, :, 0] = 255
    pixels[:, :250, 1] = 255
    for size in ((32, 32), (224, 224), (40, 30)):
        small = resize(pixels, size)
        assert small.shape == (*size, 3)
        assert small[2, -2].tolist() == [255, 0, 0]
        assert small[-2, 2].tolist() == [0, 255, 0]


def test_the_same_size_is_the_same_image() -> None:
    pixels = zone_plate(32, 32)
    assert resize(pixels, (32, 32)) is pixels


def test_nearest_is_pillows_own() -> None:
    pixels = zone_plate(100, 90)
    expected = pillow(pixels, (32, 32), Image.Resampling.NEAREST)
    assert np.array_equal(resize(pixels, (32, 32), "nearest"), expected)


def test_area_is_opencvs() -> None:
    pixels = zone_plate(450, 450)
    expected = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_AREA)
    assert np.array_equal(resize(pixels, (48, 48), "area"), expected)
    # An integer step: the mean of 10 x 10 pixels.
    means = pixels[..., 0].reshape(45, 10, 45, 10).mean(axis=(1, 3))
    assert np.abs(resize(pixels, (45, 45), "area")[..., 0] - means).max() <= 0.5 + 1e-6
    larger = cv2.resize(pixels, (500, 500), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(resize(pixels, (500, 500), "area"), larger)


def test_the_matrix_is_pillows_resize() -> None:
    line = RNG.integers(0, 256, (1, 450), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(line).resize((32, 1), Image.Resampling.BILINEAR))[0]
    # Half a grey level for Pillow's rounding, a hundredth for the rounded weights.
    assert np.abs(weights(450, 32, "bilinear") @ line[0] - expected).max() <= 0.51
