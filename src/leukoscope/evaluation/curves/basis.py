"""What a curve stands on, and the band around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import PredictionsError
from ..intervals import TAIL
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


def band(measured: Measured, values: Floats) -> Band:
    """Pointwise 95 % bands of values under every weighting, shape (weightings, points).

    The percentile interval at Student's level for as many groups as the class with the fewest
    has (Hesterberg 2015, Am. Stat. 69:371, section 5.3): steadier than the intervals of single
    figures where a curve touches 0 or 1.
    """
    from scipy.special import ndtr, stdtrit

    value, groups = values[0], measured.fewest
    if groups < 2:
        return Band(value, value, value)
    tail = float(ndtr(math.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, TAIL)))
    draws = values[1 : measured.resamples.draws + 1]
    usable = np.isfinite(draws).any(axis=0)
    low, high = value.copy(), value.copy()
    ends = np.nanquantile(draws[:, usable], [tail, 1 - tail], axis=0)
    low[usable] = np.fmin(ends[0], value[usable])
    high[usable] = np.fmax(ends[1], value[usable])
    return Band(value, low, high)
