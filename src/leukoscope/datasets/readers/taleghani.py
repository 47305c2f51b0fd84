"""Taleghani hospital: 224×224 fields (Original and Segmented), and the four-class fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .tree import Tree, stem

__all__ = ["CARD", "FOUR_CLASS_CARD", "READER", "RUN", "number_in_class", "segmented_twin"]

RUN = 20
"""Consecutive file numbers of a class that are taken for one slide."""

CARD = DatasetCard(
    name="taleghani",
    title="Taleghani ALL images (Aria et al., Kaggle)",
    classes={"benign": "normal", "early": "blast", "pre": "blast", "pro": "blast"},
    normal_means="hematogones (benign B-lymphoid precursors)",
    licence="not known: treat as research only",
    citation=(
        "Aria M, Ghaderzadeh M, Bashash D, Abolghasemi H, Asadi F, Hosseini A (2021). Acute "
        "Lymphoblastic Leukemia (ALL) image dataset. Kaggle. doi:10.34740/KAGGLE/DSV/2175623"
    ),
    url="https://doi.org/10.34740/KAGGLE/DSV/2175623",
    subject_is="not published (89 patients, 25 benign and 64 malignant; no ids in the names)",
    groups_inferred=True,
    group_note=f"groups inferred: runs of {RUN} consecutive file numbers of a class",
    image_size=(224, 224),
    notes=(
        "One row is a small field of a few cells.",
        "Neighbours in file number are the same slide: a random split leaks. Forward in number "
        "(test on the last numbers of each class) is the harder holdout beside the groups.",
        "40 byte-identical pairs in the whole set, all within pro, neighbours in number.",
        "Segmented twins are not rows: their background was removed with an HSV threshold.",
    ),
)
FOUR_CLASS_CARD = CARD.model_copy(
    update={
        "name": "taleghani-4class",
        "title": "Blood Cells Cancer (ALL), four classes (Taleghani, Kaggle)",
        "citation": (
            "Hosseini A, Eshraghi MA, Taami T et al. (2023). A mobile application based on "
            "efficient lightweight CNN model for classification of B-ALL cancer from "
            "non-cancerous cells. Informatics in Medicine Unlocked 39:101244. "
            "doi:10.1016/j.imu.2023.101244"
        ),
        "url": "https://www.kaggle.com/datasets/mohammadamireshraghi/blood-cell-cancer-all-4class",
        "image_size": (1024, 768),
        "notes": (
            "One row is a field.",
            "From the same hospital and 89 patients as the 224×224 set: never train on one and "
            "test on the other.",
            CARD.notes[1],
        ),
    }
)

SMALL = re.compile(r"^WBC-(Benign|Malignant-(?:Early|Pre|Pro))-(\d+)$", re.IGNORECASE)
FOLDERS = {
    "benign": "benign",
    "[malignant] early pre-b": "early",
    "[malignant] pre-b": "pre",
    "[malignant] pro-b": "pro",
}
NUMBERED = re.compile(r"^\D*?(\d+)")
PHOTOS = (".jpg", ".jpeg", ".png")


class Field(NamedTuple):
    """One image, its published class and its number within it."""

    file: str
    label: str
    source: str
    number: int | None


def number_in_class(image: str) -> int | None:
    """The number in an image's name: 41 of ``WBC-Malignant-Pro-041.jpg``, 13 of
    ``Sap_013 (2).jpg``; None where there is none."""
    name = PurePosixPath(image).stem
    small = SMALL.match(name)
    if small:
        return int(small[2])
    found = NUMBERED.match(name)
    return int(found[1]) if found else None


def segmented_twin(folder: Path, image: str) -> Path | None:
    """The segmented version of an original image, where it is here."""
    parts = list(PurePosixPath(image).parts)
    path = folder / image
    if "Original" in parts:
        parts[parts.index("Original")] = "Segmented"
        path = folder.joinpath(*parts)
    elif folder.resolve().name == "Original":
        path = folder.resolve().parent / "Segmented" / image
    else:
        return None
    return path if path.is_file() else None


def _is_segmented(tree: Tree, file: str) -> bool:
    return any(part.lower() == "segmented" for part in tree.parents(file))


def _small(tree: Tree) -> tuple[list[Field], int]:
    """The 224×224 images that are rows, and how many segmented twins are passed over."""
    originals: list[Field] = []
    twins: list[Field] = []
    for file in tree.ending(*PHOTOS):
        name = SMALL.match(stem(file))
        if name:
            label = name[1].lower().removeprefix("malignant-")
            row = Field(file, label, name[1], int(name[2]))
            (twins if _is_segmented(tree, file) else originals).append(row)
    return (originals, len(twins)) if originals else (twins, 0)


def _four_class(tree: Tree) -> Iterator[Field]:
    classes = {
        file: (parent, FOLDERS[parent.lower()])
        for file in tree.ending(*PHOTOS)
        for parent in tree.parents(file)[:1]
        if parent.lower() in FOLDERS
    }
    # A folder 'benign' alone is anybody's; the bracketed names are this set's own.
    if any(source.startswith("[") for source, _ in classes.values()):
        for file, (source, label) in classes.items():
            yield Field(file, label, source, number_in_class(file))


def look(tree: Tree) -> Recognised | None:
    """Either naming."""
    small, twins = _small(tree)
    large = list(_four_class(tree))
    if not small and not large:
        return None
    seen = [f"{len(small)} images WBC-…-NNN"] if small else []
    seen += [f"{twins} segmented twins"] if twins else []
    seen += [f"{len(large)} fields in [Malignant] … folders"] if large else []
    return Recognised("taleghani", len(small) + len(large), ", ".join(seen))


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row an original image; with only segmented ones here, those."""
    small, twins = _small(tree)
    large = list(_four_class(tree))
    card = CARD if small else FOUR_CLASS_CARD
    if small and not twins and _is_segmented(tree, small[0].file):
        card = card.model_copy(
            update={"notes": (*card.notes, "Only segmented images are here: these rows are them.")}
        )
    made = [
        {
            "image": field.file,
            "label": field.label,
            "source_label": field.source,
            "dataset": name,
            "group": _run(name, field),
            "group_source": "inferred",
        }
        for name, fields in ((CARD.name, small), (FOUR_CLASS_CARD.name, large))
        for field in fields
    ]
    return manifest_from_rows(made, card, tree.root)


def _run(dataset: str, field: Field) -> str:
    """Runs are cut at multiples of ``RUN``, so that missing numbers do not shift them."""
    if field.number is None:
        return f"{dataset}:{field.label}-unnumbered"
    return f"{dataset}:{field.label}-{field.number // RUN * RUN:04d}"


READER = Reader(
    name="taleghani",
    title="Taleghani",
    layout=(
        "Original/{Benign,Early,Pre,Pro}/WBC-{Benign,Malignant-Early,…}-NNN.jpg with twins in "
        "Segmented/; or the folders Benign, [Malignant] early Pre-B, [Malignant] Pre-B, "
        "[Malignant] Pro-B"
    ),
    look=look,
    rows=rows,
)
