"""Whole groups into parts, so that every part is as large and as mixed as it should be.

The search is of our own: scikit-learn's StratifiedGroupKFold is greedy and knows neither unequal
shares nor a second look. Here a greedy start is improved by moving and exchanging groups until
nothing helps, from several random orders. Groups with the same number of images of each class
are interchangeable, so the search works on kinds of groups: 17,000 single images of eight
classes are eight kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

__all__ = ["assign", "deal", "draw_shares"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

RESTARTS = 6
"""Greedy starts, and as many by chance."""
KINDS_AT_ONCE = 72
"""Exchanges are looked for among so many kinds of groups at a time (memory, time)."""
PATIENCE = 5
"""Draws of kinds among which nothing helps, before the search ends."""
ROUNDS = 400
"""A search that still improves after so many steps is close enough."""
BALANCE_WEIGHT = 1.0
"""A class share that is off by a point counts like a part that is a point of a class too large."""
EVEN = 0.002
"""A class share or a size that is off by less than a fifth of a point is right."""
FAIR = 0.02
"""Below two points a better mixed class is not worth less even sizes."""
NEGLIGIBLE = 1e-6
"""The same as a cost: a sum of squares."""
SIZE_SLACK = 0.05
"""A part may be off by this share of all images if that mixes the classes better."""
ABSENT = 100.0
"""The cost of a part without a class that it should have: more than any imbalance."""


@dataclass(frozen=True)
class _Goal:
    """What a division should look like, and how far one is from it."""

    kinds: Ints
    """Images of each class in a group of each kind, shape (kinds, classes)."""
    shares: Floats
    """The share of all images that each part should hold, shape (parts,)."""
    absent: Floats
    """The cost of a class that a part lacks, shape (parts, classes)."""
    totals: Floats
    """Images of each class, shape (classes,)."""
    balance: float = BALANCE_WEIGHT

    def cost(self, part: int, counts: Ints) -> Floats:
        """How far ``counts`` (…, classes) are from what ``part`` should hold, shape (…)."""
        size = counts.sum(axis=-1, keepdims=True)
        spread = counts / self.totals - self.shares[part]
        mixed = counts / np.maximum(size, 1) - self.totals / self.totals.sum()
        cost = (spread**2).sum(axis=-1) + self.balance * (mixed**2).sum(axis=-1)
        return np.asarray(cost + (counts == 0) @ self.absent[part])

    def worst(self, part: int, counts: Ints) -> Floats:
        """The largest error of a class share in ``part``; infinite where a class is absent."""
        size = counts.sum(axis=-1, keepdims=True)
        mixed = counts / np.maximum(size, 1) - self.totals / self.totals.sum()
        lacking = ((counts == 0) & (self.absent[part] > 0)).any(axis=-1)
        return np.asarray(np.where(lacking, np.inf, np.abs(mixed).max(axis=-1)))

    def uneven(self, part: int, counts: Ints) -> Floats:
        """The error of the size of ``part``, as a share of all images."""
        size = counts.sum(axis=-1) / self.totals.sum()
        return np.asarray(np.abs(size - self.shares[part]))

    def total(self, counts: Ints) -> float:
        """The cost of a whole division, ``counts`` of shape (parts, classes)."""
        return float(sum(self.cost(part, row) for part, row in enumerate(counts)))

    def quality(self, counts: Ints) -> tuple[float, float, float]:
        """Cost of absent classes, worst error of a class share and worst error of a size."""
        size = counts.sum(axis=1)
        mixed = counts / np.maximum(size, 1)[:, None] - self.totals / self.totals.sum()
        uneven = size / self.totals.sum() - self.shares
        absent = float(((counts == 0) * self.absent).sum())
        return absent, float(np.abs(mixed).max()), float(np.abs(uneven).max())


def assign(
    counts: Ints,
    shares: Floats,
    rng: np.random.Generator,
    *,
    absent: Floats | None = None,
) -> Ints:
    """Put each group into one part.

    Parameters
    ----------
    counts
        Images of each class in each group, shape (groups, classes); every class has an image.
    shares
        The share of the images that each part should hold, shape (parts,), summing to 1.
    rng
        Decides the order in which groups are looked at, and which of several groups with the
        same counts goes where.
    absent
        The cost of each part without each class, shape (parts, classes); 100 where not given,
        which is more than any imbalance costs.

    Returns
    -------
    ndarray
        The part of each group, shape (groups,).
    """
    kinds, kind_of = np.unique(counts, axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    number = np.bincount(kind_of, minlength=len(kinds))
    shape = (len(shares), counts.shape[1])
    costs = np.full(shape, ABSENT) if absent is None else absent
    goal = _Goal(kinds, shares, costs, counts.sum(axis=0).astype(np.float64))
    found: list[Ints] = []
    # Few groups are hard to divide and quickly tried; among many kinds any start ends well.
    for greedy in (True, False) * (RESTARTS if len(kinds) <= 32 else RESTARTS // 3):
        start = _start(goal, number, rng, greedy=greedy)
        # Sizes first: where groups have one class each, a part that is too large and well mixed
        # is a trap, because whatever it gives away alone makes its mixture worse.
        sized = _improved(replace(goal, balance=0.0), start, rng)
        found.append(_evened(goal, _improved(goal, sized, rng), rng))
        lacking, mixed, uneven = goal.quality(found[-1].T @ kinds)
        if lacking == 0 and mixed < EVEN and uneven < EVEN:
            break
    placed = _first_good(goal, found)
    parts = np.empty(len(counts), dtype=np.int64)
    for kind in range(len(kinds)):
        members = rng.permutation(np.flatnonzero(kind_of == kind))
        parts[members] = np.repeat(np.arange(len(shares)), placed[kind])
    return parts


def _first_good(goal: _Goal, found: list[Ints]) -> Ints:
    """The first of several divisions that is nearly as good as the best.

    Not the best itself: repeats with other seeds should differ where several are good.
    """
    made = [placed.T @ goal.kinds for placed in found]
    best = min(range(len(made)), key=lambda one: goal.total(made[one]))
    absent, mixed, uneven = goal.quality(made[best])
    for placed, counts in zip(found, made, strict=True):
        other = goal.quality(counts)
        if other[0] <= absent and other[1] <= mixed + 0.005 and other[2] <= uneven + 0.01:
            return placed
    return found[best]


def _start(goal: _Goal, number: Ints, rng: np.random.Generator, *, greedy: bool) -> Ints:
    """Large groups first, each where it does least harm, or by chance; shape (kinds, parts).

    A start by chance leads the search out of the corner that the greedy one may begin in.
    """
    parts = len(goal.shares)
    placed = np.floor(number[:, None] * goal.shares).astype(np.int64)
    counts = placed.T @ goal.kinds
    sizes = goal.kinds.sum(axis=1) * rng.uniform(0.7, 1.4, len(goal.kinds))
    for kind in np.argsort(-sizes, kind="stable"):
        images = goal.kinds[kind]
        for _ in range(int(number[kind] - placed[kind].sum())):
            harm = rng.uniform(0, 1e-9, parts)
            if greedy:
                harm += [
                    goal.cost(part, counts[part] + images) - goal.cost(part, counts[part])
                    for part in range(parts)
                ]
            else:
                harm -= np.eye(parts)[rng.choice(parts, p=goal.shares)]
            part = int(harm.argmin())
            placed[kind, part] += 1
            counts[part] += images
    return placed


def _improved(goal: _Goal, placed: Ints, rng: np.random.Generator) -> Ints:
    """Move and exchange groups while that lowers the cost, the sum of squared errors."""
    placed = placed.copy()
    idle = 0
    for _ in range(ROUNDS):
        chosen = _some(len(goal.kinds), rng)
        counts = placed.T @ goal.kinds
        now = np.array([goal.cost(part, row) for part, row in enumerate(counts)])
        if now.sum() < NEGLIGIBLE:
            break

        def gain(source: int, target: int, left: Floats, gained: Floats, now: Floats = now) -> Any:
            return left + gained - (now[source] + now[target])

        if _took_best_step(goal, placed, chosen, goal.cost, gain):
            idle = 0
            continue
        idle += 1
        if len(chosen) == len(goal.kinds) or idle == PATIENCE:
            break
    return placed


def _evened(goal: _Goal, placed: Ints, rng: np.random.Generator) -> Ints:
    """Lower the single worst error of a class share, while no part's size gets too far off.

    A small sum of squares may leave one part worse than it need be.
    """
    placed = placed.copy()
    idle = 0
    start = placed.T @ goal.kinds
    allowed = max(SIZE_SLACK, *(float(goal.uneven(p, row)) for p, row in enumerate(start)))

    def measure(part: int, counts: Ints) -> Floats:
        fits = goal.uneven(part, counts) <= allowed + 1e-12
        return np.asarray(np.where(fits, goal.worst(part, counts), np.inf))

    for _ in range(ROUNDS):
        counts = placed.T @ goal.kinds
        worst = np.array([goal.worst(part, row) for part, row in enumerate(counts)])
        if not np.isfinite(worst).all() or worst.max() < FAIR:
            break

        def gain(
            source: int, target: int, left: Floats, gained: Floats, worst: Floats = worst
        ) -> Any:
            rest = np.delete(worst, [source, target]).max(initial=0.0)
            return np.maximum(np.maximum(left, gained), rest) - worst.max()

        chosen = _some(len(goal.kinds), rng)
        if _took_best_step(goal, placed, chosen, measure, gain):
            idle = 0
            continue
        idle += 1
        if len(chosen) == len(goal.kinds) or idle == PATIENCE:
            break
    return placed


def _some(kinds: int, rng: np.random.Generator) -> Ints:
    if kinds <= KINDS_AT_ONCE:
        return np.arange(kinds)
    return np.sort(rng.choice(kinds, KINDS_AT_ONCE, replace=False))


def _took_best_step(
    goal: _Goal,
    placed: Ints,
    chosen: Ints,
    measure: Callable[[int, Ints], Floats],
    gain: Callable[[int, int, Floats, Floats], Any],
) -> bool:
    """Take the move or exchange with the lowest gain, if it is below zero.

    ``measure`` rates what a part would hold; ``gain`` combines the rating of the part that a
    group leaves and of the part that it comes to, for every group and what comes back for it.
    """
    counts = placed.T @ goal.kinds
    kinds = goal.kinds[chosen]
    # With a kind of no images at the end, a move is an exchange against nothing.
    padded = np.vstack([kinds, np.zeros((1, kinds.shape[1]), dtype=np.int64)])
    change = kinds[:, None, :] - padded[None, :, :]
    # Steps that are impossible are masked below; until then they must not go below zero.
    left = [measure(part, np.maximum(row - change, 0)) for part, row in enumerate(counts)]
    gained = [measure(part, np.maximum(row + change, 0)) for part, row in enumerate(counts)]
    here = placed[chosen] > 0
    there = np.vstack([here, np.ones((1, here.shape[1]), dtype=bool)])
    best, step = -1e-12, None
    for source, target in permutations(range(len(goal.shares)), 2):
        possible = here[:, source, None] & there[None, :, target]
        gains = np.where(possible, gain(source, target, left[source], gained[target]), np.inf)
        place = int(gains.argmin())
        if gains.flat[place] < best:
            best = float(gains.flat[place])
            step = (*divmod(place, len(padded)), source, target)
    if step is None:
        return False
    moved, back, source, target = step
    placed[chosen[moved], [source, target]] += (-1, 1)
    if back < len(chosen):
        placed[chosen[back], [source, target]] += (1, -1)
    return True


def draw_shares(labels: Ints, sizes: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """Images, one by one, into parts of exactly these sizes, each with the classes' proportions.

    Parameters
    ----------
    labels
        The class of each image as a number, shape (images,).
    sizes
        Images of each part; they sum to the number of images.

    Returns
    -------
    ndarray
        The part of each image, shape (images,).
    """
    parts = np.full(len(labels), len(sizes) - 1, dtype=np.int64)
    left = np.arange(len(labels))
    for part, size in enumerate(sizes[:-1]):
        classes, totals = np.unique(labels[left], return_counts=True)
        exact = totals * (size / len(left)) if len(left) else totals * 0.0
        drawn = np.floor(exact).astype(np.int64)
        # Largest remainder; a tie is broken by chance and not by the alphabet.
        order = np.lexsort((rng.random(len(exact)), -(exact - drawn)))
        drawn[order[: size - int(drawn.sum())]] += 1
        for one, count in zip(classes, drawn, strict=True):
            members = rng.permutation(left[labels[left] == one])
            parts[members[:count]] = part
        left = left[parts[left] == len(sizes) - 1]
    return parts


def deal(labels: Ints, folds: int, rng: np.random.Generator) -> Ints:
    """Images dealt into folds like cards, class after class; shape (images,)."""
    parts = np.empty(len(labels), dtype=np.int64)
    offset = 0
    for one in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == one))
        parts[members] = (offset + np.arange(len(members))) % folds
        offset += len(members)
    return parts
