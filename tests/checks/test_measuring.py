"""The measurements of an image: against Pillow's, SciPy's and drawn truths; their cache."""

from __future__ import annotations

import io
import math
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.checks.measuring import COLUMNS, measure
from leukoscope.checks.measuring import table as room
from leukoscope.checks.measuring.columns import NAMES
from leukoscope.checks.measuring.detail import measure_detail
from leukoscope.checks.measuring.file import measure_file, name_numbers
from leukoscope.checks.measuring.light import measure_light
from leukoscope.checks.measuring.marks import measure_marks
from leukoscope.checks.measuring.table import measure_pixels
from leukoscope.datasets.manifest import Manifest
from leukoscope.progress import Progress

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
Draw = Callable[..., np.ndarray]
Saved = Callable[..., Manifest]
QUIET = Progress(quiet=True)


def encoded(pixels: np.ndarray, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


# The file.


@pytest.mark.parametrize("quality", [10, 49, 50, 75, 92, 100])
def test_jpeg_quality_is_the_one_that_libjpeg_was_given(cell: Draw, quality: int) -> None:
    found = measure_file(encoded(cell(), "JPEG", quality=quality))
    # The table's entries are rounded and bounded to 1…255.
    assert found["jpeg_quality"] == pytest.approx(quality, abs=2 if quality < 15 else 1)


@pytest.mark.parametrize(("name", "code"), [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)])
def test_chroma_subsampling(cell: Draw, name: str, code: int) -> None:
    assert measure_file(encoded(cell(), "JPEG", subsampling=name))["jpeg_subsampling"] == code


def test_tags_of_the_file(cell: Draw) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0132] = "Maker", "2020:01:01 00:00:00"
    tagged = measure_file(encoded(cell(), "JPEG", exif=exif, dpi=(144, 144)))
    assert tagged["metadata_tags"] == 2
    assert tagged["resolution_tag"] == 144
    plain = measure_file(encoded(cell(), "PNG"))
    assert plain["metadata_tags"] == 0
    assert math.isnan(plain["jpeg_quality"])
    assert plain["file_bytes"] == len(encoded(cell(), "PNG"))
    assert measure_file(b"\xff\xd8\xff no image")["file_bytes"] == 12


def test_numbers_of_a_name() -> None:
    assert name_numbers("1/UID_11_16_3_all.bmp") == {
        "name_number_1": 11, "name_number_2": 16, "name_number_3": 3,
        "name_number_4": pytest.approx(math.nan, nan_ok=True),
    }  # fmt: skip
    assert all(math.isnan(n) for n in name_numbers(f"a/{'9' * 40}.png").values())


# The light.


def test_brightness_is_that_of_the_picture(cell: Draw) -> None:
    pixels = cell()
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64) / 255
    found = measure_light(pixels)
    assert found["brightness_mean"] == pytest.approx(grey.mean(), abs=0.002)
    assert found["red_mean"] == pytest.approx(pixels[..., 0].mean() / 255, abs=1e-9)
    assert found["blue_sd"] == pytest.approx(pixels[..., 2].std() / 255, abs=1e-9)


def test_the_object_is_the_disc_and_the_background_what_is_far_from_it(cell: Draw) -> None:
    found = measure_light(cell(side=200, diameter=80))
    # Half of the smooth rim belongs to the disc; the mask is 160 pixels wide.
    assert found["object_area_px"] == pytest.approx(math.pi * 40**2, rel=0.15)
    for channel, level in (("red", 225), ("green", 213), ("blue", 221)):
        assert found[f"background_{channel}_mean"] == pytest.approx(level / 255, abs=0.004)
        assert found[f"border_{channel}_mean"] == pytest.approx(level / 255, abs=0.004)
    twice = measure_light(cell(side=400, diameter=160))
    assert twice["object_area_px"] / found["object_area_px"] == pytest.approx(4, rel=0.15)


def test_a_cut_out_cell_is_measured_without_its_black(cell: Draw) -> None:
    pixels = cell(side=200, diameter=80)
    y, x = np.mgrid[:200, :200] - 99.5
    outside = np.hypot(x, y) > 35
    pixels[outside] = 0
    found = measure_light(pixels)
    assert found["cut_out_share"] == pytest.approx(outside.mean(), abs=0.001)
    assert found["object_area_px"] == pytest.approx((~outside).sum(), rel=0.01)
    assert found["red_mean"] == pytest.approx(pixels[~outside][:, 0].mean() / 255, abs=0.002)
    assert math.isnan(found["background_red_mean"])
    assert found["border_red_mean"] == 0


