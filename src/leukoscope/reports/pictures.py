"""Small pictures inside the report: decoded, shrunk and written as data URIs."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

from ..datasets.manifest import read_manifest
from ..errors import ImageError, LeukoscopeError
from ..records.run import Run

__all__ = ["Gallery", "find_images", "split_key", "thumbnail"]

SIDE_PX = 112
"""The longer side of a thumbnail; twice what a phone shows of it would be wasted bytes."""
QUALITY = 82
BOX = re.compile(r"^(?P<image>.+)#(?P<box>\d+,\d+,\d+,\d+)$")


@dataclass(frozen=True)
class Gallery:
    """Where the images of a run lie, or why they are not at hand."""

    folder: Path | None
    reason: str = ""


def find_images(run: Run) -> Gallery:
    """The folder that image paths of a run are relative to, when it is at hand.

    ``experiment.data.manifest`` is relative to the run's ``experiment.toml``. Nothing is raised:
    a report without pictures says why, and is a report still.
    """
    named = run.experiment.data.manifest
    if not named:
        return Gallery(None, "the experiment names no manifest")
    path = run.folder / named
    if path.is_dir():
        return Gallery(path)
    if not path.is_file():
        return Gallery(None, "the manifest that the experiment names is not at hand")
    try:
        return Gallery(read_manifest(path).folder)
    except LeukoscopeError as error:
        return Gallery(None, f"the manifest cannot be read ({type(error).__name__})")


def split_key(row: str) -> tuple[str, tuple[int, int, int, int] | None]:
    """A row key as its image and its box (None for the whole image)."""
    match = BOX.match(row)
    if match is None:
        return row, None
    x0, y0, x1, y1 = (int(part) for part in match["box"].split(","))
    return match["image"], (x0, y0, x1, y1)


def thumbnail(folder: Path, row: str, side_px: int = SIDE_PX) -> str | None:
    """A row's pixels as a JPEG data URI, or None where they cannot be read.

    Parameters
    ----------
    folder
        What image paths are relative to.
    row
        A row key, ``image`` or ``image#x0,y0,x1,y1``.
    side_px
        The longer side of the picture; smaller images are not enlarged.
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
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
