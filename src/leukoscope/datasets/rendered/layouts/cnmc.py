"""rendered-cnmc: segmented single cells on black, in three folds, as C-NMC 2019."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..plan import CellTruth, Picture, Plan, halves
from ..single import FILL_UM, render_cell
from .layout import Layout

__all__ = ["LAYOUT"]

FOLDS = 3


def draw(plan: Plan) -> Iterator[Picture]:
    """Cells by subject; a subject lies in one fold and has one label."""
    sick, healthy = halves(plan.subjects)
    names = {
        "blast": [str(number + 1) for number in range(sick)],
        "normal": [f"H{number + 1}" for number in range(healthy)],
    }
    people = plan.people("c-nmc", names, {"blast": 0.5, "normal": 0.5})
    size = plan.size or LAYOUT.size[0]
    for person in people:
        subject = person.subject
        end, kind = ("all", "blast") if subject.label == "blast" else ("hem", "lymphocyte")
        place = f"C-NMC_training_data/fold_{person.index % FOLDS}/{end}"
        # A few cells come from each picture of a smear, as the real numbering shows.
        field = cell = 1
        for number in range(person.images):
            rng = plan.rng(3, person.index, number)
            drawn = render_cell(rng, kind, subject, size=size)
            yield Picture(
                path=f"{place}/UID_{subject.name}_{field}_{cell}_{end}.bmp",
                pixels=drawn.image,
                label=subject.label,
                source_label=end,
                subject=subject.name,
                official_split=f"fold_{person.index % FOLDS}",
                cells=drawn.cell.astype(np.uint16),
                nuclei=drawn.nucleus.astype(np.uint16),
                truth=(CellTruth(1, kind, drawn.box),),
            )
            cell += 1
            if rng.random() < 0.4:
                field, cell = field + 1, 1


LAYOUT = Layout(
    title="Rendered cells in the layout of C-NMC 2019",
    like="cnmc",
    classes={"blast": "blast", "normal": "normal"},
    normal_means="drawn normal lymphocytes",
    size=(450, 450),
    draw=draw,
    um_per_pixel=FILL_UM / 450,
)
