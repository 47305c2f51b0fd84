"""Patches of lymph-node tissue: packed nuclei in a pink ground, tumour nuclei in the centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .geometry import Patch, contour, texture
from .masks import box_of, paste, shrink
from .optics import CHROMATIN, DYES, EOSIN, expose, supersampling
from .plan import CellTruth
from .subjects import Subject

__all__ = ["RenderedTissue", "render_tissue"]

UM_PER_PIXEL = 0.97
CENTRE_PX = 32
"""Side of the square in the middle whose content is the label, of 96."""


@dataclass(frozen=True)
class RenderedTissue:
    """One patch and the truth about it."""

    image: npt.NDArray[np.uint8]
    """(size, size, 3) RGB."""
    nuclei: npt.NDArray[np.uint16]
    """(size, size): number of the nucleus at each pixel."""
    truth: tuple[CellTruth, ...]


def render_tissue(
    rng: np.random.Generator, tumour: bool, subject: Subject, *, size: int = 96
) -> RenderedTissue:
    """Draw a patch; with ``tumour`` its centre holds large, uneven nuclei.

    The outskirts of either class may hold some, as on real slides.
    """
    scale = size / 96 / UM_PER_PIXEL * subject.magnification
    factor = supersampling(scale)
    fine = scale * factor
    shape = (size * factor, size * factor)
    density = np.zeros((*shape, len(DYES)), np.float32)
    fibres = texture(rng, shape, 5 * fine)
    density[..., EOSIN] = np.clip(
        0.45 + 0.16 * fibres + 0.1 * texture(rng, shape, 1.5 * fine), 0, 2
    )
    density[..., CHROMATIN] = 0.05
    _tear(rng, density, fine)
    nuclei = np.zeros((size, size), np.uint16)
    truth: list[CellTruth] = []
    side_um = size / scale
    reach = CENTRE_PX / 96 * side_um / 2
    places = np.zeros((0, 3))
    nest = rng.uniform(0, side_um, 2)
    for _ in range(int(420 * rng.uniform(0.5, 1.2))):
        x, y = rng.uniform(0, side_um, 2)
        central = max(abs(x - side_um / 2), abs(y - side_um / 2)) < reach * 1.6
        near_nest = np.hypot(x - nest[0], y - nest[1]) < 16 and not central
        sick = (tumour and central) or (near_nest and rng.random() < 0.5)
        radius = (
            max(1.8, rng.normal(4.6, 0.8) if sick else rng.normal(3.1, 0.45)) * subject.habit.size
        )
        away = np.hypot(places[:, 0] - x, places[:, 1] - y)
        if len(places) and (away < 0.92 * (places[:, 2] + radius)).any():
            continue
        places = np.vstack([places, [x, y, radius]])
        number = len(truth) + 1
        if box := _nucleus(rng, density, nuclei, (x, y, radius), sick, number, fine, factor):
            truth.append(CellTruth(number, "tumour nucleus" if sick else "nucleus", box))
    image = expose(density, subject.optics, rng, scale=scale, factor=factor)
    return RenderedTissue(image, nuclei, tuple(truth))


def _tear(rng: np.random.Generator, density: npt.NDArray[np.float32], fine: float) -> None:
    """Empty gaps between tissue."""
    gaps = texture(rng, density.shape[:2], 14 * fine) - rng.uniform(1.0, 2.6)
    density *= (1 - np.clip(gaps * 4, 0, 0.95))[..., None]


def _nucleus(
    rng: np.random.Generator,
    density: npt.NDArray[np.float32],
    nuclei: npt.NDArray[np.uint16],
    circle: tuple[float, float, float],
    sick: bool,
    number: int,
    fine: float,
    factor: int,
) -> tuple[int, int, int, int] | None:
    """Draw one nucleus and its mask; its box, or None where no pixel of it is seen."""
    x, y, radius = circle
    patch = Patch.around(radius * 1.6, fine)
    outline = contour(
        rng,
        radius,
        roughness=0.07 if sick else 0.03,
        elongation=float(rng.uniform(0, 0.28 if sick else 0.18)),
        angle=float(rng.uniform(0, np.pi)),
        points=48,
    )
    cover = patch.fill(outline)
    uneven = 0.85 + (0.28 if sick else 0.14) * patch.texture(rng, 1.3 if sick else 0.8)
    uneven *= 0.75 if sick else 1.0
    left, top = (round(float(at) * fine / factor) * factor - patch.pixels // 2 for at in (x, y))
    left, top = left // factor * factor, top // factor * factor
    where = paste(density, cover, left, top)
    if where is None:
        return None
    rows, columns, own_rows, own_columns = where
    amount = (np.clip(uneven, 0.2, 2) * cover * np.float32(rng.lognormal(0, 0.12)))[
        own_rows, own_columns
    ]
    density[rows, columns, CHROMATIN] += amount
    density[rows, columns, EOSIN] *= 1 - 0.5 * cover[own_rows, own_columns]
    more = -cover.shape[0] % factor
    small = shrink(np.pad(cover, ((0, more), (0, more))), factor) >= 0.5
    spot = paste(nuclei, small, left // factor, top // factor)
    if spot is None:
        return None
    rows, columns, own_rows, own_columns = spot
    seen = small[own_rows, own_columns] & (nuclei[rows, columns] == 0)
    nuclei[rows, columns][seen] = number
    if not seen.any():
        return None
    x0, y0, x1, y1 = box_of(seen)
    return (x0 + columns.start, y0 + rows.start, x1 + columns.start, y1 + rows.start)
