"""C-NMC 2019: three training folds, the preliminary test with its labels, the final test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import ManifestError
from ...progress import Progress
from ..card import DatasetCard
from ..facts import cnmc_linked_subjects
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .texts import header_of, table_of
from .tree import Tree, stem, suffix

__all__ = ["CARD", "READER", "cell_field"]

CARD = DatasetCard(
    name="cnmc",
    title="C-NMC 2019 (TCIA, ISBI 2019 challenge)",
    classes={"blast": "blast", "normal": "normal"},
    normal_means="lymphoid cells (B-lineage progenitors) of healthy donors",
    licence="CC BY 3.0",
    citation=(
        "Gupta A, Gupta R (2019). ALL Challenge dataset of ISBI 2019 (C-NMC 2019). "
        "The Cancer Imaging Archive. doi:10.7937/tcia.2019.dc64i46r"
    ),
    url="https://doi.org/10.7937/tcia.2019.dc64i46r",
    subject_is=(
        "a patient with B-ALL, or a healthy donor (ids that begin with H), from the file names; "
        "the final test names none"
    ),
    image_size=(450, 450),
    notes=(
        "One segmented cell an image, stain-normalised, on black: leave the black out of colour "
        "statistics and stain normalisation.",
        "The official folds are not clean: 104 pairs of byte-identical training images under "
        "different names, 94 of them across folds. They tie subjects 20–21, 51–75–78, H10–H3 and "
        "H2–H4–H5–H6: 73 ids are 66 independent groups.",
        "No subject gives both classes: subject and label coincide.",
    ),
)

CELL = re.compile(
    r"^UID_(?P<subject>H?\d+)_(?P<image>\d+)_(?P<cell>\d+)_(?P<label>all|hem)$", re.IGNORECASE
)
PARTS = {
    "preliminary": re.compile(r"C-NMC_test_prelim_phase_data", re.IGNORECASE),
    "final": re.compile(r"C-NMC_test_final_phase_data", re.IGNORECASE),
}
LABELS = {"all": "blast", "hem": "normal", "1": "blast", "0": "normal"}
TABLE = ["patient_id", "new_names", "labels"]
FORMATS = (".bmp", ".png", ".tif", ".tiff")
"""In order of preference where one cell stands in several formats."""


def look(tree: Tree) -> Recognised | None:
    """Cells by their names, numbered test images by their folders."""
    training, copies = _once(tree)
    tests = {part: list(_test(tree, part)) for part in PARTS}
    total = len(training) + sum(map(len, tests.values()))
    if not total:
        return None
    seen = [f"{len(training)} cells named UID_…_{{all,hem}}"] if training else []
    seen += [f"{len(copies)} of them in a second format"] if copies else []
    seen += [f"{len(files)} images of the {part} test" for part, files in tests.items() if files]
    return Recognised("cnmc", total, ", ".join(seen))


def rows(tree: Tree, _options: Options, _progress: Progress) -> Manifest:
    """The manifest; a cell that stands in several formats is one row, of the published BMP."""
    card = CARD
    chosen, copies = _once(tree)
    made = [_row(file, _fold(tree, file), (stem(file), "")) for file in chosen]
    if copies:
        card = _noted(card, f"{len(copies)} cells stand here in two formats; each is read once.")
    preliminary = list(_test(tree, "preliminary"))
    labels = _preliminary_labels(tree) if preliminary else {}
    if preliminary and not labels:
        card = _noted(
            card,
            "The preliminary test's table (C-NMC_test_prelim_phase_data_labels.csv) is not here: "
            "its images have no label and no subject.",
        )
    for file in preliminary:
        made.append(_row(file, "preliminary", labels.get(PurePosixPath(file).name.casefold())))
    made += [_row(file, "final", None) for file in _test(tree, "final")]
    return manifest_from_rows(made, card, tree.root)


def _once(tree: Tree) -> tuple[list[str], list[str]]:
    """The training cells, each once, and the second copies that are passed over."""
    chosen: dict[str, str] = {}
    files = sorted(_training(tree), key=lambda file: (FORMATS.index(suffix(file)), file))
    for file in files:
        chosen.setdefault(f"{_fold(tree, file)}/{stem(file)}".casefold(), file)
    kept = set(chosen.values())
    return list(chosen.values()), [file for file in files if file not in kept]


def _noted(card: DatasetCard, note: str) -> DatasetCard:
    return card.model_copy(update={"notes": (*card.notes, note)})


def _training(tree: Tree) -> Iterator[str]:
    for file in tree.ending(*FORMATS):
        if CELL.match(stem(file)):
            yield file


def _test(tree: Tree, part: str) -> Iterator[str]:
    for file in tree.ending(*FORMATS):
        if stem(file).isdigit() and any(PARTS[part].fullmatch(p) for p in tree.parents(file)):
            yield file


def _fold(tree: Tree, file: str) -> str:
    folds = [p.lower() for p in tree.parents(file) if re.fullmatch(r"fold_\d+", p, re.IGNORECASE)]
    return folds[0] if folds else ""


def cell_field(name: str) -> str:
    """The field that a published cell name (``UID_…``) says it is of; empty for another name."""
    cell = CELL.match(name)
    return "" if cell is None else f"cnmc:{cell['subject'].upper()}:{int(cell['image'])}"


def _row(file: str, part: str, known: tuple[str, str] | None) -> dict[str, Any]:
    """A row from the cell's published name (``UID_…``) and, in the test, its label."""
    row: dict[str, Any] = {"image": file, "official_split": part}
    if known is None:
        return row
    name, label = known
    cell = CELL.match(name)
    if cell is not None:
        subject = cell["subject"].upper()
        group = cnmc_linked_subjects().get(subject, subject)
        row |= {"subject": f"cnmc:{subject}", "group": f"cnmc:{group}"}
        row["group_source"] = "published"
        label = label or cell["label"].lower()
    return row | {"source_label": label, "label": LABELS[label]}


def _preliminary_labels(tree: Tree) -> dict[str, tuple[str, str]]:
    """For each numbered image its cell name and label, from ``Patient_ID,new_names,labels``."""
    return {name: known for path in tree.beside(_is_table) for name, known in _label_rows(path)}


def _is_table(path: Path) -> bool:
    return (
        path.suffix.lower() == ".csv" and [name.casefold() for name in header_of(path)[:3]] == TABLE
    )


def _label_rows(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for number, row in enumerate(table_of(path)[1:], start=2):
        patient, name, label = (*row, "", "", "")[:3]
        if label not in ("0", "1"):
            raise ManifestError(
                f"{path}: row {number}: label is {label!r}; expected 1 (ALL) or 0 (normal)."
            )
        yield name.casefold(), (stem(patient), label)


READER = Reader(
    name="cnmc",
    title="C-NMC 2019",
    layout=(
        "fold_*/{all,hem}/UID_<subject>_<image>_<cell>_{all,hem}.bmp; "
        "C-NMC_test_prelim_phase_data/N.bmp with its CSV Patient_ID,new_names,labels; "
        "C-NMC_test_final_phase_data/N.bmp"
    ),
    look=look,
    rows=rows,
    passed=lambda tree: _once(tree)[1],
)
