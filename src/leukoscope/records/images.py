"""Where the images of a run lie, and what a row key says of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..datasets.manifest import read_manifest
from ..errors import LeukoscopeError
from .run import Run

__all__ = ["Gallery", "find_images", "split_key"]

BOX = re.compile(r"^(?P<image>.+)#(?P<box>\d+,\d+,\d+,\d+)$")


@dataclass(frozen=True)
class Gallery:
    """Where the images of a run lie, or why they are not at hand."""

    folder: Path | None
    reason: str = ""


def find_images(run: Run) -> Gallery:
    """The folder that image paths of a run are relative to, when it is at hand.

    ``experiment.data.manifest`` is relative to the run's ``experiment.toml``. Nothing is raised:
    what needs no images goes on without them, and can say why.
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
