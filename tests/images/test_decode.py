"""Any image a user may have becomes 8-bit RGB or an ImageError that says what to do."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from leukoscope.errors import ImageError
from leukoscope.images.decode import Limits, change_of, decode, pixels_sha256, read_header

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
SMOOTH = np.linspace(0, 255, 20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)


# Pillow and libtiff say on the way what they met in damaged files.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def refused(source: Path | bytes, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        decode(source, **options)
    return str(caught.value)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_bit_for_bit_and_without_notes(form: str) -> None:
    decoded = decode(encoded(Image.fromarray(RGB), form))
    assert np.array_equal(decoded.pixels, RGB)
    assert decoded.pixels.flags.c_contiguous
    assert decoded.pixels.dtype == np.uint8
    assert (decoded.format, decoded.notes) == (form, ())


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_equal_pillow(form: str) -> None:
    data = encoded(Image.fromarray(SMOOTH), form)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(decode(data).pixels, expected)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 30])
def test_bitmaps_of_every_row_padding_equal_pillow(width: int) -> None:
    pixels = RNG.integers(0, 256, (7, width, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels), "BMP")
    assert np.array_equal(decode(data).pixels, pixels)
    upside_down = bytearray(data)
    struct.pack_into("<i", upside_down, 22, -7)
    assert np.array_equal(decode(bytes(upside_down)).pixels, pixels[::-1])


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(RGB).quantize(16),
        Image.fromarray(RGB).convert("L"),
        Image.fromarray(RGB).convert("1"),
    ],
)
def test_other_bitmaps_are_pillows_to_decode(image: Image.Image) -> None:
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode(encoded(image, "BMP")).pixels, expected)


def test_grey_becomes_three_equal_channels() -> None:
    decoded = decode(encoded(Image.fromarray(RGB[..., 0]), "PNG"))
    assert np.array_equal(decoded.pixels, np.repeat(RGB[..., :1], 3, axis=2))
    assert decoded.notes == ("grey",)


def test_sixteen_bit_grey_is_divided_by_257_whatever_its_own_range() -> None:
    values = np.array([[0, 128, 257, 385, 386, 32896, 65535]], dtype=np.uint16)
    for form in ("PNG", "TIFF"):
        decoded = decode(encoded(Image.fromarray(values), form))
        assert decoded.pixels[0, :, 0].tolist() == [0, 0, 1, 1, 2, 128, 255]
        assert decoded.notes == ("16-bit grey, divided by 257",)


def test_twelve_bits_in_sixteen_are_noted_as_dark() -> None:
    values = np.array([[0, 4095]], dtype=np.uint16)
    (note,) = decode(encoded(Image.fromarray(values), "PNG")).notes
    assert "its brightest value is 4095: 12 bits in 16? It comes out dark" in note


def png_chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def sixteen_bit_rgb_png(values: np.ndarray[Any, Any]) -> bytes:
    height, width = values.shape[:2]
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def test_sixteen_bit_colour_keeps_the_upper_bits_and_says_so() -> None:
    values = RNG.integers(0, 65536, (4, 5, 3)).astype(np.uint16)
    decoded = decode(sixteen_bit_rgb_png(values))
    assert np.abs(decoded.pixels.astype(int) - values / 257.0).max() <= 1
    assert decoded.notes == ("16 bits a channel, of which the upper 8 are kept",)


def test_floating_point_grey_is_taken_in_its_range() -> None:
    unit = np.array([[0.0, 0.5, 1.0]], dtype=np.float32)
    decoded = decode(encoded(Image.fromarray(unit), "TIFF"))
    assert decoded.pixels[0, :, 0].tolist() == [0, 128, 255]
    assert decoded.notes == ("floating-point grey, taken as 0 to 1",)
    wide = decode(encoded(Image.fromarray(unit * 200), "TIFF"))
    assert wide.pixels[0, :, 0].tolist() == [0, 100, 200]
    message = refused(encoded(Image.fromarray(unit * 1000), "TIFF"))
    assert "floating-point values from 0 to 1000; 0 to 1 or 0 to 255 was expected" in message


def test_whole_numbers_beyond_16_bits_are_refused() -> None:
    wide = np.array([[0, 70000]], dtype=np.int32)
    message = refused(encoded(Image.fromarray(wide), "TIFF"))
    assert "whole numbers from 0 to 70000; 0 to 65535 was expected" in message


def test_cmyk_is_converted_and_noted() -> None:
    image = Image.fromarray(RGB).convert("CMYK")
    decoded = decode(encoded(image, "TIFF"))
    assert np.array_equal(decoded.pixels, RGB)
    assert decoded.notes == ("CMYK, converted without a colour profile",)
    assert "CMYK" in decode(encoded(image, "JPEG")).notes[0]


def test_palette_is_resolved() -> None:
    image = Image.fromarray(RGB).quantize(16)
    decoded = decode(encoded(image, "PNG"))
    assert np.array_equal(decoded.pixels, np.asarray(image.convert("RGB")))
    assert decoded.notes == ("palette",)


def test_transparency_is_laid_over_white() -> None:
    rgba = np.dstack([np.full((2, 2, 3), 100, np.uint8), [[0, 255], [51, 204]]]).astype(np.uint8)
    decoded = decode(encoded(Image.fromarray(rgba), "PNG"))
    # 255 + alpha / 255 * (100 - 255), rounded
    assert decoded.pixels[..., 0].tolist() == [[255, 100], [224, 131]]
    assert decoded.notes == ("transparency laid over white",)


def test_transparent_palette_and_grey_with_alpha() -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    decoded = decode(encoded(palette, "PNG", transparency=0))
    assert decoded.pixels[0].tolist() == [[255, 255, 255], [40, 50, 60]]
    grey = Image.fromarray(np.array([[[7, 0], [7, 255]]], np.uint8), mode="LA")
    assert decode(encoded(grey, "PNG")).pixels[0, :, 0].tolist() == [255, 7]


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    decoded = decode(encoded(Image.fromarray(rgba), "PNG"))
    assert np.array_equal(decoded.pixels, RGB)
    assert decoded.notes == ("alpha channel, opaque everywhere",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(RGB), "PNG", exif=exif)
    turns = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB, -1),
        7: RGB[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(RGB, 1),
    }
    decoded = decode(data)
    assert np.array_equal(decoded.pixels, turns[orientation])
    said = f"turned as EXIF orientation {orientation} asks"
    assert decoded.notes == ((said,) if orientation > 1 else ())
    header = read_header(data)
    assert (header.height, header.width) == decoded.pixels.shape[:2]


@pytest.mark.parametrize("form", ["TIFF", "GIF", "PNG", "WEBP"])
def test_of_several_pages_the_first_is_taken_and_that_is_said(form: str) -> None:
    pages = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 120, 255)]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(pages[0], form, save_all=True, append_images=pages[1:], **options)
    decoded = decode(data)
    assert not decoded.pixels.any()
    assert "first of 3 pages" in decoded.notes
    assert read_header(data).pages == 3


def test_a_renamed_file_is_decoded_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "cell.bmp"
    path.write_bytes(encoded(Image.fromarray(RGB), "PNG"))
    decoded = decode(path)
    assert np.array_equal(decoded.pixels, RGB)
    assert decoded.notes == ("named .bmp, holds PNG",)
    assert decode(path.rename(tmp_path / "cell")).notes == ()


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    assert refused(path) == f"{path}: is empty (0 bytes). Copy or download it again."
    assert refused(b"").startswith("image: is empty (0 bytes)")
    with pytest.raises(ImageError, match="is empty"):
        read_header(path)
    with pytest.raises(ImageError, match="is empty"):
        read_header(b"")


def test_a_missing_file_a_folder_and_one_without_permission(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.png") == f"{tmp_path / 'no.png'}: there is no such file."
    assert refused(tmp_path) == f"{tmp_path}: is a folder; an image file was expected."
    link = tmp_path / "loop.png"
    link.symlink_to(link)
    assert "cannot be read" in refused(link)
    assert "See its permissions" in refused(link)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<html><body>404</body></html>", "HTML or XML data was found"),
        (b"%PDF-1.4 ......", "PDF data was found"),
        (b"PK\x03\x04........", "ZIP (or Office) data was found"),
        (b"\x00\x00\x00\x18ftypheic....", "HEIF or AVIF data was found"),
        (b"label,image\n1,a.png\n", "data that begins with b'label,im' was found"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, found: str) -> None:
    message = refused(data)
    assert found in message
    assert "one of BMP, GIF, JPEG, PNG, TIFF, WEBP was expected" in message
    assert "Save the image as PNG or TIFF" in message


def header_only_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") * 2


def header_only_bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


@pytest.mark.parametrize("data", [header_only_png(30_000, 30_000), header_only_bmp(30_000, 30_000)])
def test_a_header_of_30000_by_30000_is_refused_before_decoding(data: bytes) -> None:
    message = refused(data)
    assert re.search(
        r": is too large: its header says (900,000,000|30,000 x 30,000) pixels, "
        r"and at most 89,478,485 pixels are decoded\. Cut it into fields",
        message,
    )
    with pytest.raises(ImageError, match="at most"):
        read_header(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_just_over_the_limit_and_limits_of_ones_own() -> None:
    assert "its header says 10,000 x 10,000 pixels" in refused(header_only_png(10_000, 10_000))
    data = encoded(Image.fromarray(RGB), "PNG")
    message = refused(data, limits=Limits(pixels=599))
    assert "its header says 30 x 20 pixels, and at most 599 pixels are decoded" in message
    assert "30 x 20" in refused(encoded(Image.fromarray(RGB), "BMP"), limits=Limits(pixels=599))
    assert decode(data, limits=Limits(pixels=600)).pixels.shape == (20, 30, 3)


def test_a_file_with_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(bytes(1001))
    message = refused(path, limits=Limits(file_bytes=1000))
    assert message.startswith(f"{path}: 1,001 bytes; at most 1,000 are read.")


def test_a_truncated_file_says_what_its_header_promised(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(encoded(Image.fromarray(RGB), "PNG")[:600])
    message = refused(path)
    assert message.startswith(f"{path}: is truncated or damaged: the header promises PNG, 30 x 20")
    assert message.endswith("Copy or download it again.")
    path.write_bytes(encoded(Image.fromarray(RGB), "PNG")[:12])
    assert "begins like PNG but its header is truncated or damaged" in refused(path)


FILES = {
    "png": encoded(Image.fromarray(SMOOTH), "PNG"),
    "bmp": encoded(Image.fromarray(SMOOTH), "BMP"),
    "jpeg": encoded(Image.fromarray(SMOOTH), "JPEG"),
    "progressive": encoded(Image.fromarray(SMOOTH), "JPEG", progressive=True),
    "tiff": encoded(Image.fromarray(SMOOTH), "TIFF"),
    "deflate": encoded(Image.fromarray(SMOOTH), "TIFF", compression="tiff_deflate"),
    "gif": encoded(Image.fromarray(SMOOTH), "GIF"),
    "webp": encoded(Image.fromarray(SMOOTH), "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", FILES)
def test_cut_anywhere_it_is_refused_or_whole_or_noted(kind: str) -> None:
    data = FILES[kind]
    whole = decode(data).pixels
    for length in range(1, len(data), max(1, len(data) // 150)):
        try:
            decoded = decode(data[:length])
        except ImageError:
            continue
        assert decoded.notes or np.array_equal(decoded.pixels, whole), (kind, length)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(FILES)), st.data())
def test_altered_bytes_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(content), limits=Limits(pixels=1_000_000))
    except ImageError:
        return
    assert decoded.pixels.ndim == 3
    assert decoded.pixels.shape[2] == 3


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_a_box_is_cut_out(form: str) -> None:
    data = encoded(Image.fromarray(RGB), form)
    assert np.array_equal(decode(data, box=(3, 5, 30, 20)).pixels, RGB[5:20, 3:30])


@pytest.mark.parametrize("box", [(0, 0, 31, 20), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 9, 5, 12)])
def test_a_box_outside_of_the_image(box: tuple[int, int, int, int]) -> None:
    message = refused(encoded(Image.fromarray(RGB), "PNG"), box=box)
    assert f"box {','.join(map(str, box))} does not lie in the image of 30 x 20 pixels" in message
    assert "0 <= x0 < x1 <= 30" in message


def test_equal_pictures_have_equal_hashes_in_whatever_format() -> None:
    as_png = decode(encoded(Image.fromarray(RGB), "PNG")).pixels
    as_bmp = decode(encoded(Image.fromarray(RGB), "BMP")).pixels
    assert pixels_sha256(as_png) == pixels_sha256(as_bmp)
    assert pixels_sha256(as_png) != pixels_sha256(np.ascontiguousarray(as_png.reshape(30, 20, 3)))
    assert pixels_sha256(as_png[::-1]) == pixels_sha256(as_png[::-1].copy())


def test_a_header_is_read_without_decoding(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(header_only_png(5000, 4000))
    header = read_header(path)
    assert (header.width, header.height, header.mode, header.format) == (5000, 4000, "RGB", "PNG")


@pytest.mark.real
@pytest.mark.slow
def test_every_real_image_decodes_as_pillow_does(real_data: Path) -> None:
    suffixes = {".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff"}
    paths = [p for p in sorted(real_data.rglob("*")) if p.suffix.lower() in suffixes]
    assert len(paths) > 1000
    for number, path in enumerate(paths):
        decoded = decode(path)
        header = read_header(path)
        assert (header.height, header.width) == decoded.pixels.shape[:2], path
        assert set(decoded.notes) <= {"grey"}, path
        if number % 25 == 0 or decoded.format == "BMP":
            with Image.open(path) as image:
                assert np.array_equal(decoded.pixels, np.asarray(image.convert("RGB"))), path


@pytest.mark.parametrize(
    ("notes", "change"),
    [
        (["turned as EXIF orientation 6 asks", "turned as EXIF orientation 3 asks"], "turned as"),
        (["first of 3 pages", "first of 12 pages"], "further pages or frames dropped"),
        (["grey"], "grey converted to RGB"),
        (["converted from LAB"], "LAB converted to RGB"),
        (
            ["16-bit grey, divided by 257", "16-bit grey, divided by 257 (its"],
            "16-bit grey divided",
        ),
        (["4 bytes shorter than its header says"], "file's end missing, decoded nevertheless"),
        (["named .png, holds JPEG"], "JPEG named .png"),
    ],
)
def test_notes_of_one_kind_are_counted_together(notes: list[str], change: str) -> None:
    (counted_as,) = {change_of(note) for note in notes}
    assert counted_as.startswith(change)
