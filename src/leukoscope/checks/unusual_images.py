"""Images that are like no other of their set."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..records.findings import Finding
from .context import Context, keys_of
from .doubtful_labels import COLUMNS
from .measuring import COLUMNS as MEASURED
from .quality import FAR, by_class, deviation, measured, peers, said

__all__ = ["check"]

NEIGHBOURS = 5
"""An image that has so many like it is not unusual, however different they are together."""
CLIPPED = 12.0
"""A single measurement counts at most so many deviations."""
LEAST_SPREAD = 0.005
FEWEST = 30


def check(context: Context) -> list[Finding]:
    """Outliers: images unlike all others of their set in light, colour, size and detail"""
    found = measured(context)
    if found is None:
        return []
    sets = [rows for rows in peers(context) if len(rows) >= FEWEST]
    names = [name for name in COLUMNS if np.isfinite(found[name]).any()]
    scaled = np.stack([_scaled(name, found[name], sets) for name in names], axis=1)
    rows, far = _far(scaled, sets)
    if not len(rows):
        return []
    order = np.argsort(-far)
    rows, far = rows[order], far[order]
    return [
        Finding(
            check="unusual-images",
            severity="note",
            summary=(
                f"{said(context, rows, int(found.known.sum()))} "
                f"{'is' if len(rows) == 1 else 'are'} unlike all others of their set in light, "
                "colour, size and detail."
            ),
            evidence={
                "images": len(rows),
                "by_class": by_class(context, rows),
                "most_unusual_in": {
                    context.manifest.keys[row]: MEASURED[
                        names[int(np.argmax(np.abs(scaled[row])))]
                    ].title
                    for row in rows[:50]
                },
            },
            images=keys_of(context, rows),
            mend=(
                "Look at them: another stain, another camera, an artefact, or a cell that is rare. "
                "Leave out what is no cell; keep what is rare, and know that the model saw few."
            ),
        )
    ]


def _scaled(name: str, values: np.ndarray[Any, Any], sets: list[np.ndarray[Any, Any]]) -> Any:
    """Robust deviations, bounded; what was not measured is usual. Areas by their logarithm."""
    if MEASURED[name].unit == "pixels":
        values = np.log2(values)
    _, far = deviation(values, sets, LEAST_SPREAD)
    return np.nan_to_num(np.clip(far, -CLIPPED, CLIPPED))


def _far(
    scaled: np.ndarray[Any, Any], sets: list[np.ndarray[Any, Any]]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The rows whose neighbours are far, and how far: deviations of the distance's logarithm.

    Of 1,500 normal points in 17 dimensions the farthest is at 3.3.
    """
    from sklearn.neighbors import NearestNeighbors

    distance = np.full(len(scaled), np.nan)
    for rows in sets:
        near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(scaled[rows])
        distance[rows] = np.log(np.maximum(near.kneighbors(scaled[rows])[0][:, -1], 1e-6))
    _, far = deviation(distance, sets, LEAST_SPREAD)
    chosen = np.flatnonzero(far >= FAR)
    return chosen, far[chosen]
