"""From which field (a whole micrograph) each cell image was cut, where the data tell.

Cells of one field share stain, light and focus: a split that cuts a field tests on what it has
all but seen. Known where several boxes lie in one file, and of the sets whose names or facts say
it: C-NMC's ``UID_<subject>_<image>_<cell>``, and ALL-IDB2's crops of ALL-IDB1 fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

from .facts import crop_fields
from .manifest import Manifest
from .readers.cnmc import cell_field

__all__ = ["fields"]


def _allidb2(stem: str) -> str:
    known = crop_fields().get(stem)
    return "" if known is None else f"allidb1:{known['slide'].partition('.')[0]}"


BY_NAME: dict[str, Callable[[str], str]] = {
    "cnmc": cell_field,
    "rendered-cnmc": cell_field,
    "allidb2": _allidb2,
}
"""Data set → the field of a file's stem, or nothing. A rendered C-NMC is named alike; of a rendered
ALL-IDB2 the facts of the real one say nothing."""


def fields(manifest: Manifest) -> list[str]:
    """The field of each row; empty where it is not known.

    Augmented copies have none of their own: their parent's part decides.
    """
    images = [str(image) for image in manifest.column("image")]
    boxes = Counter(image for image, box in zip(images, manifest.boxes, strict=True) if box)
    found = []
    for image, dataset in zip(images, manifest.column("dataset"), strict=True):
        by_name = BY_NAME.get(str(dataset))
        if boxes[image] > 1:
            found.append(image)
        else:
            found.append(by_name(PurePosixPath(image).stem) if by_name else "")
    return found
