"""Small pictures inside the report: decoded, shrunk and written as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImageError
from ..records.images import split_key

__all__ = ["small_pixels", "thumbnail"]

SIDE_PX = 112
"""The longer side of a thumbnail; twice what a phone shows of it would be wasted bytes."""
QUALITY = 82


def small_pixels(
    folder: Path, row: str, side_px: int
) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """A row's pixels, (height, width, 3) in uint8, or None where they cannot be read.

    Parameters
    ----------
    folder
        What image paths are relative to; nothing outside of it is read.
    row
        A row key, ``image`` or ``image#x0,y0,x1,y1``.
    side_px
        The longer side at most; smaller images are not enlarged.
    """
    from PIL import Image

    from ..images.decode import decode

    image, box = split_key(row)
    path = folder / image
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return None
    try:
        pixels = decode(path, box=box).pixels
    except ImageError:
        return None
    picture = Image.fromarray(pixels)
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def thumbnail(folder: Path, row: str, side_px: int = SIDE_PX) -> str | None:
    """A row's pixels as a JPEG data URI, or None where they cannot be read.

    Parameters
    ----------
    folder, row, side_px
        As in ``small_pixels``.
    """
    from PIL import Image

    pixels = small_pixels(folder, row, side_px)
    if pixels is None:
        return None
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
