"""Are stated probabilities true? Bins of equal mass, with bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..measurement import Estimate
from ..probabilities import bin_edges, bins_of, expected_ece, top_label
from ..sample import Floats, Integers, Sample
from ..weighted import ratio
from .basis import Basis, band, basis_of, measured

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["Reliability", "reliability"]

BINS = 10
HISTOGRAM_BINS = 25


@dataclass(frozen=True)
class Reliability:
    """Bins of the positive class's probability, or of the highest one with several classes."""

    of: str
    """The positive class; empty where the highest probability is meant."""
    predicted: Floats
    """Mean probability of each bin."""
    observed: Floats
    """Share of the bin's items that is of the class (or is right)."""
    low: Floats
    high: Floats
    counts: Integers
    """Items of each bin."""
    histogram: Integers
    """Items by probability, 25 bins of equal width."""
    edges: Floats
    ece: Estimate
    expected_ece: float
    """What the ECE would be if every probability were true."""
    slope: Estimate | None
    intercept: Estimate | None
    basis: Basis


def reliability(predictions: Predictions, *, resamples: int = 1000, seed: int = 0) -> Reliability:
    """Observed shares over stated probabilities, 10 bins of equal mass."""
    from .. import METRICS

    found = measured(predictions, "image", resamples, seed)
    sample = found.sample
    p, hit = _stated(sample)
    cell = bins_of(p, bin_edges(p, BINS))
    hits, n = sample.cell_sums(cell, hit, BINS), sample.cell_sums(cell, np.ones(len(p)), BINS)
    values = np.concatenate(
        [ratio(at.total(hits).sum(axis=1), at.total(n).sum(axis=1)) for at in found.blocks]
    )
    edges = band(found, values)
    counts = np.bincount(cell, minlength=BINS)
    used = counts > 0
    histogram, histogram_edges = np.histogram(p, bins=HISTOGRAM_BINS, range=(0.0, 1.0))
    binary = sample.positive is not None
    return Reliability(
        of="" if sample.positive is None else sample.classes[sample.positive],
        predicted=np.bincount(cell, weights=p, minlength=BINS)[used] / counts[used],
        observed=edges.value[used],
        low=edges.low[used],
        high=edges.high[used],
        counts=counts[used].astype(np.int64),
        histogram=histogram.astype(np.int64),
        edges=histogram_edges,
        ece=found.estimate(METRICS["ece"]),
        expected_ece=expected_ece(sample, np.random.default_rng(seed)),
        slope=found.estimate(METRICS["calibration_slope"]) if binary else None,
        intercept=found.estimate(METRICS["calibration_intercept"]) if binary else None,
        basis=basis_of(sample),
    )


def _stated(sample: Sample) -> tuple[Floats, Floats]:
    """The probability that is judged, and 1 where what it states came true."""
    if sample.positive is None:
        return top_label(sample)
    hit = (sample.label == sample.positive).astype(np.float64)
    return sample.probabilities[:, sample.positive], hit
