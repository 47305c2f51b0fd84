"""PatchCamelyon: lymph-node patches in HDF5, or loose sample files."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ManifestError, MissingExtraError, StorageError
from ...files import cache_folder, sha256_bytes, write_atomic
from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows
from .reader import Options, Reader, Recognised
from .texts import table_of
from .tree import Tree, stem
from .unpacking import gunzip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CARD", "READER"]

CARD = DatasetCard(
    name="pcam",
    title="PatchCamelyon (PCam)",
    classes={"tumour": "", "no-tumour": ""},
    positive="tumour",
    normal_means="lymph-node tissue without metastasis in the patch's centre of 32×32 pixels",
    licence="CC0",
    citation=(
        "Veeling BS, Linmans J, Winkens J, Cohen T, Welling M (2018). Rotation equivariant CNNs "
        "for digital pathology. MICCAI. doi:10.1007/978-3-030-00934-2_24"
    ),
    url="https://github.com/basveeling/pcam",
    subject_is="a whole slide of Camelyon16 (one a patient), where the *_meta.csv is here",
    image_size=(96, 96),
    um_per_pixel=0.972,
    notes=("Histology of breast-cancer metastases: no blood cells, neither blasts nor normal.",),
)
X_FILE = re.compile(
    r"^(?P<head>camelyonpatch_level_2_split_(?P<part>train|valid|test))_x\.h5(\.gz)?$"
)
PARTS = {"train": "train", "valid": "validation", "test": "test"}
LOOSE = re.compile(r"^image\d+_(?P<label>[01])$")
TURKISH = re.compile(r"^ornek-(?P<label>kanserli|saglikli|belirsiz)(?:-\d+)?$")
LABELS = {
    "1": "tumour",
    "0": "no-tumour",
    "kanserli": "tumour",
    "saglikli": "no-tumour",
    "belirsiz": "",
}
ROWS_AT_ONCE = 512
FILES_A_FOLDER = 1000


def _archives(tree: Tree) -> dict[str, tuple[Path, Path | None, Path | None]]:
    """For each split its x file, y file and meta table; a plain file before its ``.gz``."""
    found: dict[str, tuple[Path, Path | None, Path | None]] = {}
    for file in tree.files:
        name = X_FILE.match(Path(file).name)
        if name is None or name["part"] in found:
            continue
        x = tree.root / file
        labels = [x.with_name(f"{name['head']}_y.h5{end}") for end in ("", ".gz")]
        meta = x.with_name(f"{name['head']}_meta.csv")
        found[name["part"]] = (
            x,
            next((path for path in labels if path.is_file()), None),
            meta if meta.is_file() else None,
        )
    return found


def _loose(tree: Tree) -> Iterator[tuple[str, str]]:
    """Sample patches with their label in the name; only in a folder that is called pcam."""
    for file in tree.ending(".jpg", ".jpeg", ".png"):
        if any("pcam" in part.lower() for part in tree.parents(file)):
            name = LOOSE.match(stem(file)) or TURKISH.match(stem(file))
            if name is not None:
                yield file, name["label"]


def look(tree: Tree) -> Recognised | None:
    """HDF5 files by their published names, or loose samples below a folder called pcam."""
    archives, loose = _archives(tree), list(_loose(tree))
    if archives:
        return Recognised("pcam", len(archives), f"HDF5 files of {', '.join(archives)}")
    if loose:
        return Recognised("pcam", len(loose), f"{len(loose)} loose patches")
    return None


def rows(tree: Tree, _options: Options, progress: Progress) -> Manifest:
    """One row a patch. HDF5 patches are written once as PNG into ``patches`` beside the files,
    or into the cache where that folder cannot be written."""
    archives = _archives(tree)
    if not archives:
        made = [
            {"image": file, "label": LABELS[label], "source_label": label}
            for file, label in _loose(tree)
        ]
        card = CARD.model_copy(
            update={
                "groups_inferred": True,
                "subject_is": "not known for loose patches",
                "group_note": "groups inferred: no slides are known, only look-alike images are "
                "joined",
            }
        )
        return manifest_from_rows(made, card, tree.root)
    folder = _writable(tree.root)
    made, slides = [], True
    for part, (x, y, meta) in archives.items():
        if y is None:
            raise ManifestError(
                f"{x}: its labels are missing; expected {x.name.split('_x.')[0]}_y.h5 beside it."
            )
        subjects = _slides(meta) if meta else []
        slides = slides and bool(subjects)
        made += list(_patches(folder, part, x, y, subjects, progress))
    card = CARD
    if not slides:
        card = CARD.model_copy(
            update={
                "groups_inferred": True,
                "group_note": "groups inferred: a *_meta.csv is missing, so slides are not known; "
                "use the official split",
            }
        )
    return manifest_from_rows(made, card, folder)


def _writable(root: Path) -> Path:
    """``root``, or where it cannot be written, a folder of its own in the cache."""
    try:
        write_atomic(root / "patches" / ".probe", "")
        (root / "patches" / ".probe").unlink()
    except (OSError, StorageError):
        key = sha256_bytes(str(root.resolve()).encode())[:16]
        folder = cache_folder() / "patches" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return root


def _slides(meta: Path) -> list[str]:
    header, *rows = table_of(meta) or [[]]
    if "wsi" not in header:
        raise ManifestError(f"{meta}: no column 'wsi'; found {', '.join(header) or 'nothing'}.")
    return [dict(zip(header, row, strict=False)).get("wsi", "") for row in rows]


def _patches(
    folder: Path, part: str, x: Path, y: Path, slides: list[str], progress: Progress
) -> Iterator[dict[str, Any]]:
    """Write the patches of one split that are not there yet, and yield their rows."""
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("Reading PCam's HDF5 files", "train") from None
    paths = [gunzip(path, progress) if path.suffix == ".gz" else path for path in (x, y)]
    try:
        with h5py.File(paths[0]) as images, h5py.File(paths[1]) as labels:
            pixels, truth = images["x"], labels["y"]
            total = len(pixels)
            if len(truth) != total or (slides and len(slides) != total):
                raise ManifestError(
                    f"{x}: {total} patches, {len(truth)} labels, {len(slides)} slides in the "
                    "meta table; the files do not belong together."
                )
            began = time.monotonic()
            for first in range(0, total, ROWS_AT_ONCE):
                progress.show(f"patches of {part}", first, total, time.monotonic() - began)
                block = pixels[first : first + ROWS_AT_ONCE]
                values = truth[first : first + ROWS_AT_ONCE].reshape(len(block))
                for number, (patch, value) in enumerate(zip(block, values, strict=True), first):
                    image = (
                        f"patches/{part}/{number // FILES_A_FOLDER:03d}/{number:06d}_{value}.png"
                    )
                    _write_patch(folder / image, patch)
                    subject = slides[number] if slides else ""
                    yield {
                        "image": image,
                        "label": LABELS[str(int(value))],
                        "source_label": str(int(value)),
                        "official_split": PARTS[part],
                        "subject": f"pcam:{subject}" if subject else "",
                    }
            progress.close()
    except (OSError, KeyError) as reason:
        raise ManifestError(f"{x}: cannot be read as PCam's HDF5: {reason}.") from reason


def _write_patch(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=1)
        shutil.move(temporary, path)


READER = Reader(
    name="pcam",
    title="PCam",
    layout=(
        "camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5 (or .h5.gz), with *_meta.csv; "
        "or loose patches imageN_Y.jpg in a folder called pcam"
    ),
    look=look,
    rows=rows,
    beside=r"(^|/)patches/",
)
