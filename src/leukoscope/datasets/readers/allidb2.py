"""ALL-IDB2: single cells cut from the fields of ALL-IDB1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ...progress import Progress
from ..card import DatasetCard
from ..facts import components, crop_fields
from ..manifest import Manifest, manifest_from_rows
from .allidb1 import CARD as FIELDS_CARD
from .allidb1 import GROUP_NAMESPACE, numbered
from .reader import Options, Reader, Recognised
from .tree import Tree

__all__ = ["CARD", "READER", "crop_groups", "mask_of"]

CARD = DatasetCard(
    name="allidb2",
    title="ALL-IDB2 (Università degli Studi di Milano)",
    classes={"blast": "blast", "normal": "normal"},
    normal_means=(
        "mixed leukocytes of healthy people: lymphocytes, but also neutrophils, eosinophils, "
        "monocytes and blurred cells"
    ),
    licence=FIELDS_CARD.licence,
    citation=FIELDS_CARD.citation,
    url=FIELDS_CARD.url,
    subject_is="not published",
    groups_inferred=True,
    group_note=(
        "groups inferred: crops of the same or overlapping ALL-IDB1 fields "
        "(found by template matching)"
    ),
    image_size=(257, 257),
    notes=(
        "Slide and label coincide: blasts all lie on fields of patients, the others on fields of "
        "healthy people. A figure on this set may measure the slide.",
        "Some crops are smaller than 257×257: they were cut at the field's edge.",
        "Five normal crops repeat a cell.",
        "Cut from ALL-IDB1: never train on one and test on the other.",
    ),
)


def look(tree: Tree) -> Recognised | None:
    """Crops named ``ImNNN_Y.tif``."""
    crops = list(numbered(tree, ".tif", ".tiff"))
    if not crops:
        return None
    return Recognised("allidb2", len(crops), f"{len(crops)} crops ImNNN_Y.tif")


def crop_groups(names: Sequence[str]) -> dict[str, str]:
    """The group of each crop name (``Im001_1``): the fields it shares with other crops.

    The table knows 175 of 260 crops. Crops were numbered field by field, so one that it does not
    know lies on the fields of its neighbours in number or between them; where such a crop is
    here, the groups on both sides of the gap become one, so that none is cut.
    """
    known = crop_fields()
    links: list[list[str]] = []
    for label in "01":
        ordered = sorted(
            {name for name in (*names, *known) if name.endswith(f"_{label}")},
            key=lambda name: int(re.sub(r"\D", "", name.partition("_")[0])),
        )
        before, gap = "", list[str]()
        for name in ordered:
            if name not in known:
                gap.append(f"crop {name}")
                continue
            group = known[name]["slide_group"]
            links.append([group])
            if gap:
                links.append([*filter(None, [before]), *gap, group])
            before, gap = group, []
        if gap:
            links.append([*filter(None, [before]), *gap])
    joined = components(links)
    return {
        name: joined[known[name]["slide_group"] if name in known else f"crop {name}"].removeprefix(
            "crop "
        )
        for name in names
    }


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a crop, grouped by the field that it was cut from."""
    crops = list(numbered(tree, ".tif", ".tiff"))
    groups = crop_groups([name for _, name in crops])
    made = [
        {
            "image": file,
            "label": "blast" if name.endswith("_1") else "normal",
            "source_label": name[-1],
            "group": f"{GROUP_NAMESPACE}:{groups[name]}",
            "group_source": "inferred",
        }
        for file, name in crops
    ]
    return manifest_from_rows(made, CARD, tree.root)


def mask_of(folder: Path, image: str) -> Path | None:
    """The mask of a crop (Loddo & Putzu: white background, cyan nucleus, blue cytoplasm)."""
    path = (folder / image).parent.parent / "masks" / (PurePosixPath(image).stem + ".png")
    return path if path.is_file() else None


READER = Reader(
    name="allidb2",
    title="ALL-IDB2",
    layout="img/ImNNN_Y.tif (Y is 1 for a blast, 0 for another cell)",
    look=look,
    rows=rows,
)
