"""Sets of rows with identical pixels, as several checks need them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .context import Context

__all__ = ["conflicting", "images_of", "named", "pairs"]

IMAGES_SHOWN = 200
"""A finding names so many images that one can look at; ``evidence.groups`` has all."""


def conflicting(
    context: Context, values: Sequence[str]
) -> tuple[list[tuple[int, ...]], list[tuple[int, int]]]:
    """Identical rows that differ in a value: the sets, and the pairs of rows (empty is no value).

    Parameters
    ----------
    context
        The data set.
    values
        One value for each row: its label, its subject, its part, …
    """
    sets, found = [], []
    for rows in context.identical:
        differing = [pair for pair in pairs(rows) if _differ(values, pair)]
        if differing:
            sets.append(rows)
            found += differing
    return sets, found


def _differ(values: Sequence[str], pair: tuple[int, int]) -> bool:
    first, second = values[pair[0]], values[pair[1]]
    return bool(first and second and first != second)


def pairs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Every two of the rows."""
    return [(a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]


def named(context: Context, sets: Iterable[Iterable[int]]) -> list[list[str]]:
    """The row keys of each set: what ``evidence.groups`` holds."""
    return [[context.manifest.keys[row] for row in rows] for rows in sets]


def images_of(context: Context, sets: Iterable[Iterable[int]]) -> tuple[str, ...]:
    """Images to look at, those of one set side by side."""
    images = context.manifest.column("image")
    return tuple(str(images[row]) for rows in sets for row in rows)[:IMAGES_SHOWN]
