"""BCCD: fields with VOC boxes of white cells, red cells and platelets."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import ManifestError
from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .tree import Tree, stem

__all__ = ["CARD", "READER", "Box", "boxes"]

CARD = DatasetCard(
    name="bccd",
    title="BCCD, blood cell count and detection",
    classes={"wbc": ""},
    licence="MIT",
    citation="Shenggan et al. BCCD dataset. https://github.com/Shenggan/BCCD_Dataset",
    url="https://github.com/Shenggan/BCCD_Dataset",
    subject_is="not published",
    groups_inferred=True,
    group_note="groups inferred: the cells of one field, and look-alike images",
    image_size=(640, 480),
    notes=(
        "One row is the box of one white cell; its type is not published, so it is neither blast "
        "nor normal.",
        "Boxes of red cells are incomplete: never score them. Seven white cells of the whole set "
        "have no box.",
    ),
)
KINDS = {"wbc": "wbc", "rbc": "rbc", "platelets": "platelet"}


@dataclass(frozen=True)
class Box:
    """A published box: ``kind`` is wbc, rbc or platelet; 0-based half-open pixels."""

    kind: str
    x0: int
    y0: int
    x1: int
    y1: int


def _annotation(folder: Path, image: str) -> Path:
    above = (folder / image).resolve().parent.parent
    return above / "Annotations" / (PurePosixPath(image).stem + ".xml")


def _annotated(tree: Tree) -> list[str]:
    """Images of ``JPEGImages`` that have an annotation."""
    return [
        file
        for file in tree.ending(".jpg", ".jpeg", ".png")
        if tree.parents(file)[0] == "JPEGImages" and _annotation(tree.root, file).is_file()
    ]


def look(tree: Tree) -> Recognised | None:
    """Fields and annotations in VOC's folders."""
    fields = _annotated(tree)
    if not fields:
        return None
    return Recognised(
        "bccd", len(fields), f"{len(fields)} fields in JPEGImages, each with its Annotations/*.xml"
    )


def boxes(folder: Path, image: str) -> tuple[Box, ...]:
    """All boxes of a field: white cells, red cells, platelets, each box once.

    VOC counts pixels from 1 and includes the last; boxes here are 0-based and half-open. Boxes
    without an area (two red cells of the set) are left out.

    Raises
    ------
    ManifestError
        When the annotation is missing, is no VOC XML, or names an unknown kind.
    """
    path = _annotation(folder, image)
    try:
        objects = ElementTree.parse(path).getroot().findall("object")
        found = [_box(item) for item in objects]
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no annotation for {image}.") from None
    except (ElementTree.ParseError, TypeError, ValueError, KeyError) as error:
        raise ManifestError(
            f"{path}: cannot be read as VOC boxes ({error}); expected object/name (WBC, RBC or "
            "Platelets) and object/bndbox/{xmin,ymin,xmax,ymax}."
        ) from error
    whole = [box for box in found if box.x1 > box.x0 + 1 and box.y1 > box.y0 + 1]
    return tuple(dict.fromkeys(whole))


def _box(item: ElementTree.Element) -> Box:
    kind = KINDS[(item.findtext("name") or "").strip().lower()]
    x0, y0, x1, y1 = (
        int(float(item.findtext(f"bndbox/{side}") or "missing"))
        for side in ("xmin", "ymin", "xmax", "ymax")
    )
    return Box(kind, max(x0 - 1, 0), max(y0 - 1, 0), x1, y1)


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a white cell; the cells of a field are one group."""
    made: list[dict[str, Any]] = []
    empty: list[str] = []
    for file in _annotated(tree):
        cells = [box for box in boxes(tree.root, file) if box.kind == "wbc"]
        if not cells:
            empty.append(stem(file))
        whole = {
            "image": file,
            "label": "wbc",
            "source_label": "WBC",
            "group": f"bccd:{stem(file)}",
            "group_source": "inferred",
        }
        made += [whole | {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1} for box in cells]
    card = CARD
    if empty:
        names = ", ".join(empty[:10])
        note = f"Fields without a white-cell box, which have no row ({len(empty)}): {names}."
        card = card.model_copy(update={"notes": (*card.notes, note)})
    return manifest_from_rows(made, card, tree.root)


READER = Reader(
    name="bccd",
    title="BCCD",
    layout="JPEGImages/*.jpg with Annotations/*.xml (VOC boxes WBC, RBC, Platelets)",
    look=look,
    rows=rows,
    passed=_annotated,
)
