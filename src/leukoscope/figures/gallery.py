"""The surest wrong answers as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ReportError
from .canvas import GREY, WIDTH, Drawing, page, styled
from .words import counted, shortened

if TYPE_CHECKING:
    from ..evaluation.curves import Case

__all__ = ["gallery"]

COLUMNS, MARGIN, GUTTER, CAPTION = 3, 8.0, 7.0, 31.0
MOST_PIXELS = 180
"""Longest side of an embedded image: enough at this size, and small in a report."""


@styled
def gallery(
    cases: Sequence[Case],
    images: Sequence[np.ndarray[Any, np.dtype[np.uint8]]],
    *,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """One picture a case with its true class, the answer and the answer's probability.

    ``images`` are uint8 of shape (height, width, 3), in the order of the cases; they are embedded.
    ``group_word`` says nothing here; all figures take it.

    Raises
    ------
    ReportError
        When there is no case, or not one image for each.
    """
    del group_word
    if not cases or len(cases) != len(images):
        raise ReportError(
            f"gallery: {len(cases)} cases and {len(images)} images; one image for each case is "
            "needed, and at least one."
        )
    side = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GUTTER) / COLUMNS
    rows = -(-len(cases) // COLUMNS)
    height = rows * (side + CAPTION + GUTTER)
    made = page(
        "gallery", "The surest wrong answers", counted(len(cases), "image"), height=height,
        note=note,
    )  # fmt: skip
    for number, (case, image) in enumerate(zip(cases, images, strict=True)):
        row, column = divmod(number, COLUMNS)
        left = MARGIN + column * (side + GUTTER)
        top = made.body - row * (side + CAPTION + GUTTER)
        axes = made.axes(left, top - side, side, side)
        axes.imshow(_small(image), interpolation="none", gid=f"image-{number}")
        axes.set_anchor("C")
        axes.set_axis_off()
        lines = (
            (f"is {shortened(case.label, 15)}", "#222222", 7.2),
            (f"said {shortened(case.predicted, 9)} {case.probability:.2f}", "#a33f00", 7.2),
            (shortened(case.row.rsplit("/", 1)[-1], 19), GREY, 5.8),
        )
        for line, (text, tint, size) in enumerate(lines):
            made.text(left, top - side - 8.5 - 9 * line, text, fontsize=size, color=tint)
    listed = "; ".join(
        f"{case.row} is {case.label}, said {case.predicted} {case.probability:.2f}"
        for case in cases
    )
    return made.finish(f"The surest wrong answers: {listed}.")


def _small(image: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The image with its longest side at most ``MOST_PIXELS``."""
    if max(image.shape[:2]) <= MOST_PIXELS:
        return image
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    return np.asarray(picture)
