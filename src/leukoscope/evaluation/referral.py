"""Two ways to say "I do not know", beside each other at the same referral rate.

A rule that refers more answers fewer cells wrong, so errors are compared only where both refer
equally often. The plain rule is Chow's (1970, IEEE Trans. Inf. Theory 16:41): refer the cells
whose calibrated probability is nearest to the threshold; with true probabilities no rule that
sees them alone does better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import PredictionsError
from .intervals import Groups, interval
from .measurement import Estimate
from .resampling import resample, strata
from .sample import Bools, Floats, Integers, numbered

__all__ = ["Comparison", "Referral", "band", "compare_referrals"]

Texts = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True)
class Referral:
    """What one rule did."""

    answered: int
    referred: int
    errors: int
    """Answered cells whose answer is wrong."""
    missed: int
    """Of these: positive cells that were called negative."""
    rate: Estimate
    """Errors among the answered cells, with its interval over groups."""


@dataclass(frozen=True)
class Comparison:
    """Two rules on the same cells."""

    cells: int
    groups: int
    a: Referral
    b: Referral
    difference: Estimate
    """Error rate of a less that of b: above 0, a loses."""

    def entry(self) -> dict[str, Any]:
        """As it is written to JSON."""
        table = asdict(self)
        for name in ("a", "b"):
            table[name]["rate"] = getattr(self, name).rate.entry()
        return {**table, "difference": self.difference.entry()}

    def sentence(self, a: str, b: str) -> str:
        """Who wins, in words: the interval decides, not the value."""
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        if value is None:
            return f"{a} and {b} cannot be compared: {self.difference.reason}."
        told = (
            f"{a} is wrong in {self.a.errors} of {self.a.answered} answered cells, {b} in "
            f"{self.b.errors} of {self.b.answered} (both refer {self.a.referred} of {self.cells})"
        )
        if self.a.referred != self.b.referred:
            told = told.replace(
                f"both refer {self.a.referred}", f"they refer {self.a.referred} and "
                f"{self.b.referred}"
            )  # fmt: skip
        if low is None or high is None:
            told += f"; difference {value:+.3f}, no interval: {self.difference.reason}"
            return f"{told}; {a} loses here." if value > 0 else f"{told}."
        told += f"; difference {value:+.3f} [{low:+.3f}, {high:+.3f}] over {self.groups} groups"
        if low > 0:
            return f"{told}: {a} loses."
        if high < 0:
            return f"{told}: {a} wins."
        if value > 0:
            return f"{told}: {a} loses here, by less than the uncertainty."
        return f"{told}: no difference is shown."


def band(probability: Floats, referred: int, threshold: float = 0.5) -> Bools:
    """Which cells Chow's rule refers: those nearest to the threshold, ``referred`` of them.

    A probability that is not known (NaN) is referred first. Of equals the first ones are taken.
    """
    away = np.where(np.isfinite(probability), np.abs(probability - threshold), -1.0)
    chosen = np.zeros(len(probability), dtype=bool)
    chosen[np.argsort(away, kind="stable")[:referred]] = True
    return chosen


def compare_referrals(
    label: Bools,
    group: Sequence[str],
    a: Texts,
    b: Texts,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Errors of two rules among the cells that each answers.

    Parameters
    ----------
    label
        Whether each cell is positive, shape (cells,).
    group
        What must not be cut; resampled as a whole, stratified by class.
    a, b
        ``normal``, ``refer`` or ``blast`` of each cell.
    resamples, seed
        Of the bootstrap over groups.

    Raises
    ------
    PredictionsError
        When there are no cells.
    """
    if not len(label):
        raise PredictionsError("referrals: there are no cells to compare.")
    numbers, names = numbered(list(group))
    present = np.zeros((len(names), 2), dtype=bool)
    present[numbers, label.astype(np.int64)] = True
    drawn = resample(strata(present), resamples, seed)
    size = np.bincount(numbers, minlength=len(names)).astype(np.float64)
    groups = Groups(drawn.stratum, size, drawn.left_out)
    rules, series = [], []
    for verdict in (a, b):
        answered = verdict != "refer"
        wrong = answered & ((verdict == "blast") != label)
        values = _rate(numbers, len(names), wrong, answered, drawn.weights)
        series.append(values)
        rules.append(
            Referral(
                answered=int(answered.sum()),
                referred=int((~answered).sum()),
                errors=int(wrong.sum()),
                missed=int((wrong & label).sum()),
                rate=_estimate(values, groups, drawn.draws, (0.0, 1.0), int(answered.sum())),
            )
        )
    difference = _estimate(
        series[0] - series[1], groups, drawn.draws, (-np.inf, np.inf), len(label)
    )
    return Comparison(len(label), len(names), rules[0], rules[1], difference)


def _rate(group: Integers, groups: int, wrong: Bools, answered: Bools, weights: Floats) -> Floats:
    """Errors among the answered cells under each weighting; NaN where none is answered."""
    errors = weights @ np.bincount(group, weights=wrong, minlength=groups)
    given = weights @ np.bincount(group, weights=answered, minlength=groups)
    found = np.full(len(weights), np.nan)
    return np.asarray(np.divide(errors, given, out=found, where=given > 0))


def _estimate(
    values: Floats, groups: Groups, draws: int, bounds: tuple[float, float], n: int
) -> Estimate:
    count = len(groups.stratum)
    if not np.isfinite(values[0]):
        return Estimate(None, None, None, count, n, "no cell is answered")
    ends, reason = interval(
        float(values[0]), values[1 : draws + 1], values[draws + 1 :], groups, bounds,
        int(np.bincount(groups.stratum).min()),
    )  # fmt: skip
    low, high = ends if ends is not None else (None, None)
    return Estimate(float(values[0]), low, high, count, n, reason)