@pytest.mark.parametrize("fall", [0.0, 0.3, 0.5])
def test_vignetting_is_the_fall_to_the_corners(fall: float) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:240j, -1:1:240j]
    light = 200 * (1 - fall * (x**2 + y**2) / 2)
    field = light[..., None] + rng.normal(0, 2, (240, 240, 3))
    field[100:150, 30:90] = 90  # a cell, which is no shadow
    found = measure_light(field.astype(np.uint8))
    # A block's 90th percentile is the light at its inner edge: an eighth of the fall is not seen.
    assert found["vignetting_ratio"] == pytest.approx(0.88 * fall, abs=0.03)
    if fall:
        assert found["vignetting_fit"] > 0.9


def test_nothing_and_white(cell: Draw) -> None:
    rng = np.random.default_rng(0)
    empty = np.clip(rng.normal(220, 1.5, (96, 96, 3)), 0, 255).astype(np.uint8)
    assert measure_light(empty)["blank_share"] == 1
    assert measure_light(cell())["blank_share"] < 0.9
    white = cell()
    white[:48] = 255
    assert measure_light(white)["overexposed_share"] == pytest.approx(0.5, abs=0.01)


# The detail.


def test_blur_takes_detail_and_enlarging_the_high_frequencies(cell: Draw) -> None:
    pixels = cell(side=256, diameter=120)
    sharp = measure_detail(pixels)
    before = 0.0
    for sigma in (1, 2, 4):
        found = measure_detail(cv2.GaussianBlur(pixels, (0, 0), sigma))
        assert found["sharpness"] < sharp["sharpness"] - before
        before = sharp["sharpness"] - found["sharpness"]
    half = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA)
    large = measure_detail(cv2.resize(half, (256, 256), interpolation=cv2.INTER_CUBIC))
    assert large["spectrum_fall"] < sharp["spectrum_fall"] - 0.6
    assert sharp["spectrum_end"] == 0.5
    copied = measure_detail(cv2.resize(half, (256, 256), interpolation=cv2.INTER_NEAREST))
    assert copied["repeated_share"] == pytest.approx(0.5, abs=0.01)
    assert sharp["repeated_share"] == 0


def test_a_spectrum_ends_where_its_image_was_filled() -> None:
    """Noise without the frequencies above 0.25: made by SciPy's transforms, found by ours."""
    import scipy.fft

    rng = np.random.default_rng(0)
    spectrum = scipy.fft.fft2(rng.normal(size=(256, 256)))
    radius = np.hypot(*np.meshgrid(scipy.fft.fftfreq(256), scipy.fft.fftfreq(256)))
    spectrum[radius > 0.25] = 0
    filled = scipy.fft.ifft2(spectrum).real
    grey = np.clip(128 + 30 * filled / filled.std(), 0, 255).round().astype(np.uint8)
    found = measure_detail(np.repeat(grey[..., None], 3, axis=2))
    assert found["spectrum_end"] == pytest.approx(0.25, abs=1 / 32)


# The marks.


@pytest.mark.parametrize("colour", [255, 0])
@pytest.mark.parametrize("turned", [False, True])
def test_a_scale_bar_is_found_at_its_place(cell: Draw, colour: int, turned: bool) -> None:
    pixels = cell(side=200, diameter=60, light=190)
    assert measure_marks(pixels)["mark_count"] == 0
    pixels[180:184, 140:190] = colour
    found = measure_marks(np.ascontiguousarray(pixels.swapaxes(0, 1)) if turned else pixels)
    assert found["mark_count"] == 1
    place = found["mark_x"], found["mark_y"]
    assert (place[::-1] if turned else place) == pytest.approx((0.825, 0.91), abs=0.01)
    assert found["mark_share"] == pytest.approx(200 / 200**2, rel=0.01)


def test_a_drawn_arrow_is_found_and_a_stain_is_not(cell: Draw) -> None:
    pixels = cell(side=200, diameter=60)
    cv2.line(pixels, (10, 10), (60, 60), (255, 140, 0), 4)
    assert measure_marks(pixels)["mark_count"] == 1
    for dye in ((140, 40, 160), (60, 70, 190), (220, 120, 140), (200, 90, 80)):
        stained = cell(side=200, diameter=60)
        stained[50:150, 50:150] = dye
        assert measure_marks(stained)["mark_count"] == 0, dye


