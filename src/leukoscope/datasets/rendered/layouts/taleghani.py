"""rendered-taleghani: small fields of four classes, original and segmented."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from ..fields import render_field
from ..plan import Picture, Plan, share_out
from .layout import Layout, truth_of

__all__ = ["LAYOUT", "segment"]

UM_PER_PIXEL = 0.50
CLASSES = {
    "benign": ("Benign", "hematogone", 504),
    "early": ("Malignant-Early", "early blast", 985),
    "pre": ("Malignant-Pre", "pre blast", 963),
    "pro": ("Malignant-Pro", "pro blast", 804),
}
"""For each class its published name, the cell that it is about, and the real set's count."""
BYSTANDERS = ("lymphocyte", "neutrophil", "monocyte", "eosinophil")


def draw(plan: Plan) -> Iterator[Picture]:
    """Fields numbered within their class; neighbours in number are the same subject."""
    per_class = share_out([25, 22, 22, 20], plan.subjects - len(CLASSES))
    names, taken = {}, 0
    for label, count in zip(CLASSES, per_class, strict=True):
        names[label] = [f"S{taken + number + 1:02d}" for number in range(count + 1)]
        taken += count + 1
    shares = {label: float(count) for label, (_, _, count) in CLASSES.items()}
    side = plan.size or LAYOUT.size[0]
    numbers = dict.fromkeys(CLASSES, 0)
    for person in plan.people("taleghani", names, shares):
        label = person.subject.label
        published, kind, _ = CLASSES[label]
        folder = published.rpartition("-")[2]
        for image in range(person.images):
            rng = plan.rng(3, person.index, image)
            numbers[label] += 1
            kinds = [kind] * (1 + int(rng.poisson(6)))
            kinds += list(rng.choice(BYSTANDERS, int(rng.poisson(1.2)), p=(0.5, 0.3, 0.12, 0.08)))
            field = render_field(
                rng,
                kinds,
                person.subject,
                width=side,
                height=side,
                um_per_pixel=UM_PER_PIXEL * LAYOUT.size[0] / side,
                smudges=int(rng.poisson(0.35)),
            )
            name = f"{folder}/WBC-{published}-{numbers[label]:03d}.jpg"
            yield Picture(
                path=f"Original/{name}",
                pixels=field.image,
                label=label,
                source_label=published,
                subject=person.subject.name,
                cells=field.cells,
                nuclei=field.nuclei,
                truth=truth_of(field.truth),
                beside={f"Segmented/{name}": segment(field.image)},
            )


def segment(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The image with all that is not violet set to black, as the real set's HSV threshold did."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    violet = cv2.inRange(hsv, (118, 60, 40), (172, 255, 255))
    return np.asarray(cv2.bitwise_and(pixels, pixels, mask=violet), np.uint8)


LAYOUT = Layout(
    title="Rendered fields in the layout of the Taleghani set",
    like="taleghani",
    classes={"benign": "normal", "early": "blast", "pre": "blast", "pro": "blast"},
    normal_means="drawn hematogones",
    size=(224, 224),
    draw=draw,
    fewest_subjects=4,
    um_per_pixel=UM_PER_PIXEL,
    notes=(
        "A row is a small field of a few cells.",
        "Neighbours in file number are the same subject, as on the real set.",
    ),
)
