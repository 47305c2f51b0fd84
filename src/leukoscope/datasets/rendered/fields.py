"""Whole smear fields: cells alone and in touching groups between red cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cells import draw_cell
from .forms import Form, draw_form
from .geometry import Array
from .masks import box_of, paste, shrink
from .optics import DYES, expose, supersampling
from .subjects import Subject
from .surroundings import (
    draw_grain,
    draw_platelet,
    draw_red_cell,
    draw_smudge,
    red_cell_radius_um,
)

__all__ = ["FieldCell", "RenderedField", "render_field"]


@dataclass(frozen=True)
class FieldCell:
    """One nucleated cell in a field."""

    number: int
    """Its value in the masks, from 1."""
    form: Form
    centre: tuple[float, float]
    """x, y in pixels; may lie outside for a cell that the edge cuts."""
    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 of the part that is seen, half-open, in pixels."""
    whole: bool
    """Whether the edge of the field leaves the cell uncut."""

    @property
    def kind(self) -> str:
        """A key of ``KINDS``."""
        return self.form.kind


@dataclass(frozen=True)
class RenderedField:
    """A field and the truth about it."""

    image: npt.NDArray[np.uint8]
    """(height, width, 3) RGB."""
    cells: npt.NDArray[np.uint16]
    """(height, width): number of the cell at each pixel, 0 where there is none."""
    nuclei: npt.NDArray[np.uint16]
    """(height, width): number of the cell whose nucleus is there; never outside that cell."""
    truth: tuple[FieldCell, ...]
    red_cells: npt.NDArray[np.float64]
    """(n, 3): x, y and radius in pixels of each red cell."""
    platelets: npt.NDArray[np.float64]
    """(n, 2): x and y in pixels of each platelet."""
    scale: float
    """Pixels per µm."""


@dataclass
class _Slide:
    """A field while it is drawn, ``factor`` times larger than the result."""

    density: Array
    scale: float

    @property
    def size_um(self) -> tuple[float, float]:
        return self.density.shape[1] / self.scale, self.density.shape[0] / self.scale

    def corner(self, x_um: float, y_um: float, stamp: Array) -> tuple[int, int]:
        """Left upper corner of a stamp whose middle lies at a place in µm."""
        return (
            round(x_um * self.scale - stamp.shape[1] / 2),
            round(y_um * self.scale - stamp.shape[0] / 2),
        )

    def add(self, stamp: Array, x_um: float, y_um: float, keep: Array | None = None) -> None:
        """Add dye; with ``keep``, what lies under the stamp stays only in that share."""
        where = paste(self.density, stamp, *self.corner(x_um, y_um, stamp))
        if where is None:
            return
        rows, columns, own_rows, own_columns = where
        if keep is not None:
            self.density[rows, columns] *= keep[own_rows, own_columns][..., None]
        self.density[rows, columns] += stamp[own_rows, own_columns]


def render_field(
    rng: np.random.Generator,
    kinds: Sequence[str],
    subject: Subject,
    *,
    width: int,
    height: int,
    um_per_pixel: float,
    centred: bool = False,
    touching: float = 0.35,
    smudges: int = 0,
) -> RenderedField:
    """Draw a field.

    Parameters
    ----------
    kinds
        One key of ``KINDS`` for each nucleated cell. Where the field has no room for all of
        them, the last ones are left out; ``truth`` says which were drawn.
    um_per_pixel
        Before the subject's own magnification.
    centred
        Put the first cell in the middle and no other within its reach (a crop around a cell).
    touching
        Chance that a cell is laid against one that is there already.
    smudges
        Crushed nuclei; they are no cells and have no truth.

    Raises
    ------
    LeukoscopeError
        When a kind is not one of ``KINDS``.
    """
    scale = subject.magnification / um_per_pixel
    factor = supersampling(scale)
    shape = (height * factor, width * factor)
    slide = _Slide(np.zeros((*shape, len(DYES)), np.float32), scale * factor)
    forms = [draw_form(rng, kind, subject) for kind in kinds]
    places = _place_cells(rng, forms, slide.size_um, centred, touching)
    forms = forms[: len(places)]
    red = _add_red_cells(rng, subject, slide, places, forms)
    _haze(rng, slide)
    for _ in range(smudges):
        x, y = _free_place(rng, slide.size_um, places, forms, 9)
        stamp, cover = draw_smudge(rng, slide.scale)
        slide.add(stamp, x, y, 1 - 0.6 * cover)
    platelets = _scatter(rng, subject.platelets, slide, places, forms, "platelet")
    cells, nuclei = np.zeros((height, width), np.uint16), np.zeros((height, width), np.uint16)
    for number, (form, (x, y)) in enumerate(zip(forms, places, strict=True), start=1):
        _add_cell(rng, slide, form, x, y, number, factor, cells, nuclei)
    _scatter(rng, subject.precipitate, slide, (), (), "grain")
    image = expose(slide.density, subject.optics, rng, scale=scale, factor=factor)
    return RenderedField(
        image=image,
        cells=cells,
        nuclei=nuclei,
        truth=_truth(forms, places, cells, scale),
        red_cells=np.array(red).reshape(-1, 3) * scale,
        platelets=np.array(platelets).reshape(-1, 2) * scale,
        scale=scale,
    )


