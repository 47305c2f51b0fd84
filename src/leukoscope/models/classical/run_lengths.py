"""Grey level run lengths: how often a grey level goes on for how many pixels (Galloway 1975)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .gram import Doubles

__all__ = ["DIRECTIONS", "RUN_MEASURES", "run_length_matrix", "run_measures"]

Levels = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

DIRECTIONS = ((0, 1), (-1, 1), (-1, 0), (-1, -1))
"""0, 45, 90 and 135 degrees as (rows down, columns right)."""
RUN_MEASURES = (
    "short_run_emphasis",
    "long_run_emphasis",
    "grey_level_non_uniformity",
    "run_length_non_uniformity",
    "run_percentage",
    "low_grey_level_emphasis",
    "high_grey_level_emphasis",
)


def run_length_matrix(
    levels: Levels, mask: Mask, direction: tuple[int, int], count: int
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many runs of each grey level have each length.

    Parameters
    ----------
    levels
        Grey levels 0 … count − 1, (height, width).
    mask
        Where runs are; a run ends where it does.
    direction
        Of the next pixel, one of ``DIRECTIONS``.
    count
        Number of grey levels.

    Returns
    -------
    numpy.ndarray
        (count, longest side): entry (g, l − 1) counts the runs of level g and length l.
    """
    # Where a run may not go on, the framed level is one that no pixel has.
    framed = np.full((levels.shape[0] + 2, levels.shape[1] + 2), -1, dtype=np.int64)
    framed[1:-1, 1:-1] = np.where(mask, levels, -1)
    down, right = direction
    inside = framed[1:-1, 1:-1]
    before = np.roll(framed, (down, right), (0, 1))[1:-1, 1:-1]
    row, column = np.nonzero((inside >= 0) & (inside != before))
    row, column = row + 1, column + 1
    level = framed[row, column]
    length = np.ones(len(row), dtype=np.int64)
    going = np.arange(len(row))
    while len(going):
        row, column = row + down, column + right
        on = framed[row, column] == level[going]
        going, row, column = going[on], row[on], column[on]
        length[going] += 1
    matrix = np.zeros((count, max(levels.shape)), dtype=np.int64)
    np.add.at(matrix, (level, length - 1), 1)
    return matrix


def run_measures(matrix: np.ndarray[Any, np.dtype[np.int64]]) -> Doubles:
    """The five measures of Galloway (1975) and two of Chu et al. (1990), as in ``RUN_MEASURES``.

    Both non-uniformities are divided by the number of runs twice, so that they do not grow with
    the region; grey levels count from 1. Zeros where there is no run.
    """
    runs = matrix.sum()
    if not runs:
        return np.zeros(len(RUN_MEASURES))
    share = matrix / runs
    lengths = np.arange(1, matrix.shape[1] + 1, dtype=np.float64)
    levels = np.arange(1, matrix.shape[0] + 1, dtype=np.float64)
    by_level, by_length = share.sum(axis=1), share.sum(axis=0)
    return np.array(
        [
            by_length @ lengths**-2,
            by_length @ lengths**2,
            by_level @ by_level,
            by_length @ by_length,
            1.0 / float(by_length @ lengths),
            by_level @ levels**-2,
            by_level @ levels**2,
        ]
    )
