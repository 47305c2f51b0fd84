"""Risk over coverage: how wrong are the answers if only the surest ones are given?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..measurement import Estimate
from ..sample import Floats, Integers, Sample
from ..weighted import Weighted
from .basis import Basis, band, basis_of, measured

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["RiskCoverage", "risk_coverage"]

COVERAGE = np.arange(5, 101) / 100
BLOCK_CELLS = 1 << 20


@dataclass(frozen=True)
class RiskCoverage:
    """Share of wrong answers among the surest; arrays have the shape (points,)."""

    coverage: Floats
    """Share of the items that is answered, from 0.05 to 1."""
    risk: Floats
    low: Floats
    high: Floats
    area: Estimate
    """The mean risk over the coverages (lower is better)."""
    basis: Basis


def risk_coverage(
    predictions: Predictions, *, resamples: int = 1000, seed: int = 0
) -> RiskCoverage:
    """Risk-coverage curve: El-Yaniv & Wiener 2010, JMLR 11:1605.

    Items are ordered by their highest probability within each model; equally sure ones share
    their errors.
    """
    from .. import METRICS

    found = measured(predictions, "image", resamples, seed)
    values = np.concatenate([_risks(at) for at in found.blocks])
    edges = band(found, values)
    area = replace(METRICS["ece"], name="aurc", compute=lambda at: _risks(at).mean(axis=1))
    return RiskCoverage(
        coverage=COVERAGE,
        risk=edges.value,
        low=edges.low,
        high=edges.high,
        area=found.estimate(area),
        basis=basis_of(found.sample),
    )


def _risks(at: Weighted) -> Floats:
    def models() -> Iterator[tuple[int, Floats, Floats]]:
        for chosen in at.sample.models:
            order, wrong = _ordered(at.sample, chosen)
            size, values = _along(at.weights, at.sample.group[order], wrong)
            yield int(at.sample.repeat[chosen[0]]), size, values

    return at.over_models(models())


def _ordered(sample: Sample, chosen: Integers) -> tuple[Integers, Floats]:
    """A model's entries from the surest down, and the error of each, shared among equals."""
    sure = sample.probabilities[chosen].max(axis=1)
    _, run = np.unique(-sure, return_inverse=True)
    order = np.argsort(run, kind="stable")
    wrong = (sample.label != sample.predicted)[chosen].astype(np.float64)
    shared = np.bincount(run, weights=wrong) / np.bincount(run)
    return chosen[order], shared[run[order]]


def _along(weights: Floats, group: Integers, wrong: Floats) -> tuple[Floats, Floats]:
    """Weighted sizes (weightings,) and risks (weightings, points) of one model."""
    sizes = np.zeros(len(weights))
    risks = np.full((len(weights), len(COVERAGE)), np.nan)
    step = max(1, BLOCK_CELLS // len(group))
    for start in range(0, len(weights), step):
        laid = weights[start : start + step][:, group]
        answered, missed = np.cumsum(laid, axis=1), np.cumsum(laid * wrong, axis=1)
        for row in range(len(laid)):
            whole = answered[row, -1]
            if whole <= 0:
                continue
            sizes[start + row] = whole
            at = np.searchsorted(answered[row], COVERAGE * whole * (1 - 1e-9))
            risks[start + row] = missed[row, at] / answered[row, at]
    return sizes, risks
