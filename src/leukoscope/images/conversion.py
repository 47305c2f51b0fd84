"""Whatever mode an opened image has, as 8-bit RGB, and what was done on the way."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ..errors import ImageError

__all__ = ["FAULTS", "Pixels", "orientation", "to_rgb"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

FAULTS = (
    OSError,  # truncated or broken data; PIL.UnidentifiedImageError is one
    SyntaxError,  # broken PNG chunks and TIFF directories
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    ArithmeticError,  # a size or a resolution of zero
    EOFError,
    struct.error,
    zlib.error,
    MemoryError,  # a header that promises more than there is
)
"""What Pillow's readers raise on damaged files, as cutting and altering a million of them showed
or their source says."""


def orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 where there is none or the EXIF data are damaged."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except FAULTS:
        return 1


def to_rgb(image: Image.Image, name: str) -> tuple[Pixels, list[str]]:
    """Decode the open page to RGB; the notes say what was done on the way."""
    notes = []
    sixteen = _sixteen_bits(image)
    image.load()
    turn = orientation(image)
    if 2 <= turn <= 8:
        image = ImageOps.exif_transpose(image)
        notes.append(f"turned as EXIF orientation {turn} asks")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        grey, note = _deep_grey(image, name)
        return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3))), [
            *notes,
            note,
        ]
    if sixteen:
        notes.append("16 bits a channel, of which the upper 8 are kept")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image, note = _over_white(image)
        notes.append(note)
    if image.mode == "CMYK":
        notes.append("CMYK, converted without a colour profile")
    elif image.mode == "P":
        notes.append("palette")
    elif image.mode in ("L", "1"):
        notes.append("grey" if image.mode == "L" else "black and white")
    elif image.mode not in ("RGB", "RGBX"):
        notes.append(f"converted from {image.mode}")
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image, dtype=np.uint8), notes


def _sixteen_bits(image: Image.Image) -> bool:
    """Whether the file holds more than 8 bits a channel that Pillow reduces while it decodes."""
    tiles = getattr(image, "tile", None) or []
    for tile in tiles[:1]:
        arguments = tile[3]
        raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
        if isinstance(raw, str) and ";16" in raw:
            return True
    tags = getattr(image, "tag_v2", None)
    return tags is not None and max(np.atleast_1d(tags.get(258, 8)).tolist(), default=8) > 8


def _deep_grey(image: Image.Image, name: str) -> tuple[Pixels, str]:
    """Grey with more than 8 bits, by a rule that is the same for every image of a set."""
    values = np.asarray(image).astype(np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if image.mode == "F":
        if not np.isfinite(values).all() or low < 0 or high > 255:
            raise ImageError(
                f"{name}: floating-point values from {low:g} to {high:g}; 0 to 1 or 0 to 255 "
                "was expected. Scale it before saving."
            )
        unit = high <= 1.0
        scaled = values * 255.0 if unit else values
        return np.rint(scaled).astype(np.uint8), "floating-point grey, taken as " + (
            "0 to 1" if unit else "0 to 255"
        )
    if low < 0 or high > 65535:
        raise ImageError(
            f"{name}: whole numbers from {low:g} to {high:g}; 0 to 65535 was expected. "
            "Save it with 8 or 16 bits."
        )
    note = "16-bit grey, divided by 257"
    if 0 < high < 4096:
        note += f" (its brightest value is {high:g}: 12 bits in 16? It comes out dark)"
    return np.rint(values / 257.0).astype(np.uint8), note


def _over_white(image: Image.Image) -> tuple[Image.Image, str]:
    coloured = image.convert("RGBA")
    alpha = coloured.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return coloured.convert("RGB"), "alpha channel, opaque everywhere"
    white = Image.new("RGBA", coloured.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, coloured).convert("RGB"), "transparency laid over white"
