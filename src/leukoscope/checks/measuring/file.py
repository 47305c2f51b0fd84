"""What an image file says of itself: format, compression, tags; and the numbers in its name."""

from __future__ import annotations

import io
import math
import re
from pathlib import PurePosixPath
from typing import Any

from PIL import Image

from ...images.conversion import FAULTS
from ...images.decode import FORMATS
from .columns import NUMBERS, numbered

__all__ = ["FORMAT_NAMES", "jpeg_quality", "measure_file", "name_numbers"]

FORMAT_NAMES = tuple(FORMATS)
"""``file_format`` is the place of the format's name here."""
TAGS = (0x010F, 0x0110, 0x0131, 0x0132, 0x8769)
"""EXIF's maker, model, software, date, and the camera's own directory."""
STANDARD = (
    10, 11, 12, 12, 13, 14, 14, 14, 16, 16, 16, 17, 18, 19, 22, 22, 24, 24, 24, 26, 29, 35, 37, 40,
    40, 49, 51, 51, 55, 55, 56, 56, 57, 58, 60, 61, 62, 64, 64, 68, 69, 72, 77, 78, 80, 81, 87, 87,
    92, 92, 95, 98, 99, 100, 101, 103, 103, 103, 104, 109, 112, 113, 120, 121,
)  # fmt: skip
"""The luminance table of JPEG's Annex K.1 (ITU-T T.81, table K.1), in the order of size."""
LARGEST = 255
"""No entry is larger; of a table that reaches it only the smallest are compared."""
MOST_DIGITS = 15
"""More digits are a hash or a time in nanoseconds, and no float64 holds them."""


def measure_file(data: bytes) -> dict[str, float]:
    """Measurements of a file's bytes; what its header does not tell is NaN.

    Parameters
    ----------
    data
        The whole file, which has been decoded: it is an image.
    """
    values = {
        "file_bytes": float(len(data)),
        "file_format": math.nan,
        "jpeg_quality": math.nan,
        "jpeg_subsampling": math.nan,
        "metadata_tags": 0.0,
        "resolution_tag": math.nan,
        "colour_profile": 0.0,
    }
    try:
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            form = "JPEG" if image.format == "MPO" else str(image.format)
            values["file_format"] = float(FORMAT_NAMES.index(form))
            values["colour_profile"] = float(len(image.info.get("icc_profile") or b""))
            values["resolution_tag"] = _resolution(image.info.get("dpi"))
            if form == "JPEG":
                values["jpeg_quality"] = jpeg_quality(image)
                values["jpeg_subsampling"] = _subsampling(image)
            tags = image.getexif()
            values["metadata_tags"] = float(sum(tag in tags for tag in TAGS))
    except FAULTS:  # damaged tags of an image that decodes: what was read before stays
        pass
    return values


def jpeg_quality(image: Any) -> float:
    """Quality as libjpeg counts it (1 to 100), from the luminance quantisation table.

    libjpeg multiplies Annex K's table by 50/q below 50 and by 2 − q/50 above; the sums of the
    tables give the factor back. Tables of other encoders (Photoshop's, say) get the quality of
    the libjpeg table that is as coarse.
    """
    tables = getattr(image, "quantization", None) or {}
    if len(tables.get(0, ())) != len(STANDARD):
        return math.nan
    table = sorted(tables[0])  # multiplying keeps the order of size
    compared = len(table) if table[-1] < LARGEST else 16
    factor = sum(table[:compared]) / sum(STANDARD[:compared])
    return float(min(100.0, max(1.0, round(100 - 50 * factor if factor < 1 else 50 / factor))))


def _subsampling(image: Any) -> float:
    """0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0; NaN where it is another."""
    from PIL import JpegImagePlugin

    found = JpegImagePlugin.get_sampling(image)
    return float(found) if found >= 0 else math.nan


def _resolution(dpi: Any) -> float:
    try:
        stated = float(dpi[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return math.nan
    return stated if math.isfinite(stated) else math.nan


def name_numbers(image: str) -> dict[str, float]:
    """The first numbers in a file's name, without folder and suffix, by their place."""
    found = re.findall(r"[0-9]+", PurePosixPath(image).stem)[:NUMBERS]
    values = {numbered(n): math.nan for n in range(1, NUMBERS + 1)}
    for place, digits in enumerate(found, start=1):
        if len(digits) <= MOST_DIGITS:
            values[numbered(place)] = float(digits)
    return values