def _place_cells(
    rng: np.random.Generator,
    forms: Sequence[Form],
    size_um: tuple[float, float],
    centred: bool,
    touching: float,
) -> list[tuple[float, float]]:
    """Centres in µm; a cell for which no room is found ends the list."""
    places: list[tuple[float, float]] = []
    width, height = size_um
    for number, form in enumerate(forms):
        if centred and number == 0:
            x, y = width / 2, height / 2
            places.append((x + float(rng.normal(0, 0.3)), y + float(rng.normal(0, 0.3))))
            continue
        for _ in range(60):
            if places and rng.random() < touching:
                other = int(rng.integers(len(places)))
                theta = rng.uniform(0, 2 * np.pi)
                away = (form.radius_um + forms[other].radius_um) * rng.uniform(1.0, 1.06)
                x = places[other][0] + away * np.cos(theta)
                y = places[other][1] + away * np.sin(theta)
            else:
                x, y = rng.uniform(-2, width + 2), rng.uniform(-2, height + 2)
            if not (-2 <= x <= width + 2 and -2 <= y <= height + 2):
                continue
            if all(
                np.hypot(x - ox, y - oy) >= 0.98 * (form.radius_um + forms[index].radius_um)
                for index, (ox, oy) in enumerate(places)
            ):
                places.append((float(x), float(y)))
                break
        else:
            break
    return places


def _add_red_cells(
    rng: np.random.Generator,
    subject: Subject,
    slide: _Slide,
    places: Sequence[tuple[float, float]],
    forms: Sequence[Form],
) -> list[tuple[float, float, float]]:
    """Red cells around the nucleated ones, here and there over each other, in clusters."""
    width, height = slide.size_um
    wanted = int(subject.crowding * (width + 8) * (height + 8) / (np.pi * 3.65**2))
    centres = np.zeros((wanted, 3))
    found = 0
    blockers = np.array(
        [(x, y, form.radius_um) for (x, y), form in zip(places, forms, strict=True)]
    )
    blockers = blockers.reshape(-1, 3)
    for _ in range(wanted * 4):
        if found == wanted:
            break
        radius = red_cell_radius_um(rng, subject)
        leaning = found > 0 and rng.random() < subject.rouleaux
        if leaning:
            theta, away = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.2, 1.95)
            x, y = centres[rng.integers(found), :2] + away * np.array(
                [np.cos(theta), np.sin(theta)]
            )
        else:
            x, y = rng.uniform(-4, width + 4), rng.uniform(-4, height + 4)
        near = blockers[:, 2] + radius * 0.92
        if (np.hypot(x - blockers[:, 0], y - blockers[:, 1]) < near).any():
            continue
        away = np.hypot(x - centres[:found, 0], y - centres[:found, 1])
        closeness = float((away / (radius + centres[:found, 2])).min(initial=2.0))
        # Most lie apart; some lean on or lie over each other, none on top of another.
        if closeness < 0.5 or (closeness < 0.98 and not leaning):
            continue
        centres[found] = x, y, radius
        found += 1
        stamp, _ = draw_red_cell(rng, subject, radius, slide.scale)
        slide.add(stamp, x, y)
    return [(float(x), float(y), float(radius)) for x, y, radius in centres[:found]]


