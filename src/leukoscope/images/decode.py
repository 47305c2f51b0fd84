"""One function decodes any image that a user may have, and says what it did to it.

Whatever is in the file, the answer is RGB with 8 bits a channel or an ``ImageError``. The header
is read and judged before any pixel is decoded, so that a file of a few hundred bytes that claims
30,000 x 30,000 pixels costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ImageError
from .bitmap import bitmap_pixels
from .conversion import FAULTS, Pixels, orientation, to_rgb

__all__ = [
    "FORMATS",
    "LIMITS",
    "SUFFIXES",
    "Box",
    "Decoded",
    "Header",
    "Limits",
    "Pixels",
    "change_of",
    "decode",
    "pixels_sha256",
    "read_bytes",
    "read_header",
]

Box = tuple[int, int, int, int]
"""``x0, y0, x1, y1`` in pixels, 0-based, half-open."""

FORMATS: dict[str, tuple[str, ...]] = {
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
"""What is decoded, by what the file holds; its name only decides whether that is noted."""
SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Limits:
    """What is refused from the header alone."""

    pixels: int = 89_478_485
    """Width times height; Pillow's own threshold of suspicion, a 16th of a GiB in RGB."""
    file_bytes: int = 1 << 30


LIMITS = Limits()


@dataclass(frozen=True)
class Header:
    """What a file says of itself, before anything is decoded."""

    width: int
    height: int
    """As the pixels will lie, so after the turn that EXIF asks for."""
    mode: str
    """Pillow's name: ``RGB``, ``L``, ``P``, ``CMYK``, ``RGBA``, ``I;16``, ..."""
    format: str
    pages: int


@dataclass(frozen=True)
class Decoded:
    """An image as RGB."""

    pixels: Pixels
    """Shape (height, width, 3), C-contiguous."""
    format: str
    notes: tuple[str, ...]
    """What was done that a careful person would want to know; empty for plain 8-bit RGB."""


def decode(
    source: Path | bytes,
    *,
    box: Box | None = None,
    limits: Limits = LIMITS,
    name: Path | None = None,
) -> Decoded:
    """Decode an image file, or its bytes, to 8-bit RGB.

    Grey becomes three equal channels. Transparency is laid over white, the background of a smear.
    16 bits a channel are divided by 257, so that the full range becomes the full range, whatever
    an image's own brightest value is. CMYK is converted without a colour profile. An EXIF turn is
    made. Of several pages or frames the first is taken. A name that does not fit the content is
    passed over. All of this is in ``notes``.

    Parameters
    ----------
    source
        A path or the bytes of a file.
    box
        ``x0, y0, x1, y1`` in pixels of the turned image, half-open: only this part is returned.
    limits
        What is refused before decoding.
    name
        The file that ``source``, its bytes, was read from; for messages and notes.

    Raises
    ------
    ImageError
        When the file is missing, empty, no image, too large, truncated or damaged, or when the
        box does not lie in it.
    """
    path = name if isinstance(source, bytes) else source
    shown = "image" if path is None else str(path)
    data = source if isinstance(source, bytes) else read_bytes(source, limits)
    if not data:
        raise ImageError(f"{shown}: is empty (0 bytes). Copy or download it again.")
    plain = bitmap_pixels(data, limits.pixels)
    if plain is not None:
        pixels, form, notes = plain, "BMP", [_bitmap_end(data)]
    else:
        with _opened(io.BytesIO(data), shown, limits, data) as image:
            form = _form(image)
            notes = [_pages_note(image), *_ending_notes(data, form)]
            pixels, done = to_rgb(image, shown)
            notes += done
    if path is not None:
        notes.insert(0, _name_note(path, form))
    if box is not None:
        pixels = _cut(pixels, box, shown)
    return Decoded(pixels, form, tuple(note for note in notes if note))


CHANGES: tuple[tuple[str, str], ...] = (
    (r"CMYK,", "CMYK converted to RGB without a colour profile"),
    (r"palette", "palette converted to RGB"),
    (r"converted from (\S+)", r"\1 converted to RGB"),
    (r"(grey|black and white)$", r"\1 converted to RGB"),
    (r"16-bit grey", "16-bit grey divided by 257"),
    (r"16 bits a channel", "16 bits a channel cut to the upper 8"),
    (r"alpha channel", "alpha channel dropped, opaque everywhere"),
    (r"transparency", "transparency laid over white"),
    (r"turned", "turned as EXIF orientation asks"),
    (r"first of", "further pages or frames dropped"),
    (r"named (\S+), holds (\S+)", r"\2 named \1"),
    (r"\d+ bytes shorter|has no end mark|shorter than", "file's end missing, decoded nevertheless"),
)
"""A note's beginning, and the words under which equal notes of many images are counted."""


def change_of(note: str) -> str:
    """A note of ``decode`` without what differs from image to image, so that it can be counted."""
    for beginning, words in CHANGES:
        found = re.match(beginning, note)
        if found:
            return found.expand(words)
    return note


def read_header(source: Path | bytes, *, limits: Limits = LIMITS) -> Header:
    """Size, mode, format and number of pages; no pixel is decoded.

    Raises
    ------
    ImageError
        As ``decode``, where the header alone shows the fault.
    """
    if isinstance(source, bytes):
        if not source:
            raise ImageError("image: is empty (0 bytes). Copy or download it again.")
        with _opened(io.BytesIO(source), "image", limits, source) as image:
            return _header(image)
    _verify_size(source, limits)
    try:
        with source.open("rb") as file:
            start = file.read(16)
            file.seek(0)
            with _opened(file, str(source), limits, start) as image:
                return _header(image)
    except OSError as error:
        raise _unreadable(source, error) from error


