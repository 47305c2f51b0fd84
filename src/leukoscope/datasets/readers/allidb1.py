"""ALL-IDB1: whole fields, with the centres of blasts (and of other cells) as ``xyc`` files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ...errors import ManifestError
from ...progress import Progress
from ..card import DatasetCard
from ..facts import field_groups
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .texts import text_of
from .tree import Tree, stem

__all__ = ["CARD", "READER", "centres"]

CARD = DatasetCard(
    name="allidb1",
    title="ALL-IDB1 (Università degli Studi di Milano)",
    classes={"blast": "blast", "normal": "normal"},
    normal_means="fields of healthy people; blast means a field of a patient with ALL",
    licence="on request from the University of Milan, research only",
    citation=(
        "Labati RD, Piuri V, Scotti F (2011). ALL-IDB: the acute lymphoblastic leukemia image "
        "database for image processing. IEEE ICIP, 2045–2048. doi:10.1109/ICIP.2011.6115881"
    ),
    url="https://homes.di.unimi.it/scotti/all/",
    subject_is="not published",
    groups_inferred=True,
    group_note="groups inferred: fields that overlap (found by template matching)",
    notes=(
        "One row is a whole field; some fields have an orange arrow drawn in.",
        "ALL-IDB2 is cut from these fields: never train on one and test on the other.",
    ),
)
NAME = re.compile(r"^Im(\d+)_([01])$", re.IGNORECASE)
GROUP_NAMESPACE = "allidb"
"""Shared with ALL-IDB2, whose crops lie on these fields: joined sets keep them together."""


def numbered(tree: Tree, *suffixes: str) -> Iterator[tuple[str, str]]:
    """Files named ``ImNNN_Y`` with these suffixes, each with that name."""
    for file in tree.ending(*suffixes):
        name = NAME.match(stem(file))
        if name:
            yield file, f"Im{name[1]}_{name[2]}"


def look(tree: Tree) -> Recognised | None:
    """Fields named ``ImNNN_Y.jpg``."""
    fields = list(numbered(tree, ".jpg", ".jpeg"))
    if not fields:
        return None
    tables = sum(1 for _ in tree.ending(".xyc"))
    return Recognised(
        "allidb1", len(fields), f"{len(fields)} fields ImNNN_Y.jpg, {tables} xyc files"
    )


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """One row a field."""
    made = []
    for file, field in numbered(tree, ".jpg", ".jpeg"):
        made.append(
            {
                "image": file,
                "label": "blast" if field.endswith("_1") else "normal",
                "source_label": field[-1],
                "group": f"{GROUP_NAMESPACE}:{field_groups().get(field, field)}",
                "group_source": "inferred",
            }
        )
    return manifest_from_rows(made, CARD, tree.root)


def centres(folder: Path, image: str, *, kind: str = "blast") -> tuple[tuple[int, int], ...]:
    """Centres (x, y) in pixels of a field's blasts, or of its ``kind="other"`` cells.

    An empty table means that none is there; so does a missing one of other cells.

    Parameters
    ----------
    folder
        The manifest's folder.
    image
        A row's image, such as ``im/Im001_1.jpg``.

    Raises
    ------
    ManifestError
        When the table of blasts is missing, or a line is no pair of whole numbers.
    """
    place = (folder / image).parent
    folders = ("xyc",) if kind == "blast" else ("other_xyc",)
    name = PurePosixPath(image).stem + ".xyc"
    beside = [place.parent / sub / name for sub in folders]
    candidates = [*beside, place / name] if kind == "blast" else beside
    path = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
    if path is None:
        if kind == "other":
            return ()
        raise ManifestError(
            f"{beside[0]}: there is no table of centres for {image}. "
            "ALL-IDB1 keeps them in the folder xyc beside im."
        )
    found = []
    for number, line in enumerate(text_of(path).splitlines()):
        values = line.split()
        if not values:
            continue
        if len(values) < 2 or not all(value.lstrip("-").isdigit() for value in values[:2]):
            raise ManifestError(
                f"{path}: line {number + 1}: {line!r}; two whole numbers x and y were expected."
            )
        found.append((int(values[0]), int(values[1])))
    return tuple(found)


READER = Reader(
    name="allidb1",
    title="ALL-IDB1",
    layout="im/ImNNN_Y.jpg (Y is 1 with blasts, 0 healthy) with xyc/ImNNN_Y.xyc",
    look=look,
    rows=rows,
)
