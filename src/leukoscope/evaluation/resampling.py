"""Resampling whole groups, stratified by class where a group is of one class.

A resample is a row of weights, one for each group: how many times the group was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sample import Bools, Floats, Integers

__all__ = ["Resamples", "bootstrap", "jackknife", "resample", "strata"]

MOST_BLOCKS = 200
"""The jackknife leaves out blocks of groups where there are more groups than this."""


def strata(present: Bools) -> Integers:
    """Stratum of each group: its class where it has one, else the stratum of mixed groups.

    ``present`` has the shape (groups, classes).
    """
    return np.asarray(np.where(present.sum(axis=1) == 1, present.argmax(axis=1), present.shape[1]))


def bootstrap(stratum: Integers, resamples: int, rng: np.random.Generator) -> Floats:
    """Weights of shape (resamples, groups): in each stratum as many groups as it has, drawn
    with replacement."""
    weights = np.zeros((resamples, len(stratum)))
    for number in np.unique(stratum):
        members = np.flatnonzero(stratum == number)
        size = len(members)
        drawn = rng.integers(0, size, size=(resamples, size))
        drawn += np.arange(resamples)[:, None] * size
        counts = np.bincount(drawn.ravel(), minlength=resamples * size)
        weights[:, members] = counts.reshape(resamples, size)
    return weights


def jackknife(stratum: Integers, rng: np.random.Generator) -> Floats:
    """Weights that leave out one group (or one block of groups) each.

    The others of its stratum weigh more, so that the stratum as a whole weighs the same. A group
    that is alone in its stratum is never left out. Shape (blocks, groups).
    """
    rows = []
    share = min(1.0, MOST_BLOCKS / max(len(stratum), 1))
    for number in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == number))
        if len(members) < 2:
            continue
        blocks = max(2, round(share * len(members)))
        for block in np.array_split(members, blocks):
            row = np.ones(len(stratum))
            row[members] = len(members) / (len(members) - len(block))
            row[block] = 0.0
            rows.append(row)
    return np.array(rows).reshape(len(rows), len(stratum))


@dataclass(frozen=True)
class Resamples:
    """The weightings that a sample (or two samples together) is measured under."""

    stratum: Integers
    weights: Floats
    """First all ones, then the bootstrap's, then the jackknife's; shape (weightings, groups)."""
    draws: int
    """How many of them are the bootstrap's."""

    @property
    def left_out(self) -> Floats:
        """The jackknife's weights."""
        return self.weights[self.draws + 1 :]


def resample(stratum: Integers, draws: int, seed: int) -> Resamples:
    """Draw the weightings of some groups."""
    rng = np.random.default_rng(seed)
    drawn = bootstrap(stratum, draws, rng)
    weights = np.vstack([np.ones(len(stratum)), drawn, jackknife(stratum, rng)])
    return Resamples(stratum, weights, draws)
