"""Pairs and sets of near-identical images, as several checks need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ..datasets.facts import components
from .context import Context

__all__ = ["Pair", "fits", "joined", "near_pairs"]

Pair = tuple[int, int, float]
"""Two row numbers, and how well the pictures fit (correlation of the detail, 0.55 to 1)."""
FITS_SHOWN = 200


def near_pairs(context: Context) -> list[Pair]:
    """Rows that show the same picture in different pixels.

    Of rows with identical pixels one was compared; what holds for it holds for its twins.
    """
    if context.compared is None:
        return []
    twins = {row: rows for rows in context.identical for row in rows}
    pairs = {}
    for first, second, fit in context.compared.pairs:
        a, b = context.row_of[first], context.row_of[second]
        if b in twins.get(a, ()):
            continue  # identical, as their hashes say
        for one in twins.get(a, (a,)):
            for other in twins.get(b, (b,)):
                pairs[min(one, other), max(one, other)] = fit
    return [(a, b, fit) for (a, b), fit in sorted(pairs.items())]


def joined(pairs: Iterable[Pair]) -> list[tuple[int, ...]]:
    """Row numbers of each set that pairs tie together, sorted."""
    sets = defaultdict(list)
    for row, root in components((a, b) for a, b, _ in pairs).items():
        sets[root].append(row)
    return sorted(tuple(sorted(rows)) for rows in sets.values())


def fits(context: Context, pairs: Sequence[Pair]) -> list[list[Any]]:
    """The least alike pairs first, as a finding's evidence names them."""
    keys = context.manifest.keys
    least = sorted(pairs, key=lambda pair: (pair[2], pair[0], pair[1]))[:FITS_SHOWN]
    return [[keys[a], keys[b], round(fit, 3)] for a, b, fit in least]