# Odd images.


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (3, 2), (7, 7), (40, 2000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_odd_shapes_are_measured_without_a_fault(shape: tuple[int, int], level: int) -> None:
    found = measure_pixels(np.full((*shape, 3), level, np.uint8))
    assert (found["width_px"], found["height_px"]) == (shape[1], shape[0])
    assert found["brightness_mean"] == pytest.approx(level / 255)
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert math.isfinite(measure_pixels(noise)["brightness_mean"])


def test_every_measurement_has_its_column(cell: Draw) -> None:
    found = measure_file(encoded(cell(), "PNG")) | measure_pixels(cell())
    assert set(found) == set(NAMES)
    assert set(NAMES) | set(name_numbers("1.png")) == set(COLUMNS)


# The table and its cache.


def test_a_second_run_decodes_nothing(
    cell: Draw, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved({f"{n}.png": cell(n) for n in range(3)})
    first = measure(data, QUIET)
    assert first.measured == 3
    monkeypatch.setattr(room, "decode", None)
    second = measure(data, QUIET)
    assert second.measured == 0
    np.testing.assert_array_equal(first.values, second.values)


def test_changed_content_and_another_version_are_measured_again(
    cell: Draw, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved({f"{n}.png": cell(n) for n in range(3)})
    before = measure(data, QUIET)["brightness_mean"]
    Image.fromarray(cell(9, light=100)).save(data.path(1))
    again = measure(data, QUIET)
    assert again.measured == 1
    assert again["brightness_mean"][1] < before[1] - 0.2
    monkeypatch.setattr("leukoscope.checks.measuring.cache.VERSION", 10**6)
    assert measure(data, QUIET).measured == 3


def test_boxes_are_measured_as_the_images_they_are(cell: Draw, saved: Saved) -> None:
    alone = measure(saved({"cell.png": cell(1)}), QUIET)
    field = np.full((96, 300, 3), 128, np.uint8)
    field[:, 100:196] = cell(1)
    data = saved({"field.png": field})
    boxed = data.with_table(data.table.assign(x0=100, y0=0, x1=196, y1=96))
    found = measure(boxed, QUIET)
    place = [NAMES.index(name) for name in NAMES if not name.startswith("file_")]
    names = [NAMES[i] for i in place]
    np.testing.assert_array_equal(found.columns(names), alone.columns(names))
    outside = data.with_table(data.table.assign(x0=250, y0=0, x1=400, y1=96))
    (failure,) = measure(outside, QUIET).failures
    assert "box 250,0,400,96 does not lie in the image" in failure[1]


def test_what_cannot_be_read_is_listed_and_the_rest_is_measured(cell: Draw, saved: Saved) -> None:
    data = saved({f"{n}.png": cell(n) for n in range(4)})
    data.path(0).write_bytes(b"")
    data.path(1).unlink()
    whole = data.path(2).read_bytes()
    data.path(2).write_bytes(whole[: len(whole) // 2])
    found = measure(data, QUIET)
    assert [row for row, _ in found.failures] == [0, 1, 2]
    assert found.known.tolist() == [False, False, False, True]


def test_names_of_every_kind(cell: Draw, saved: Saved) -> None:
    names = ("a b.png", "Zelle – ü.png", "two\nlines.png", "细胞/3.png")
    assert measure(saved({name: cell(n) for n, name in enumerate(names)}), QUIET).known.all()


def test_a_claim_of_300_million_pixels_costs_nothing(saved: Saved, cell: Draw) -> None:
    data = saved({"a.bmp": cell(), "b.png": cell()})
    header = bytearray(data.path(0).read_bytes())
    header[18:22], header[22:26] = (20_000).to_bytes(4, "little"), (15_000).to_bytes(4, "little")
    data.path(0).write_bytes(header)
    found = measure(data, QUIET)
    assert "too large" in found.failures[0][1]
    assert found.known.tolist() == [False, True]


@pytest.mark.parametrize("fault", ["file for a folder", "no database", "older columns"])
def test_an_unusable_cache_is_told_and_passed_over(
    cell: Draw, saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], fault: str,
) -> None:  # fmt: skip
    data = saved({f"{n}.png": cell(n) for n in range(2)})
    cache = tmp_path / "cache"
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(cache))
    if fault == "file for a folder":
        cache.write_text("no folder")
    else:
        measure(data, QUIET)
        (file,) = (cache / "measurements").iterdir()
        if fault == "no database":
            file.write_bytes(b"no database at all" * 100)
        else:
            with sqlite3.connect(file) as connection:
                connection.execute("DROP TABLE measured")
                connection.execute("CREATE TABLE measured (key TEXT)")
    found = measure(data, Progress())
    assert found.known.all()
    told = capsys.readouterr().err
    assert told.count("the cache of measurements cannot be used") == 1
    assert "LEUKOSCOPE_CACHE" in told


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache(
    cell: Draw, saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o500)
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(cache))
    assert measure(saved({"a.png": cell()}), QUIET).known.all()
