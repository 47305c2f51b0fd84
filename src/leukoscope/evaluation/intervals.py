"""95 % intervals that hold for few groups, from a bootstrap and a jackknife over groups.

The percentile interval of a grouped bootstrap is too narrow for few groups: its spread is that of
dividing by G instead of G − 1, its quantiles are the normal distribution's, and near 0 or 1 it
leans the wrong way. The interval here is

    scale⁻¹( scale(value) ± t · s )

- on the logit of shares (the logarithm of losses, the value itself where nothing bounds it);
- s is the standard deviation of the scaled bootstrap values times √(G/(G − 1)), or the standard
  error of the jackknife over groups where that is larger;
- G is a stratum's effective number of groups, (Σm)²/Σm² for groups of m items (Carter, Schnepel &
  Steigerwald 2017, Rev. Econ. Stat. 99:698);
- t is Student's 0.975 quantile with half of Satterthwaite's degrees of freedom over the strata,
  1 / Σ(wᵢ² / (Gᵢ − 1)) with the strata's shares wᵢ of the variance, but not fewer than the strata
  have in the mean, 1 / Σ(wᵢ / (Gᵢ − 1)). The whole sum is right for normal subjects. Errors that
  few subjects make have longer tails: an excess kurtosis of 2 halves what a variance is known by.

``evaluation.coverage`` simulates it beside the percentile interval, BCa and others;
``docs/metrics.md`` has the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .sample import Floats, Integers

__all__ = ["INTERVAL", "TAIL", "Ends", "Groups", "Spread", "interval", "p_value", "spread"]

INTERVAL = (
    "95 %: Student on the metric's scale (logit of shares), bootstrap over groups stratified by "
    "class, corrected for few groups"
)
TAIL = 0.025
DEFINED = 0.9
"""With a smaller share of resamples in which a metric is defined, there is no interval."""
NEAREST = 10.0
"""A resampled share comes at most this many times nearer to 0 or 1 than the value itself: the
logit of a resample that happens to be perfect is infinite, and says nothing of the other end."""
SMALL = 1e-12


@dataclass(frozen=True)
class Groups:
    """What is resampled."""

    stratum: Integers
    """Stratum of each group."""
    size: Floats
    """Items of each group."""
    left_out: Floats
    """The jackknife's weights, shape (blocks, groups)."""


@dataclass(frozen=True)
class Spread:
    """How much a scaled value varies over groups."""

    error: float
    """Standard error."""
    degrees: float
    """Degrees of freedom."""

    @property
    def half(self) -> float:
        """Half the width of the 95 % interval."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, 1 - TAIL)) * self.error


Ends = tuple[float, float]


def interval(
    value: float,
    draws: Floats,
    left_out: Floats,
    groups: Groups,
    bounds: Ends = (-math.inf, math.inf),
    fewest: int = 0,
) -> tuple[Ends | None, str]:
    """The 95 % interval of a metric, or None with the reason.

    Parameters
    ----------
    value:
        Of the sample itself.
    draws:
        Of the bootstrap's resamples, NaN where the metric is not defined.
    left_out:
        Of the jackknife's.
    groups:
        What was resampled.
    bounds:
        Smallest and largest value the metric can have.
    fewest:
        Groups that the value stands on: of the class that has the fewest.
    """
    reason = _unusable(draws, groups)
    if reason:
        return None, reason
    if value in bounds and np.nanmax(np.abs(draws - value)) < SMALL:
        return _at_the_bound(value, fewest, bounds)
    scale, back = _scale(value, bounds)
    found = spread(scale(np.array([value]))[0], scale(draws), scale(left_out), groups)
    if found is None or found.error < SMALL:
        return None, "the value does not vary over groups"
    middle = scale(np.array([value]))[0]
    low, high = back(np.array([middle - found.half, middle + found.half]))
    return (float(max(low, bounds[0])), float(min(high, bounds[1]))), ""


def spread(value: float, draws: Floats, left_out: Floats, groups: Groups) -> Spread | None:
    """Standard error and degrees of freedom of a scaled value; None where nothing varies."""
    variance, smaller, mean, summed = 0.0, 0.0, 0.0, 0.0
    of_block = groups.stratum[groups.left_out.argmin(axis=1)]
    for number in np.unique(of_block):
        values = left_out[of_block == number]
        values = values[np.isfinite(values)]
        blocks = len(values)
        if blocks < 2:
            continue
        members = groups.stratum == number
        count, size = int(members.sum()), groups.size[members]
        if not size.any():  # of two runs, this one did not test these groups
            continue
        effective = max(float(size.sum() ** 2 / (size**2).sum()), 2.0)
        resampled = (
            (blocks - 1) / blocks * (count - 1) / count * float(((values - value) ** 2).sum())
        )
        part = resampled * effective / (effective - 1)
        variance += part
        smaller += resampled
        mean += part / (effective - 1)
        summed += part**2 / (effective - 1)
    if smaller <= 0:
        return None
    bootstrap = float(np.nanvar(draws)) * variance / smaller
    degrees = max(1.0, variance / mean, variance**2 / summed / 2)
    return Spread(math.sqrt(max(bootstrap, variance)), degrees)


def p_value(difference: float, found: Spread) -> float:
    """Two-sided p-value of no difference: Student's, from the same spread as the interval."""
    from scipy.special import stdtr

    if found.error < SMALL:
        return 1.0 if difference == 0 else 0.0
    return float(2 * stdtr(found.degrees, -abs(difference) / found.error))


def _unusable(draws: Floats, groups: Groups) -> str:
    if len(groups.stratum) < 2:
        return "all items are of one group"
    if not len(groups.left_out):
        return "one group in each class: nothing can be resampled"
    share = float(np.isfinite(draws).mean()) if len(draws) else 0.0
    if share < DEFINED:
        return f"not defined in {100 * (1 - share):.0f} % of the resamples"
    return ""


def _at_the_bound(value: float, fewest: int, bounds: Ends) -> tuple[Ends | None, str]:
    """The exact binomial bound with each group as one trial: nothing else is known of a share
    that is perfect (or nil) in every group."""
    if bounds != (0.0, 1.0) or fewest < 1:
        return None, "the value does not vary over groups"
    bound = TAIL ** (1 / fewest)
    return ((bound, 1.0) if value == 1 else (0.0, 1 - bound)), ""


Scale = Callable[[Floats], Floats]


def _scale(value: float, bounds: Ends) -> tuple[Scale, Scale]:
    """The scale on which a metric is roughly symmetric, and the way back."""
    low, high = bounds
    if math.isfinite(low) and math.isfinite(high):
        width = high - low
        share = (value - low) / width
        least = max(min(share / NEAREST, 0.5), SMALL)
        most = min(max(1 - (1 - share) / NEAREST, 0.5), 1 - SMALL)

        def logit(values: Floats) -> Floats:
            shares = np.clip((values - low) / width, least, most)
            return np.asarray(np.log(shares / (1 - shares)))

        return logit, lambda scaled: low + width / (1 + np.exp(-scaled))
    if low == 0:
        least = max(value / NEAREST, SMALL)
        return lambda values: np.log(np.maximum(values, least)), lambda scaled: np.exp(scaled)
    return lambda values: values, lambda scaled: scaled
