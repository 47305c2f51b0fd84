"""rendered-allidb1 (whole fields with centres of blasts) and rendered-allidb2 (cell crops)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..fields import RenderedField, render_field
from ..plan import Person, Picture, Plan, halves
from .layout import Layout, truth_of

__all__ = ["CROPS", "FIELDS"]

UM_PER_PIXEL = 0.092
SMALL, LARGE = (1712, 1368), (2592, 1944)
BYSTANDERS = ("lymphocyte", "neutrophil", "monocyte", "eosinophil", "basophil")
OFTEN = (0.48, 0.30, 0.11, 0.08, 0.03)
"""How often each kind is met among the cells that are no blasts."""


def _people(plan: Plan) -> list[Person]:
    sick, healthy = halves(plan.subjects)
    names = {
        "blast": [f"P{number + 1:02d}" for number in range(sick)],
        "normal": [f"D{number + 1:02d}" for number in range(healthy)],
    }
    return plan.people("all-idb", names, {"blast": 0.5, "normal": 0.5})


def _numbered(plan: Plan) -> Iterator[tuple[Person, int, np.random.Generator]]:
    """Every image: whose it is, its number in the set and its random numbers."""
    number = 0
    for person in _people(plan):
        for image in range(person.images):
            number += 1
            yield person, number, plan.rng(3, person.index, image)


def draw_fields(plan: Plan) -> Iterator[Picture]:
    """Fields ``im/ImNNN_Y.jpg`` with ``xyc`` and ``other_xyc`` beside them."""
    for person, number, rng in _numbered(plan):
        sick = person.subject.label == "blast"
        # The first camera of the real set took the small pictures, of patients only.
        size = SMALL if sick and person.index % 2 == 0 else LARGE
        ratio = (plan.size or size[0]) / size[0]
        kinds = ["blast"] * int(rng.poisson(8)) if sick else []
        kinds += list(rng.choice(BYSTANDERS, int(rng.poisson(1.5)) + (0 if sick else 1), p=OFTEN))
        field = render_field(
            rng,
            kinds,
            person.subject,
            width=round(size[0] * ratio),
            height=round(size[1] * ratio),
            um_per_pixel=UM_PER_PIXEL / ratio,
            smudges=int(rng.poisson(2.0 if sick else 0.2)),
        )
        name = f"Im{number:03d}_{int(sick)}"
        yield Picture(
            path=f"im/{name}.jpg",
            pixels=field.image,
            label=person.subject.label,
            source_label=str(int(sick)),
            subject=person.subject.name,
            cells=field.cells,
            nuclei=field.nuclei,
            truth=truth_of(field.truth),
            beside={
                f"xyc/{name}.xyc": _centres(field, blasts=True),
                f"other_xyc/{name}.xyc": _centres(field, blasts=False),
            },
        )


def _centres(field: RenderedField, *, blasts: bool) -> str:
    """Centres as the real tables have them: x, tab, y; one empty line where there is none."""
    height, width = field.cells.shape
    lines = [
        f"{int(np.clip(round(x), 0, width - 1))}\t{int(np.clip(round(y), 0, height - 1))}"
        for cell in field.truth
        for x, y in [cell.centre]
        if (cell.kind == "blast") == blasts
    ]
    return "\n".join(lines) + "\n"


def draw_crops(plan: Plan) -> Iterator[Picture]:
    """Crops ``img/ImNNN_Y.tif`` around one cell; blasts first, as in the real set."""
    side = plan.size or CROPS.size[0]
    for person, number, rng in _numbered(plan):
        sick = person.subject.label == "blast"
        first = "blast" if sick else str(rng.choice(BYSTANDERS, p=OFTEN))
        more = ["blast" if sick else "lymphocyte"] * int(rng.random() < 0.12)
        field = render_field(
            rng,
            [first, *more],
            person.subject,
            width=side,
            height=side,
            um_per_pixel=UM_PER_PIXEL * CROPS.size[0] / side,
            centred=True,
            touching=0.6,
        )
        yield Picture(
            path=f"img/Im{number:03d}_{int(sick)}.tif",
            pixels=field.image,
            label=person.subject.label,
            source_label=str(int(sick)),
            subject=person.subject.name,
            cells=field.cells,
            nuclei=field.nuclei,
            truth=truth_of(field.truth),
        )


FIELDS = Layout(
    title="Rendered fields in the layout of ALL-IDB1",
    like="allidb1",
    classes={"blast": "blast", "normal": "normal"},
    normal_means="drawn fields without blasts",
    size=LARGE,
    draw=draw_fields,
    um_per_pixel=UM_PER_PIXEL,
    notes=("A row is a whole field: 2592×1944, or 1712×1368 for every other patient.",),
)
CROPS = Layout(
    title="Rendered cells in the layout of ALL-IDB2",
    like="allidb2",
    classes={"blast": "blast", "normal": "normal"},
    normal_means="drawn leukocytes of all kinds, lymphocytes most often",
    size=(257, 257),
    draw=draw_crops,
    um_per_pixel=UM_PER_PIXEL,
)
