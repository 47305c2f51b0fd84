"""Images that show the same picture, side by side, so that a finding can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ReportError
from .canvas import GREY, WIDTH, Drawing, page, styled
from .words import counted, shortened

__all__ = ["Pair", "Side", "pairs"]

COLUMNS, MARGIN, BETWEEN, GUTTER, CAPTION = 2, 8.0, 2.5, 16.0, 30.0
MOST_PIXELS = 150
"""Longest side of an embedded image."""
CHARACTERS = 17
"""Of a caption under one image."""


@dataclass(frozen=True)
class Side:
    """One image of a pair."""

    name: str
    """Row key; the figure shows the end of it."""
    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    """uint8, (height, width, 3)."""
    said: str = ""
    """What the data say of it: its label, its subject, its part."""


@dataclass(frozen=True)
class Pair:
    """Two images that show the same picture."""

    left: Side
    right: Side
    fit: float | None = None
    """Correlation of the detail, where the pixels differ; None where they are identical."""


@styled
def pairs(
    shown: Sequence[Pair],
    title: str = "The same picture twice",
    *,
    of: int = 0,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """Each pair side by side, with what the data say of either; what differs stands out.

    Parameters
    ----------
    shown
        At least one pair.
    title
        Of the figure.
    of
        How many pairs there are, where not all are shown.
    note, group_word
        As of all figures; groups are not shown here.

    Raises
    ------
    ReportError
        When there is no pair.
    """
    del group_word
    if not shown:
        raise ReportError("pairs: no pair was given; at least one is needed.")
    side = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GUTTER - COLUMNS * BETWEEN) / (2 * COLUMNS)
    rows = -(-len(shown) // COLUMNS)
    number = counted(len(shown), "pair")
    facts = number if of <= len(shown) else f"{number} of {of:,}"
    made = page("pairs", title, facts, height=rows * (side + CAPTION + 6), note=note)
    for place, pair in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        left = MARGIN + column * (2 * side + BETWEEN + GUTTER)
        top = made.body - row * (side + CAPTION + 6)
        differ = pair.left.said != pair.right.said
        for which, one in enumerate((pair.left, pair.right)):
            x = left + which * (side + BETWEEN)
            axes = made.axes(x, top - side, side, side)
            axes.imshow(_small(one.pixels), interpolation="none", gid=f"pair-{place}-{which}")
            axes.set_anchor("C")
            axes.set_axis_off()
            tint = "#a33f00" if differ else "#222222"
            for low, text, size, colour in (
                (7.5, one.name.rsplit("/", 1)[-1], 5.4, GREY),
                (15.5, one.said, 6.2, tint),
            ):
                # A name may hold newlines.
                words = shortened(" ".join(text.split()), CHARACTERS)
                made.text(x, top - side - low, words, fontsize=size, color=colour)
        words = "identical pixels" if pair.fit is None else f"fit {pair.fit:.2f}"
        made.text(left, top - side - 23.5, words, fontsize=5.8, color=GREY)
    listed = "; ".join(
        f"{_told(pair.left)} and {_told(pair.right)}, "
        + ("identical" if pair.fit is None else f"fit {pair.fit:.2f}")
        for pair in shown
    )
    return made.finish(f"{title}, {facts}: {listed}.")


def _told(side: Side) -> str:
    return f"{side.name} ({side.said})" if side.said else side.name


def _small(image: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The image with its longest side at most ``MOST_PIXELS``."""
    if max(image.shape[:2]) <= MOST_PIXELS:
        return image
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    return np.asarray(picture)