def pixels_sha256(pixels: Pixels) -> str:
    """SHA-256 of the shape and the RGB bytes: equal for equal pictures in whatever format."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def read_bytes(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of an image file, which must exist and be neither empty nor too large.

    Raises
    ------
    ImageError
        When it is not so.
    """
    _verify_size(path, limits)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _verify_size(path: Path, limits: Limits) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; an image file was expected.")
    if not size:
        raise ImageError(f"{path}: is empty (0 bytes). Copy or download it again.")
    if size > limits.file_bytes:
        raise ImageError(
            f"{path}: {size:,} bytes; at most {limits.file_bytes:,} are read. "
            "Cut it into fields or save it with compression."
        )


def _unreadable(path: Path, error: OSError) -> ImageError:
    if isinstance(error, FileNotFoundError):
        return ImageError(f"{path}: there is no such file.")
    return ImageError(
        f"{path}: cannot be read ({error.strerror or error}). See its permissions and its disk."
    )


@contextmanager
def _opened(file: Any, name: str, limits: Limits, start: bytes) -> Iterator[Image.Image]:
    """The image with its header read and judged; what its reader raises becomes an ImageError."""
    try:
        image = Image.open(file, formats=list(FORMATS))
    except BOMBS as error:
        raise _too_large(name, _promised(error), limits) from None
    except FAULTS as error:
        raise _not_an_image(name, start, error) from error
    with image:
        width, height = image.size
        if width * height > limits.pixels:
            raise _too_large(name, f"{width:,} x {height:,} pixels", limits)
        try:
            yield image
        except BOMBS as error:
            raise _too_large(name, _promised(error), limits) from None
        except FAULTS as error:
            raise ImageError(
                f"{name}: is truncated or damaged: the header promises {_form(image)}, "
                f"{width} x {height} pixels, but decoding stops ({_reason(error)}). "
                "Copy or download it again."
            ) from error


def _too_large(name: str, found: str, limits: Limits) -> ImageError:
    return ImageError(
        f"{name}: is too large: its header says {found}, and at most {limits.pixels:,} pixels "
        "are decoded. Cut it into fields, or save it smaller."
    )


def _promised(error: BaseException) -> str:
    """The size in Pillow's message of a decompression bomb: it says only the product."""
    number = re.search(r"\((\d+) pixels\)", str(error))
    return f"{int(number[1]):,} pixels" if number else "more than Pillow decodes"


def _not_an_image(name: str, start: bytes, error: BaseException) -> ImageError:
    known = _known_start(start)
    if known in FORMATS:
        return ImageError(
            f"{name}: begins like {known} but its header is truncated or damaged "
            f"({_reason(error)}). Copy or download it again."
        )
    found = f"{known} data" if known else f"data that begins with {start[:8]!r}"
    return ImageError(
        f"{name}: {found} was found; one of {', '.join(FORMATS)} was expected. "
        "Save the image as PNG or TIFF."
    )


STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP (or Office)"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (b"\x89HDF", "HDF5"),
    (b"ZISRAWFILE", "Zeiss CZI"),
    (b"\x1f\x8b", "gzip"),
)


def _known_start(start: bytes) -> str:
    for magic, name in STARTS:
        if start.startswith(magic):
            return name
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return "HEIF or AVIF"
    if start.lstrip()[:1] == b"<":
        return "HTML or XML"
    return ""


def _reason(error: BaseException) -> str:
    text = str(error).strip().rstrip(".")
    text = text.split("<_io")[0].split("\n")[0].strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _form(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def _header(image: Image.Image) -> Header:
    width, height = image.size
    if orientation(image) in (5, 6, 7, 8):
        width, height = height, width
    return Header(width, height, image.mode, _form(image), _pages(image))


def _pages(image: Image.Image) -> int:
    """Number of pages or frames; one where the file breaks off after the first."""
    try:
        return int(getattr(image, "n_frames", 1))
    except FAULTS:
        image.seek(0)
        return 1


def _pages_note(image: Image.Image) -> str:
    pages = _pages(image)
    image.seek(0)
    return f"first of {pages} pages" if pages > 1 else ""


def _name_note(path: Path, form: str) -> str:
    suffix = path.suffix.lower()
    if not suffix or suffix in FORMATS[form]:
        return ""
    return f"named {suffix}, holds {form}"


def _bitmap_end(data: bytes) -> str:
    """A bitmap whose header counts more bytes than there are, though all pixels are."""
    said = int.from_bytes(data[2:6], "little")
    return f"{said - len(data)} bytes shorter than its header says" if said > len(data) else ""


def _ending_notes(data: bytes, form: str) -> list[str]:
    """A file that still decodes although its end is missing."""
    ends = {"PNG": b"IEND", "JPEG": b"\xff\xd9", "GIF": b";"}
    mark = ends.get(form)
    if mark is not None and mark not in data[-65536:]:
        return ["has no end mark: its end may be missing"]
    if form == "WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        return ["shorter than its header says: its end may be missing"]
    return []


def _cut(pixels: Pixels, box: Box, name: str) -> Pixels:
    x0, y0, x1, y1 = box
    height, width = pixels.shape[:2]
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ImageError(
            f"{name}: box {x0},{y0},{x1},{y1} does not lie in the image of "
            f"{width} x {height} pixels; 0 <= x0 < x1 <= {width} and 0 <= y0 < y1 <= {height} "
            "was expected."
        )
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])
