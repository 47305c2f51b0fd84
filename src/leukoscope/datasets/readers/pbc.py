"""PBC (Barcelona): eight folders of normal peripheral blood cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .tree import Tree, stem

__all__ = ["CARD", "READER"]

CLASSES = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "ig",
    "lymphocyte",
    "monocyte",
    "neutrophil",
    "platelet",
)
CARD = DatasetCard(
    name="pbc",
    title="PBC, normal peripheral blood cells (Hospital Clínic de Barcelona)",
    classes={name: "normal" if name == "lymphocyte" else "" for name in CLASSES},
    normal_means="lymphocytes of people without infection, hematologic or oncologic disease",
    licence="CC BY 4.0",
    citation=(
        "Acevedo A, Merino A, Alférez S, Molina Á, Boldú L, Rodellar J (2020). A dataset of "
        "microscopic peripheral blood cell images for development of automatic recognition "
        "systems. Data in Brief 30:105474. doi:10.17632/snkd93bnjr.1"
    ),
    url="https://doi.org/10.17632/snkd93bnjr.1",
    subject_is="not published",
    groups_inferred=True,
    group_note="groups inferred: no subjects are published, only look-alike images are joined",
    image_size=(360, 363),
    notes=(
        "Contains no blasts.",
        "ig are immature granulocytes: promyelocytes (PMY), myelocytes (MY), metamyelocytes "
        "(MMY) and some not told apart (IG).",
        "Groups hold no more than look-alike images: a split by them may part a donor's cells.",
    ),
)
NAME = re.compile(r"^(?:BA|BNE|EO|ERB|IG|LY|MMY|MO|MY|NEUTROPHIL|PLATELET|PMY|SNE)_\d+$")


def _cells(tree: Tree) -> Iterator[tuple[str, str]]:
    for file in tree.ending(".jpg", ".jpeg", ".png"):
        parent = tree.parents(file)[0].lower()
        if parent in CLASSES and NAME.match(stem(file)):
            yield file, parent


def look(tree: Tree) -> Recognised | None:
    """Class folders with PBC's own file names."""
    cells = list(_cells(tree))
    if not cells:
        return None
    classes = sorted({label for _, label in cells})
    return Recognised("pbc", len(cells), f"{len(cells)} cells in {', '.join(classes)}")


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a cell; ``source_label`` keeps the finer class of the file name (SNE, MMY, …)."""
    made = [
        {"image": file, "label": label, "source_label": stem(file).partition("_")[0]}
        for file, label in _cells(tree)
    ]
    return manifest_from_rows(made, CARD, tree.root)


READER = Reader(
    name="pbc",
    title="PBC",
    layout="{" + ",".join(CLASSES) + "}/<PREFIX>_<number>.jpg, as folders or in one zip",
    look=look,
    rows=rows,
)
