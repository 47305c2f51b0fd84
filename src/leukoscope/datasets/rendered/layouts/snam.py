"""rendered-snam: bone-marrow fields with B-ALL blasts or myeloma plasma cells, and masks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..fields import RenderedField, render_field
from ..plan import Picture, Plan, halves
from .layout import Layout, truth_of

__all__ = ["LAYOUT"]

UM_PER_PIXEL = 0.07
BYSTANDERS = ("lymphocyte", "neutrophil", "monocyte", "eosinophil")
GROUPS = {"b-all": ("B-ALL", "blast"), "mm": ("MM", "plasma cell")}


def draw(plan: Plan) -> Iterator[Picture]:
    """Fields with masks of nuclei, cytoplasm and background beside them."""
    first, second = halves(plan.subjects)
    names = {
        "b-all": [f"B{number + 1:02d}" for number in range(first)],
        "mm": [f"M{number + 1:02d}" for number in range(second)],
    }
    width, height = LAYOUT.size
    ratio = (plan.size or width) / width
    numbers = dict.fromkeys(GROUPS, 0)
    for person in plan.people("sn-am", names, {"b-all": 0.5, "mm": 0.5}):
        label = person.subject.label
        folder, kind = GROUPS[label]
        for image in range(person.images):
            rng = plan.rng(3, person.index, image)
            numbers[label] += 1
            kinds = [kind] * (2 + int(rng.poisson(10)))
            kinds += list(rng.choice(BYSTANDERS, int(rng.poisson(2)), p=(0.4, 0.4, 0.1, 0.1)))
            field = render_field(
                rng,
                kinds,
                person.subject,
                width=round(width * ratio),
                height=round(height * ratio),
                um_per_pixel=UM_PER_PIXEL / ratio,
                smudges=int(rng.poisson(1.0)),
            )
            name = f"{folder}/{folder}_{numbers[label]:03d}"
            yield Picture(
                path=f"{name}.bmp",
                pixels=field.image,
                label=label,
                source_label=folder,
                subject=person.subject.name,
                cells=field.cells,
                nuclei=field.nuclei,
                truth=truth_of(field.truth),
                beside=_masks(name, field),
            )


def _masks(name: str, field: RenderedField) -> dict[str, npt.NDArray[np.uint8] | str]:
    nucleus, cell = field.nuclei > 0, field.cells > 0
    parts = {"nucleus": nucleus, "cytoplasm": cell & ~nucleus, "background": ~cell}
    return {
        f"{name}_{part}.bmp": mask.astype(np.uint8) * np.uint8(255) for part, mask in parts.items()
    }


LAYOUT = Layout(
    title="Rendered bone-marrow fields in the layout of SN-AM",
    like="snam",
    classes={"b-all": "blast", "mm": ""},
    normal_means="none: SN-AM has no healthy class",
    size=(2560, 1920),
    cells=10,
    draw=draw,
    um_per_pixel=UM_PER_PIXEL,
    notes=("A row is a whole field.",),
)
