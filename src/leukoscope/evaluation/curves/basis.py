"""What a curve stands on, and the band around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import PredictionsError
from ..intervals import Ends
from ..measurement import Measured
from ..sample import Floats, Sample, Unit, image_sample
from ..subjects import by_subject

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["Band", "Basis", "Level", "band", "basis_of", "measured"]

Level = Literal["image", "subject"]


@dataclass(frozen=True)
class Basis:
    """How many items and groups a figure is made from."""

    n: int
    groups: int
    unit: Unit
    models: int
    """Folds times repeats: how many models were tested."""


@dataclass(frozen=True)
class Band:
    """Values along a curve with their 95 % intervals, each of shape (points,)."""

    value: Floats
    low: Floats
    high: Floats


def basis_of(sample: Sample) -> Basis:
    """Items and groups of a sample."""
    return Basis(sample.items(), sample.group_count(), sample.unit, len(sample.models))


def measured(predictions: Predictions, level: Level, resamples: int, seed: int) -> Measured:
    """The predictions at one level with their resamples.

    Raises
    ------
    PredictionsError
        At subject level, where neither subjects nor groups are known.
    """
    if level == "image":
        return Measured.alone(image_sample(predictions), resamples, seed)
    sample = by_subject(predictions).sample
    if sample is None:
        raise PredictionsError(
            "predictions: neither subjects nor groups are known, so there is no curve by subject. "
            "Add a column 'subject', or draw it by image."
        )
    return Measured.alone(sample, resamples, seed)


def band(measured: Measured, values: Floats, bounds: Ends = (0.0, 1.0)) -> Band:
    """Pointwise 95 % intervals of values under every weighting, shape (weightings, points).

    Where there is no interval the band has no width.
    """
    low, high = values[0].copy(), values[0].copy()
    for point in range(values.shape[1]):
        if np.isfinite(values[0, point]):
            ends, _ = measured.interval_of(values[:, point], bounds, 0)
            if ends is not None:
                low[point], high[point] = ends
    return Band(values[0], low, high)
