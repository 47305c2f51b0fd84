"""What the checks of image quality share: the usual image of a set, and how far one is from it.

Usual is the median of the images of one data set and site; how far, in robust standard deviations
(1.4826 times the median absolute deviation, which is a normal distribution's own). Thresholds are
two each: so many deviations, so that a varied set is not called faulty, and an effect that one
would see, so that a uniform set is not either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..counting import counted
from ..records.findings import Severity
from .context import Context
from .measuring import Measurements

__all__ = [
    "FAR",
    "FEWEST",
    "Deviation",
    "by_class",
    "deviation",
    "measured",
    "peers",
    "said",
    "severity_of",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.int64]]

FEWEST = 8
"""Of fewer images nobody can say what is usual."""
FAR = 4.0
"""Robust deviations from which an image is far: one of 16,000 normal values on one side, so that
15,000 usual images give about one false alarm even without the second threshold."""
MANY = 0.05
"""From this share of the images on a fault is no longer a detail of the set."""
CHANCE = 0.001
"""A fault that is distributed over the classes as unevenly as chance does so seldom is one more
thing by which the classes can be told apart."""
Deviation = tuple[Floats, Floats]
"""Each row's difference from the median of its set, and that in robust deviations."""


def measured(context: Context) -> Measurements | None:
    """The measurements, where pixels may be looked at and some image is at hand."""
    found = context.measurements
    return found if found is not None and found.known.any() else None


def peers(context: Context, *, with_label: bool = False) -> list[Rows]:
    """Row numbers of images that should look alike: of one data set and site (and class).

    Where a class has too few images, its data set's and site's stand for it.
    """
    manifest = context.manifest
    found = context.measurements
    known = np.zeros(len(manifest), np.bool_) if found is None else found.known
    sets = defaultdict(list)
    columns = [manifest.column(name) for name in ("dataset", "site")]
    if with_label:
        columns.append(manifest.column("label"))
    for row in np.flatnonzero(known):
        sets[tuple(column[row] for column in columns)].append(int(row))
    return [np.array(rows) for rows in sets.values() if len(rows) >= FEWEST]


def deviation(values: Floats, sets: Sequence[Rows], least: float) -> Deviation:
    """How far each value is from the median of its set; NaN outside of the sets.

    Parameters
    ----------
    values
        One a row; NaN where not measured.
    sets
        What ``peers`` gives.
    least
        The smallest robust deviation that is believed: where half of the images are equal, the
        rest would be infinitely far.
    """
    differences, scaled = np.full((2, len(values)), np.nan)
    for rows in sets:
        own = values[rows]
        if np.isfinite(own).sum() < FEWEST:
            continue
        differences[rows] = own - np.nanmedian(own)
        spread = 1.4826 * float(np.nanmedian(np.abs(differences[rows])))
        scaled[rows] = differences[rows] / max(spread, least)
    return differences, scaled


def by_class(context: Context, rows: Rows) -> dict[str, int]:
    """How many of the rows each class has; rows without a label are left out."""
    labels = context.manifest.column("label")
    return {str(name): int((labels[rows] == name).sum()) for name in sorted(set(labels)) if name}


def severity_of(context: Context, rows: Rows) -> Severity:
    """A warning where many images have the fault, or one class has it more than chance gives."""
    found = context.measurements
    known = 0 if found is None else int(found.known.sum())
    if len(rows) >= MANY * known or _uneven(context, rows):
        return "warning"
    return "note"


def _uneven(context: Context, rows: Rows) -> bool:
    """Whether groups with the fault lie in one class more than chance would have them.

    Counted in groups: the hundred blurred cells of one slide are one accident.
    """
    from scipy.stats import chi2_contingency

    labels, groups = context.manifest.column("label"), context.manifest.column("group")
    faulty = {(groups[row] or context.manifest.keys[row], labels[row]) for row in rows}
    every = {
        (group or key, label)
        for group, label, key in zip(groups, labels, context.manifest.keys, strict=True)
        if label
    }
    names = sorted({label for _, label in every})
    if len(names) < 2:
        return False
    table = np.array(
        [
            [sum(label == name for _, label in faulty & every) for name in names],
            [sum(label == name for _, label in every - faulty) for name in names],
        ]
    )
    if (table.sum(axis=1) == 0).any():
        return False
    return bool(chi2_contingency(table).pvalue < CHANCE)


def said(context: Context, rows: Rows, of: int) -> str:
    """``3 of 175 images (blast 3, normal 0)``; without classes where there are fewer than two."""
    counts = by_class(context, rows)
    classes = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{len(rows):,} of {counted(of, 'image')}" + (f" ({classes})" if len(counts) > 1 else "")
