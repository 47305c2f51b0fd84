"""Thumbnails: the right pixels, small, and nothing from outside the data's folder."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.reports.pictures import SIDE_PX, thumbnail


def opened(uri: str | None) -> Image.Image:
    assert uri is not None
    kind, data = uri.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """A folder with a field of 400×300 whose left half is red."""
    pixels = np.zeros((300, 400, 3), dtype=np.uint8)
    pixels[:, :200, 0] = 220
    Image.fromarray(pixels).save(tmp_path / "field.png")
    return tmp_path


def test_a_thumbnail_is_small_and_keeps_its_shape(field: Path) -> None:
    picture = opened(thumbnail(field, "field.png"))
    assert picture.size == (SIDE_PX, SIDE_PX * 300 // 400)
    assert len(thumbnail(field, "field.png") or "") < 6000


def test_a_box_is_cut_out(field: Path) -> None:
    red = np.asarray(opened(thumbnail(field, "field.png#10,10,60,60")))
    black = np.asarray(opened(thumbnail(field, "field.png#300,10,350,60")))
    assert red.shape == (50, 50, 3)
    # JPEG keeps a flat colour within a few levels.
    assert abs(red[..., 0].mean() - 220) < 4
    assert black.mean() < 4


def test_what_cannot_be_shown_is_none(field: Path) -> None:
    (field / "broken.png").write_bytes(b"no image")
    (field / "inner").mkdir()
    assert thumbnail(field, "broken.png") is None
    assert thumbnail(field, "absent.png") is None
    assert thumbnail(field / "inner", "../field.png") is None
    assert thumbnail(field, "field.png#900,900,950,950") is None
