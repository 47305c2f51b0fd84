"""Uncompressed 24-bit bitmaps without a decoder: C-NMC is 15,114 of them.

Their pixels lie in the file as they are, so that a view of its bytes, turned upright and from BGR
to RGB, is the image. Pillow takes about twenty times as long for the same pixels.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

__all__ = ["bitmap_pixels"]

HEADER_BYTES = 54
NO_COMPRESSION = 0


def bitmap_pixels(data: bytes, max_pixels: int) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """RGB pixels (height, width, 3) of a plain 24-bit bitmap; None where it is anything else.

    Anything else is Pillow's to decode or to refuse: other depths, compression, masks, odd
    headers, too few bytes, more than ``max_pixels``.
    """
    if len(data) < HEADER_BYTES or data[:2] != b"BM":
        return None
    offset, header, width, height, planes, bits, compression = struct.unpack_from(
        "<IIiiHHI", data, 10
    )
    rows = abs(height)
    plain = header >= 40 and planes == 1 and bits == 24 and compression == NO_COMPRESSION
    if not plain or width <= 0 or not rows or width * rows > max_pixels:
        return None
    stride = (width * 3 + 3) // 4 * 4
    if offset < 14 + header or offset + stride * rows > len(data):
        return None
    lines = np.frombuffer(data, np.uint8, stride * rows, offset).reshape(rows, stride)
    blue_first = lines[:, : width * 3].reshape(rows, width, 3)
    try:
        import cv2
    except ImportError:
        upright = blue_first[::-1] if height > 0 else blue_first
        return np.ascontiguousarray(upright[..., ::-1])
    rgb = np.asarray(cv2.cvtColor(blue_first, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    if height > 0:
        cv2.flip(rgb, 0, dst=rgb)  # in place: a second buffer costs as much as the turn
    return rgb
