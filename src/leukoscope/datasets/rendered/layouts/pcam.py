"""rendered-pcam: 96×96 patches of lymph-node tissue in HDF5, as PatchCamelyon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ....errors import MissingExtraError
from ....files import atomic_path, write_atomic
from ....images.decode import decode
from ..plan import Picture, Plan, halves
from ..tissue import render_tissue
from .layout import Layout

__all__ = ["LAYOUT", "PARTS"]

PARTS = ("train", "train", "train", "train", "valid", "test")
"""Part of the subjects of each class in turn: the parts share no subject."""

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
FILES_A_FOLDER = 1000


def draw(plan: Plan) -> Iterator[Picture]:
    """Patches in the order of the HDF5 rows of each part.

    The HDF5 files themselves are written from them by ``finish``.
    """
    first, second = halves(plan.subjects)
    names = {
        "tumour": [f"T{number + 1:02d}" for number in range(first)],
        "no-tumour": [f"N{number + 1:02d}" for number in range(second)],
    }
    side = plan.size or LAYOUT.size[0]
    numbers = dict.fromkeys(PARTS, 0)
    begun: dict[str, int] = {}
    for person in plan.people("h&e", names, {"tumour": 0.5, "no-tumour": 0.5}):
        label = person.subject.label
        sick = label == "tumour"
        turn = begun[label] = begun.get(label, -1) + 1
        part = PARTS[turn % len(PARTS)]
        for image in range(person.images):
            tissue = render_tissue(
                plan.rng(3, person.index, image), sick, person.subject, size=side
            )
            row, numbers[part] = numbers[part], numbers[part] + 1
            yield Picture(
                path=f"patches/{part}/{row // FILES_A_FOLDER:03d}/{row:06d}_{int(sick)}.png",
                pixels=tissue.image,
                label=label,
                source_label=str(int(sick)),
                subject=person.subject.name,
                official_split=SPLITS[part],
                cells=tissue.nuclei,
                nuclei=tissue.nuclei,
                truth=tissue.truth,
                stem=f"{part}_{row:06d}",
            )


def finish(folder: Path, pictures: Sequence[tuple[str, str]]) -> None:
    """Write the HDF5 files (``x``, ``y``) and the ``*_meta.csv`` with the slide of each row.

    Raises
    ------
    MissingExtraError
        Without h5py.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("Writing PCam's HDF5 files", "train") from None
    for part in SPLITS:
        own = [(path, subject) for path, subject in pictures if path.split("/")[1] == part]
        own.sort()
        head = f"camelyonpatch_level_2_split_{part}"
        if not own:
            continue
        patches = [decode(folder / path).pixels for path, _ in own]
        labels = np.array([int(path[-5]) for path, _ in own], np.uint8)
        for name, data in (("x", np.stack(patches)), ("y", labels.reshape(-1, 1, 1, 1))):
            # Without times of creation the same content is the same bytes.
            with (
                atomic_path(folder / f"{head}_{name}.h5") as temporary,
                h5py.File(temporary, "w", track_order=False) as file,
            ):
                file.create_dataset(name, data=data, track_times=False)
        rows = [
            f"0,0,0,{label},{label},{subject}"
            for (_, subject), label in zip(own, labels, strict=True)
        ]
        header = "coord_y,coord_x,center_y,tumor_patch,center_tumor_patch,wsi"
        lines = [header, *rows]
        write_atomic(folder / f"{head}_meta.csv", "\n".join(lines) + "\n")


LAYOUT = Layout(
    title="Rendered tissue patches in the layout of PatchCamelyon",
    like="pcam",
    classes={"tumour": "", "no-tumour": ""},
    normal_means="drawn lymph-node tissue without tumour nuclei in the centre",
    size=(96, 96),
    draw=draw,
    finish=finish,
    positive="tumour",
    um_per_pixel=0.97,
    notes=("Tissue, not a smear: neither class is a blast.",),
)