def _haze(rng: np.random.Generator, slide: _Slide) -> None:
    """The faint, uneven film of dried plasma and stain between the cells."""
    import cv2

    from .geometry import texture

    height, width = slide.density.shape[:2]
    small = texture(rng, (max(height // 16, 4), max(width // 16, 4)), 4.0)
    film = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    slide.density[..., 3] += np.clip(0.02 + 0.015 * film, 0, None)


def _free_place(
    rng: np.random.Generator,
    size_um: tuple[float, float],
    places: Sequence[tuple[float, float]],
    forms: Sequence[Form],
    radius_um: float,
) -> tuple[float, float]:
    x = y = -100.0
    for _ in range(40):
        x, y = float(rng.uniform(0, size_um[0])), float(rng.uniform(0, size_um[1]))
        if all(
            np.hypot(x - ox, y - oy) > form.radius_um + radius_um
            for (ox, oy), form in zip(places, forms, strict=True)
        ):
            return x, y
    return -100.0, -100.0


def _scatter(
    rng: np.random.Generator,
    per_thousand_um2: float,
    slide: _Slide,
    places: Sequence[tuple[float, float]],
    forms: Sequence[Form],
    what: str,
) -> list[tuple[float, float]]:
    width, height = slide.size_um
    spots = []
    for _ in range(int(rng.poisson(per_thousand_um2 * width * height / 1000))):
        x, y = _free_place(rng, slide.size_um, places, forms, 1.5)
        stamp, _ = (draw_platelet if what == "platelet" else draw_grain)(rng, slide.scale)
        slide.add(stamp, x, y)
        if x >= 0:
            spots.append((x, y))
    return spots


def _add_cell(
    rng: np.random.Generator,
    slide: _Slide,
    form: Form,
    x_um: float,
    y_um: float,
    number: int,
    factor: int,
    cells: npt.NDArray[np.uint16],
    nuclei: npt.NDArray[np.uint16],
) -> None:
    drawn = draw_cell(rng, form, slide.scale)
    # A touching cell yields to the one that is there: their masks never overlap.
    x, y = slide.corner(x_um, y_um, drawn.cell)
    x, y = round(x / factor) * factor, round(y / factor) * factor
    cover, core = _padded(drawn.cell, factor), _padded(drawn.nucleus, factor)
    small_cell, small_core = shrink(cover, factor), shrink(core, factor)
    where = paste(cells, small_cell, x // factor, y // factor)
    if where is None:
        return
    rows, columns, own_rows, own_columns = where
    taken = (cells[rows, columns] != 0).astype(np.float32)
    free = np.ones_like(small_cell)
    free[own_rows, own_columns] = 1 - taken
    mask = (small_cell[own_rows, own_columns] >= 0.5) & (taken == 0)
    cells[rows, columns][mask] = number
    nuclei[rows, columns][mask & (small_core[own_rows, own_columns] >= 0.5)] = number
    fine = np.repeat(np.repeat(free, factor, 0), factor, 1)[
        : drawn.cell.shape[0], : drawn.cell.shape[1]
    ]
    opening = drawn.patch.soften(fine, 0.06)
    stamp = drawn.density * opening[..., None]
    where = paste(slide.density, stamp, x, y)
    if where is None:
        return
    rows, columns, own_rows, own_columns = where
    keep = 1 - 0.93 * (drawn.cell * opening)[own_rows, own_columns]
    slide.density[rows, columns] *= keep[..., None]
    slide.density[rows, columns] += stamp[own_rows, own_columns]


def _padded(mask: Array, factor: int) -> Array:
    more = -mask.shape[0] % factor
    return np.pad(mask, ((0, more), (0, more))) if more else mask


def _truth(
    forms: Sequence[Form],
    places: Sequence[tuple[float, float]],
    cells: npt.NDArray[np.uint16],
    scale: float,
) -> tuple[FieldCell, ...]:
    height, width = cells.shape
    found = []
    for number, (form, (x, y)) in enumerate(zip(forms, places, strict=True), start=1):
        reach = form.radius_um * 1.6 * scale
        x0, y0 = max(int(x * scale - reach), 0), max(int(y * scale - reach), 0)
        window = cells[y0 : int(y * scale + reach) + 1, x0 : int(x * scale + reach) + 1] == number
        bx0, by0, bx1, by1 = box_of(window)
        if bx1 == 0:
            continue
        box = (bx0 + x0, by0 + y0, bx1 + x0, by1 + y0)
        whole = box[0] > 0 and box[1] > 0 and box[2] < width and box[3] < height
        found.append(FieldCell(number, form, (x * scale, y * scale), box, whole))
    return tuple(found)
