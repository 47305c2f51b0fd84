"""Scores of one model in their order, and how rank metrics follow from weights of groups.

For each different score of a positive item, from the highest down, the positives and negatives
at or above it are counted by group. A resample's counts are then one matrix product of its weights
with these, whatever the number of items; where groups are so many that the table would not fit,
the weights are laid out along the order of the items and summed up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .sample import Bools, Floats, Integers, Sample

__all__ = [
    "SPECIFICITIES",
    "Ranking",
    "auroc",
    "ranking_of",
    "rankings",
    "sweep",
]

DENSE_GROUPS = 512
DENSE_CELLS = 1 << 23
"""Up to this many groups, and groups times items, counts by group are tabled."""
BLOCK_CELLS = 1 << 20
"""About how many cells of weights by thresholds are worked on at a time: stays in the cache."""
SPECIFICITIES = (0.90, 0.95)
"""At which the sensitivity is told."""
SLACK = 1e-9
"""Counts of false alarms may exceed their limit by this share: 0.05 · 20 is not 1 in binary."""


NONE: Floats = np.zeros((0, 0))


class Counts(NamedTuple):
    """Weighted counts at each threshold, of shape (weightings, thresholds)."""

    positives: Floats
    """Positive items at or above the threshold."""
    negatives: Floats
    """Negative items at or above it."""
    above: Floats
    """Negative items strictly above it."""


@dataclass(frozen=True)
class Ranking:
    """One model's scores for one class; arrays follow the scores downwards."""

    groups: Integers
    """Numbers of the sample's groups that this model tested."""
    repeat: int
    positive: Bools
    group: Integers
    """Place in ``groups`` of each item."""
    starts: Integers
    """First item of each run of equal scores that holds a positive one."""
    ends: Integers
    """Last item of each such run."""

    @cached_property
    def sizes(self) -> Floats:
        """Items by group."""
        return np.bincount(self.group, minlength=len(self.groups)).astype(np.float64)

    @cached_property
    def positives(self) -> Floats:
        """Positive items by group."""
        counts = np.bincount(self.group[self.positive], minlength=len(self.groups))
        return counts.astype(np.float64)

    @cached_property
    def negatives(self) -> Floats:
        """Negative items by group."""
        return self.sizes - self.positives

    @property
    def dense(self) -> bool:
        """Whether counts are tabled by group."""
        return (
            len(self.groups) <= DENSE_GROUPS and len(self.groups) * len(self.group) <= DENSE_CELLS
        )

    @cached_property
    def table(self) -> Counts:
        """Counts of each group (rows) at each threshold (columns)."""
        return self._along(np.eye(len(self.groups)))

    @cached_property
    def wins(self) -> Floats:
        """How often a positive item of one group (row) is above a negative of another (column);
        a tie counts one half."""
        at = self.table
        fresh = np.diff(at.positives, axis=1, prepend=0.0)
        below = self.negatives[:, None] - (at.negatives + at.above) / 2
        return fresh @ below.T

    def counts(self, weights: Floats) -> Iterator[tuple[slice, Counts]]:
        """Weighted counts at the thresholds, a block of weightings at a time.

        From the table ``above`` is not computed: only ``wins`` needs it.
        """
        width = len(self.ends) if self.dense else len(self.group)
        step = max(1, BLOCK_CELLS // max(width, 1))
        for start in range(0, len(weights), step):
            block = slice(start, start + step)
            part = weights[block]
            if self.dense:
                hits, alarms, _ = self.table
                yield block, Counts(part @ hits, part @ alarms, NONE)
            else:
                yield block, self._along(part)

    def _along(self, weights: Floats) -> Counts:
        laid = weights[:, self.group]
        everything = np.cumsum(laid, axis=1)
        positives = np.cumsum(laid * self.positive, axis=1)
        negatives = everything - positives
        before = np.where(self.starts > 0, negatives[:, self.starts - 1], 0.0)
        return Counts(positives[:, self.ends], negatives[:, self.ends], before)


def rankings(sample: Sample, number: int) -> tuple[Ranking, ...]:
    """One ranking a model, by the probability of class ``number``."""
    return tuple(
        ranking_of(
            sample.probabilities[chosen, number],
            sample.label[chosen] == number,
            sample.group[chosen],
            int(sample.repeat[chosen[0]]),
        )
        for chosen in sample.models
    )


def ranking_of(score: Floats, positive: Bools, group: Integers, repeat: int = 0) -> Ranking:
    """The ranking of one model's scores."""
    order = np.argsort(-score, kind="stable")
    groups, place = np.unique(group, return_inverse=True)
    falling = score[order]
    run_ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    run_starts = np.append(0, run_ends[:-1] + 1)
    hits = np.add.reduceat(positive[order].astype(np.int64), run_starts)
    return Ranking(
        groups=groups,
        repeat=repeat,
        positive=positive[order],
        group=place.ravel()[order],
        starts=run_starts[hits > 0],
        ends=run_ends[hits > 0],
    )


def _both(ranking: Ranking, weights: Floats) -> tuple[Floats, Floats, Bools]:
    """Weighted positives, negatives, and where there are both."""
    positives, negatives = weights @ ranking.positives, weights @ ranking.negatives
    return positives, negatives, (positives > 0) & (negatives > 0)


def auroc(ranking: Ranking, weights: Floats) -> Floats:
    """Share of (positive, negative) pairs in the right order, ties one half.

    Bamber 1975, J. Math. Psychol. 12:387, equation 4; over resamples as ``w'Aw`` with the matrix
    of wins between groups.
    """
    positives, negatives, both = _both(ranking, weights)
    if ranking.dense:
        right = np.einsum("bg,bg->b", weights @ ranking.wins, weights)
    else:
        right = np.empty(len(weights))
        for block, at in ranking.counts(weights):
            fresh = np.diff(at.positives, axis=1, prepend=0.0)
            below = negatives[block, None] - (at.negatives + at.above) / 2
            right[block] = np.einsum("bt,bt->b", fresh, below)
    values = np.full(len(weights), np.nan)
    return np.asarray(np.divide(right, positives * negatives, out=values, where=both))


def sweep(ranking: Ranking, weights: Floats) -> Floats:
    """What needs a walk down all thresholds, in one walk, shape (weightings, 1 + specificities).

    First the average precision: the sum over thresholds of precision times the gain in recall,
    without interpolation. Then for each of ``SPECIFICITIES`` the highest sensitivity of any
    threshold whose specificity is at least that.
    """
    positives, negatives, both = _both(ranking, weights)
    sums = np.zeros((len(weights), 1 + len(SPECIFICITIES)))
    if not len(ranking.ends):  # no positive item, so no threshold
        return np.full(sums.shape, np.nan)
    for block, at in ranking.counts(weights):
        fresh = np.diff(at.positives, axis=1, prepend=0.0)
        called = at.positives + at.negatives
        called[called == 0] = 1.0  # nothing at all is above the threshold: nothing is added
        sums[block, 0] = np.einsum("bt,bt->b", fresh, at.positives / called)
        for column, specificity in enumerate(SPECIFICITIES, start=1):
            limit = (1 - specificity) * negatives[block, None] * (1 + SLACK)
            allowed = (at.negatives <= limit).sum(axis=1)
            found = np.take_along_axis(at.positives, np.maximum(allowed - 1, 0)[:, None], axis=1)
            sums[block, column] = np.where(allowed > 0, found[:, 0], 0.0)
    values = np.full(sums.shape, np.nan)
    return np.asarray(np.divide(sums, positives[:, None], out=values, where=both[:, None]))
