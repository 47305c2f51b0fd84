"""The resize is Pillow's antialiased one to 45 dB, on zone plates, noise and cells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.images.benchmark import psnr, zone_plate
from leukoscope.images.decode import decode
from leukoscope.images.resize import plan, resize, triangle_matrix

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
PROMISED_DB = 45.0
RNG = np.random.default_rng(3)


def pillow(pixels: Pixels, size: tuple[int, int], filter: int = 2) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), filter))


def patterns(height: int, width: int) -> dict[str, Pixels]:
    plate = zone_plate(height, width)
    return {
        "zone plate": plate,
        "corner": np.ascontiguousarray(zone_plate(2 * height, 2 * width)[height:, width:]),
        "noise": RNG.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "step": np.where(plate > 127, 255, 0).astype(np.uint8),
    }


FAST = [
    (450, 32), (450, 48), (450, 64), (450, 96), (450, 112), (450, 150), (450, 224),
    (257, 32), (257, 48), (257, 64), (257, 128), (224, 32), (224, 48), (224, 112),
    (360, 32), (363, 48), (640, 128), (300, 96), (1024, 224), (96, 32), (96, 48),
]  # fmt: skip


@pytest.mark.parametrize(("length", "out"), FAST)
def test_the_fast_ways_agree_with_pillow(length: int, out: int) -> None:
    found = {}
    for name, pixels in patterns(length, length).items():
        found[name] = psnr(resize(pixels, (out, out)), pillow(pixels, (out, out)))
    assert min(found.values()) >= PROMISED_DB, (plan(length, length, out, out).kind, found)


@pytest.mark.parametrize(("length", "out"), [(450, 224), (450, 32), (450, 48), (257, 32)])
def test_the_sizes_of_the_papers_take_a_fast_way(length: int, out: int) -> None:
    assert plan(length, length, out, out).kind in ("spline", "pyramid")


def test_every_size_agrees_with_pillow() -> None:
    for height, width in RNG.integers(20, 700, (60, 2)).tolist():
        out = int(RNG.integers(8, 260))
        pixels = zone_plate(height, width)
        found = psnr(resize(pixels, (out, out)), pillow(pixels, (out, out)))
        assert found >= PROMISED_DB, (height, width, out, plan(height, width, out, out).kind, found)


def test_where_45_db_could_not_be_kept_it_is_pillows_own() -> None:
    for length, out in [(450, 200), (257, 224), (20, 64), (3000, 224)]:
        assert plan(length, length, out, out).kind == "exact"
    pixels = zone_plate(450, 450)
    assert np.array_equal(resize(pixels, (200, 200)), pillow(pixels, (200, 200)))


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


@pytest.mark.parametrize(("name", "filter"), [("bicubic", 3), ("lanczos", 1), ("nearest", 0)])
def test_other_filters_are_pillows(name: str, filter: int) -> None:
    pixels = zone_plate(100, 90)
    assert np.array_equal(resize(pixels, (32, 32), name), pillow(pixels, (32, 32), filter))


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
    expected = np.asarray(Image.fromarray(line).resize((32, 1), 2))[0]
    assert np.abs(triangle_matrix(450, 32) @ line[0] - expected).max() <= 0.51


def test_without_opencv_it_is_pillows_own() -> None:
    program = (
        "import sys; sys.modules['cv2'] = None\n"
        "import numpy as np; from PIL import Image\n"
        "from leukoscope.images.resize import resize\n"
        "p = np.random.default_rng(0).integers(0, 256, (450, 450, 3), dtype=np.uint8)\n"
        "q = np.asarray(Image.fromarray(p).resize((224, 224), 2))\n"
        "assert np.array_equal(resize(p, (224, 224)), q)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
