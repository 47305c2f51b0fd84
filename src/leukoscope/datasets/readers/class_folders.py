"""A plain tree: one folder a class, images in it or in folders below it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .tree import Tree

__all__ = ["READER", "class_meaning"]

BLAST = frozenset(
    {"all", "blast", "blasts", "cancer", "leukaemia", "leukaemic", "leukemia", "leukemic"}
    | {"lymphoblast", "lymphoblasts", "malignant"}
)
NORMAL = frozenset({"benign", "healthy", "hem", "normal"})
NOT_CLASSES = frozenset(
    {"annotations", "ground truth", "image", "images", "im", "img", "imgs", "jpegimages"}
    | {"label", "labels", "mask", "masks", "original", "patches", "segmented", "xyc"}
)
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def class_meaning(label: str) -> str:
    """What a class name says by itself: ``blast``, ``normal`` or nothing."""
    name = label.strip().casefold()
    return "blast" if name in BLAST else "normal" if name in NORMAL else ""


def _parted(tree: Tree) -> bool:
    """Whether the first level is train/validation/test and the second the classes."""
    above = [PurePosixPath(file).parts[:-1] for file in tree.images]
    return bool(above) and all(len(a) >= 2 and a[0].casefold() in PARTS for a in above)


def _classes(tree: Tree) -> dict[str, str]:
    """Image to class; images that lie in no class folder are left out."""
    level = 1 if _parted(tree) else 0
    found = {}
    for file in tree.images:
        above = PurePosixPath(file).parts[:-1]
        if len(above) > level and above[level].casefold() not in NOT_CLASSES:
            found[file] = above[level]
    return found


def look(tree: Tree) -> Recognised | None:
    """At least two folders of images that could be classes."""
    classes = _classes(tree)
    names = sorted(set(classes.values()))
    if len(names) < 2:
        return None
    shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
    return Recognised("class-folders", len(classes), f"{len(names)} class folders: {shown}")


def rows(tree: Tree, options: Options, _progress: Progress) -> Manifest:
    """One row an image; the label is its folder's name, the subject what the pattern finds."""
    classes = _classes(tree)
    name = re.sub(r"[^a-z0-9]+", "-", tree.name.casefold()).strip("-") or "folder"
    meanings = {label: class_meaning(label) for label in sorted(set(classes.values()))}
    taken = [f"'{label}' for {meaning}" for label, meaning in meanings.items() if meaning]
    notes = [f"Class folders were taken: {', '.join(taken)}."] if taken else []
    unknown = [label for label, meaning in meanings.items() if not meaning]
    if unknown:
        notes.append(
            f"Neither blast nor normal: {', '.join(unknown)}. Say otherwise in the card's classes."
        )
    outside = len(tree.images) - len(classes)
    if outside:
        notes.append(f"{outside} images lie in no class folder and have no row.")
    parted = _parted(tree)
    made = []
    for file, label in classes.items():
        subject = options.subject(file)
        made.append(
            {
                "image": file,
                "label": label,
                "source_label": label,
                "subject": f"{name}:{subject}" if subject else "",
                "official_split": PARTS[PurePosixPath(file).parts[0].casefold()] if parted else "",
            }
        )
    without = sum(not row["subject"] for row in made)
    card = DatasetCard(
        name=name,
        title=tree.name,
        classes=meanings,
        subject_is=f"from the file names, by '{options.subject_pattern}'"
        if options.subject_pattern
        else "not known",
        groups_inferred=without > 0,
        group_note="groups inferred: no subjects are known, only look-alike images are joined"
        if without
        else "",
        notes=tuple(notes),
    )
    if options.subject_pattern and without:
        card = card.model_copy(
            update={"notes": (*card.notes, f"The subject pattern finds none in {without} images.")}
        )
    return manifest_from_rows(made, card, tree.root)


READER = Reader(
    name="class-folders",
    title="a tree of class folders",
    layout="<class>/**/<image>, at least two classes; or {train,val,test}/<class>/**/<image>",
    look=look,
    rows=rows,
    beside=r"(^|/)(masks?|annotations|labels)/",
    generic=True,
)
