"""The two WBC segmentation sets of Zheng et al.: single cells with grey masks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...errors import ManifestError
from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .texts import table_of
from .tree import Tree, stem, suffix

__all__ = ["CARD", "READER", "mask_of"]

TYPES = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}
CARD = DatasetCard(
    name="wbc-seg",
    title="WBC image segmentation data sets 1 (Jiangxi Tecom) and 2 (CellaVision)",
    classes={name: "normal" if name == "lymphocyte" else "" for name in TYPES.values()},
    normal_means="lymphocytes",
    licence="repository GPL-3.0; the pictures' rights are unclear: test only",
    citation=(
        "Zheng X, Wang Y, Wang G, Liu J (2018). Fast and robust segmentation of white blood cell "
        "images by self-supervised learning. Micron 107:55–71. "
        "doi:10.1016/j.micron.2018.01.010"
    ),
    url="https://github.com/zxaoyou/segmentation_WBC",
    subject_is="not published",
    groups_inferred=True,
    group_note="groups inferred: no subjects are published, only look-alike images are joined",
    notes=(
        "Masks are grey: nucleus above 200, whole cell above 100, with a few stray levels.",
        "Set 1 is about 120×120 (a rapid stain), set 2 is 300×300.",
    ),
)
FOLDER = re.compile(r"^dataset ?([12])$", re.IGNORECASE)
TABLE = re.compile(r"^class labels of dataset ([12])\.csv$", re.IGNORECASE)


class Cell(NamedTuple):
    """One image with its set (1 or 2) and number."""

    file: str
    set: str
    number: str


def _found(tree: Tree) -> Iterator[Cell]:
    """Published ``Dataset N/NNN.bmp``, or ``datasetN/images/NNN.*``; masks are passed over."""
    for file in tree.ending(".bmp", ".png"):
        if not stem(file).isdigit():
            continue
        above = tree.parents(file)
        inside = above[1:2] if above[0].lower() == "images" else above[:1]
        named = FOLDER.match(inside[0]) if inside else None
        if named and (suffix(file) == ".bmp" or above[0].lower() == "images"):
            yield Cell(file, named[1], str(int(stem(file))))


def _cells(tree: Tree) -> tuple[list[Cell], list[str]]:
    """One cell a set and number (the published BMP first), and the copies that are left out."""
    found = sorted(_found(tree), key=lambda cell: (suffix(cell.file) != ".bmp", cell.file))
    once: dict[tuple[str, str], Cell] = {}
    for cell in found:
        once.setdefault((cell.set, cell.number), cell)
    kept = {cell.file for cell in once.values()}
    return list(once.values()), [cell.file for cell in found if cell.file not in kept]


def look(tree: Tree) -> Recognised | None:
    """Numbered cells in folders called dataset 1 or 2."""
    cells, _ = _cells(tree)
    if not cells:
        return None
    counts = [sum(cell.set == number for cell in cells) for number in "12"]
    return Recognised("wbc-seg", len(cells), f"data set 1: {counts[0]}, 2: {counts[1]} cells")


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a cell, ``dataset`` wbc-seg-1 or wbc-seg-2; types from the published tables."""
    cells, copies = _cells(tree)
    types = _types(tree)
    made = []
    for cell in cells:
        published = types.get((cell.set, cell.number), "")
        made.append(
            {
                "image": cell.file,
                "label": TYPES.get(published, ""),
                "source_label": published,
                "dataset": f"wbc-seg-{cell.set}",
            }
        )
    notes = list(CARD.notes)
    if copies:
        notes.append(
            f"{len(copies)} cells stand here twice; each is read once, from the published BMP."
        )
    if not types:
        notes.append(
            "The tables 'Class Labels of Dataset N.csv' are not here: no cell has a label."
        )
    return manifest_from_rows(made, CARD.model_copy(update={"notes": tuple(notes)}), tree.root)


def _types(tree: Tree) -> dict[tuple[str, str], str]:
    """The published class (1–5) of each (set, number)."""
    types = {}
    for path in tree.beside(lambda path: TABLE.match(path.name) is not None):
        named = TABLE.match(path.name)
        for line, row in enumerate(table_of(path)[1:], start=2):
            if len(row) < 2 or not row[0].isdigit() or row[1] not in TYPES:
                raise ManifestError(
                    f"{path}: row {line}: {','.join(row)!r}; expected an image number and a "
                    "class from 1 to 5."
                )
            if named is not None:
                types[named[1], str(int(row[0]))] = row[1]
    return types


def _companions(tree: Tree) -> set[str]:
    """Second copies, and the published masks, which lie beside the cells."""
    cells, copies = _cells(tree)
    return {*copies, *(cell.file[: -len(".bmp")] + ".png" for cell in cells)} - {
        cell.file for cell in cells
    }


def mask_of(folder: Path, image: str) -> Path | None:
    """The grey mask of a cell: ``NNN.png`` beside the BMP, or in ``masks`` beside ``images``."""
    path, name = folder / image, PurePosixPath(image).stem + ".png"
    beside = path.parent.parent / "masks" / name if path.suffix != ".bmp" else path.parent / name
    return beside if beside.is_file() else None


READER = Reader(
    name="wbc-seg",
    title="WBC segmentation 1 and 2",
    layout="'Dataset N/NNN.bmp' with masks NNN.png and 'Class Labels of Dataset N.csv', or "
    "datasetN/{images,masks}/NNN.png",
    look=look,
    rows=rows,
    passed=_companions,
)
