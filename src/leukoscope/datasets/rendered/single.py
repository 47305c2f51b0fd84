"""One segmented cell on black, as in C-NMC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cells import DrawnCell, draw_cell
from .forms import Form, draw_form
from .geometry import Array, Patch, texture
from .masks import box_of, paste, shrink
from .optics import DYES, expose, supersampling
from .subjects import Subject
from .surroundings import draw_red_cell, red_cell_radius_um

__all__ = ["RenderedCell", "render_cell"]

SCRAPS = 0.22
"""Share of the cells of which the segmentation kept a piece of a red cell too."""
FILL_UM = 22.0
"""Side of a cell image in µm: 450 pixels at 20.5 px/µm."""


@dataclass(frozen=True)
class RenderedCell:
    """One cell image and the truth about it."""

    image: npt.NDArray[np.uint8]
    """(size, size, 3) RGB, black outside the segmentation."""
    cell: npt.NDArray[np.bool_]
    """(size, size): the cell itself."""
    nucleus: npt.NDArray[np.bool_]
    """(size, size): its nucleus, inside the cell."""
    segmented: npt.NDArray[np.bool_]
    """(size, size): what the segmentation left, a scrap of a red cell now and then included."""
    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 of the cell, half-open, in pixels."""
    form: Form
    scale: float
    """Pixels per µm."""

    @property
    def kind(self) -> str:
        """A key of ``KINDS``."""
        return self.form.kind


def render_cell(
    rng: np.random.Generator, kind: str, subject: Subject, *, size: int = 450
) -> RenderedCell:
    """Draw one cell of ``kind`` as a ``size`` × ``size`` image on black.

    Raises
    ------
    LeukoscopeError
        When ``kind`` is not one of ``KINDS``.
    """
    form = draw_form(rng, kind, subject)
    scale = size / FILL_UM * subject.magnification
    factor = supersampling(scale)
    drawn = draw_cell(rng, form, scale * factor)
    scrap = rng.random() < SCRAPS
    margin = 3.0 if scrap else 0.4
    pixels = _even(drawn.patch.pixels + round(2 * margin * scale * factor), factor)
    board = Patch(pixels, scale * factor)
    density, cell, nucleus = _centre(drawn, board)
    outline = cell.copy()
    if scrap:
        _add_scrap(rng, subject, board, form.radius_um, density, outline)
    photograph = expose(density, subject.optics, rng, scale=scale, factor=factor)
    cell, nucleus, outline = (shrink(mask, factor) for mask in (cell, nucleus, outline))
    kept = _segment(rng, outline, scale)
    place = _place(rng, size, photograph.shape[0], scale)
    image = np.zeros((size, size, 3), np.uint8)
    _put(image, np.where(kept[..., None], photograph, 0), place)
    masks = []
    for mask in (cell >= 0.5, (nucleus >= 0.5) & (cell >= 0.5), kept):
        full = np.zeros((size, size), np.bool_)
        _put(full, mask, place)
        masks.append(full)
    return RenderedCell(image, masks[0], masks[1], masks[2], box_of(masks[0]), form, scale)


def _even(pixels: int, factor: int) -> int:
    return -(-pixels // factor) * factor


def _centre(drawn: DrawnCell, board: Patch) -> tuple[Array, Array, Array]:
    start = (board.pixels - drawn.patch.pixels) // 2
    stop = start + drawn.patch.pixels
    inside = (slice(start, stop), slice(start, stop))
    density = np.zeros((*board.shape, len(DYES)), np.float32)
    cell, nucleus = np.zeros(board.shape, np.float32), np.zeros(board.shape, np.float32)
    density[inside], cell[inside], nucleus[inside] = drawn.density, drawn.cell, drawn.nucleus
    return density, cell, nucleus


def _add_scrap(
    rng: np.random.Generator,
    subject: Subject,
    board: Patch,
    radius_um: float,
    density: Array,
    outline: Array,
) -> None:
    """A neighbouring red cell of which the segmentation kept a piece."""
    radius = red_cell_radius_um(rng, subject)
    red, cover = draw_red_cell(rng, subject, radius, board.scale)
    theta = rng.uniform(0, 2 * np.pi)
    away = (radius_um + radius * rng.uniform(0.1, 0.8)) * board.scale
    x = round(board.pixels / 2 + away * np.cos(theta) - red.shape[1] / 2)
    y = round(board.pixels / 2 + away * np.sin(theta) - red.shape[0] / 2)
    if (where := paste(density, red, x, y)) is None:
        return
    rows, columns, own_rows, own_columns = where
    free = 1 - outline[rows, columns]
    density[rows, columns] += red[own_rows, own_columns] * free[..., None]
    torn = texture(rng, cover.shape, 1.8 * board.scale) > rng.uniform(-0.6, 0.8)
    piece = (cover * torn)[own_rows, own_columns]
    outline[rows, columns] = np.maximum(outline[rows, columns], piece)


def _segment(rng: np.random.Generator, outline: Array, scale: float) -> npt.NDArray[np.bool_]:
    """The ragged outline that a threshold leaves, a little inside or outside the true one."""
    import cv2

    soft = cv2.GaussianBlur(outline, (0, 0), max(0.30 * scale, 0.3))
    ragged = soft + 0.13 * texture(rng, outline.shape, 0.8 * scale)
    kept: npt.NDArray[np.bool_] = ragged > rng.uniform(0.45, 0.7)
    kept |= soft > 0.9
    count, labels, stats, _ = cv2.connectedComponentsWithStats(kept.astype(np.uint8))
    if count > 2:
        kept = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    rims, _ = cv2.findContours(kept.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(kept.shape, np.uint8)
    cv2.drawContours(whole, rims, -1, 1, cv2.FILLED)
    return whole > 0


def _place(rng: np.random.Generator, size: int, pixels: int, scale: float) -> tuple[int, int]:
    """Left upper corner: the cell lies in the middle, give or take."""
    x, y = (size - pixels) / 2 + rng.normal(0, 0.15 * scale, 2)
    return round(float(x)), round(float(y))


def _put(
    target: npt.NDArray[np.generic], stamp: npt.NDArray[np.generic], place: tuple[int, int]
) -> None:
    where = paste(target, stamp, *place)
    if where is not None:
        rows, columns, own_rows, own_columns = where
        target[rows, columns] = stamp[own_rows, own_columns]
