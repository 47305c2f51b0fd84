"""SN-AM: bone-marrow fields of B-ALL and of multiple myeloma, with masks beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .tree import Tree, stem

__all__ = ["CARD", "READER", "masks_of"]

CARD = DatasetCard(
    name="snam",
    title="SN-AM, stain-normalised microscopic images of B-ALL and MM (TCIA)",
    classes={"b-all": "blast", "mm": ""},
    normal_means="nothing: the set has no healthy class",
    licence="CC BY 3.0 or 4.0 (sources differ)",
    citation=(
        "Gupta A, Gupta R (2019). SN-AM dataset: white blood cancer dataset of B-ALL and MM for "
        "stain normalization. The Cancer Imaging Archive. doi:10.7937/tcia.2019.of2w8lxr"
    ),
    url="https://doi.org/10.7937/tcia.2019.of2w8lxr",
    subject_is="not published",
    groups_inferred=True,
    group_note="groups inferred: no subjects are published, only look-alike images are joined",
    image_size=(2560, 1920),
    notes=(
        "No healthy class: B-ALL blasts against myeloma plasma cells says nothing about finding "
        "leukemia among normal cells.",
        "The published 90 + 100 files include masks (nucleus, cytoplasm, background): only raw "
        "fields are rows, about 30 of each disease.",
        "Bone-marrow aspirates, Jenner–Giemsa, 1000×, Nikon Eclipse-200.",
    ),
)
DISEASE = re.compile(r"^(?:SN-AM[-_ ]*)?(?:(?P<ball>B[-_ ]?ALL)|(?P<mm>MM))\b.*$", re.IGNORECASE)
MASK = re.compile(
    r"(?:^|[-_ .(])(?:mask|nuc|nucleus|nuclei|cyt|cyto|cytoplasm|bg|background)s?"
    r"(?:[-_ .)\d]|$)",
    re.IGNORECASE,
)
FORMATS = (".bmp", ".tif", ".tiff", ".png", ".jpg")


def _files(tree: Tree) -> Iterator[tuple[str, str, bool]]:
    """Each image of a disease folder: path, label, and whether it is a mask."""
    for file in tree.ending(*FORMATS):
        above = tree.parents(file)
        label = next(
            (
                "b-all" if found["ball"] else "mm"
                for found in map(DISEASE.match, above)
                if found is not None
            ),
            "",
        )
        if label:
            inside = above[: next(i for i, part in enumerate(above) if DISEASE.match(part))]
            yield file, label, any(MASK.search(part) for part in (stem(file), *inside))


def look(tree: Tree) -> Recognised | None:
    """Folders B-ALL and MM with bitmap fields; without masks, both folders must be there."""
    files = list(_files(tree))
    fields = [label for _, label, mask in files if not mask]
    published = any(file.lower().endswith(".bmp") for file, _, _ in files)
    if not fields or not (published or len(set(fields)) == 2):
        return None
    return Recognised(
        "snam",
        len(fields),
        f"{fields.count('b-all')} B-ALL and {fields.count('mm')} MM fields, "
        f"{len(files) - len(fields)} masks",
    )


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a raw field."""
    made = [
        {"image": file, "label": label, "source_label": "B-ALL" if label == "b-all" else "MM"}
        for file, label, mask in _files(tree)
        if not mask
    ]
    return manifest_from_rows(made, CARD, tree.root)


def masks_of(folder: Path, image: str) -> tuple[Path, ...]:
    """The mask files that belong to a field: its name with an addition, beside or below it."""
    own = PurePosixPath(image)
    place = (folder / image).parent
    near = [place, *(path for path in sorted(place.iterdir()) if path.is_dir())]
    near += [
        path
        for path in sorted(place.parent.iterdir())
        if path.is_dir() and MASK.search(path.name) and path not in near
    ]
    return tuple(
        path
        for spot in near
        for path in sorted(spot.iterdir())
        if path.suffix.lower() in FORMATS
        and path != folder / image
        and re.match(rf"{re.escape(own.stem)}(?!\d)", path.stem)
        and (MASK.search(path.stem) or MASK.search(spot.name))
    )


READER = Reader(
    name="snam",
    title="SN-AM",
    layout="folders B-ALL and MM with 2560×1920 BMP fields and their mask files",
    look=look,
    rows=rows,
    passed=lambda tree: [file for file, _, mask in _files(tree) if mask],
)
