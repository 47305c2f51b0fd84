"""What comes between features and a head: standardised, principal components, or LPP.

Each is an affine map that is fitted on the training rows, so one class holds them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...records.experiment import Classical
from .gram import Doubles, Floats

__all__ = ["Projection", "fit_projection", "locality_preserving_axes"]

VARIANCE_KEPT = 0.98
"""Of the principal components before LPP where vectors are longer than rows are many
(He et al. 2005, "Face recognition using Laplacianfaces", section 5)."""
NEGLIGIBLE = 1e-7
"""Components with a smaller share of the largest variance are rounding."""


@dataclass(frozen=True)
class Projection:
    """(x − mean) / scale, then coordinates along ``axes`` where there are any."""

    mean: Doubles
    scale: Doubles
    axes: Doubles | None
    """(d, components)."""
    words: str

    def __call__(self, features: Floats) -> Floats:
        """(n, d) to (n, components), float32."""
        centred = (features - self.mean.astype(np.float32)) / self.scale.astype(np.float32)
        if self.axes is None:
            return np.asarray(centred)
        return np.asarray(centred @ self.axes.astype(np.float32))

    def state(self) -> dict[str, Any]:
        """Arrays, to be written."""
        return {"mean": self.mean, "scale": self.scale, "axes": self.axes, "words": self.words}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Projection:
        """What ``state`` gave."""
        return cls(state["mean"], state["scale"], state["axes"], str(state["words"]))


def fit_projection(
    features: Floats, settings: Classical, rng: np.random.Generator
) -> Projection | None:
    """Fit what ``settings`` ask for on the training rows (n, d); None where that is nothing.

    ``auto`` must be resolved before (``classifier.resolve``).
    """
    standardise = settings.standardise == "yes"
    if not standardise and settings.reduction == "none":
        return None
    length = features.shape[1]
    mean, scale = np.zeros(length), np.ones(length)
    parts = []
    if standardise:
        from sklearn.preprocessing import StandardScaler

        fitted = StandardScaler().fit(features)
        mean, scale = np.asarray(fitted.mean_), np.asarray(fitted.scale_)
        parts.append("standardised")
    axes = None
    if settings.reduction != "none":
        scaled = Projection(mean, scale, None, "")(features)
        if settings.reduction == "pca":
            centre, axes = _principal_axes(scaled, settings.components, rng)
            parts.append(f"{axes.shape[1]} principal components")
        else:
            centre, axes = locality_preserving_axes(
                scaled, settings.components, settings.graph_neighbours
            )
            parts.append(f"{axes.shape[1]} locality preserving projections")
        mean = mean + scale * centre
    return Projection(mean, scale, axes, ", ".join(parts))


def _principal_axes(
    features: Floats, components: int, rng: np.random.Generator
) -> tuple[Doubles, Doubles]:
    """Mean (d,) and the first principal axes (d, components)."""
    from sklearn.decomposition import PCA

    most = min(components, len(features) - 1, features.shape[1])
    fitted = PCA(most, random_state=int(rng.integers(2**31))).fit(features)
    return np.asarray(fitted.mean_, np.float64), np.asarray(fitted.components_.T, np.float64)


def locality_preserving_axes(
    features: Floats, components: int, neighbours: int
) -> tuple[Doubles, Doubles]:
    """Locality preserving projection (He & Niyogi 2003, section 2.2).

    Rows that are among each other's nearest are to stay near: with W the graph of neighbours
    (1 where either is among the other's nearest, their "simple-minded" weights), D its row sums
    and L = D − W, the axes are the solutions of Xᵀ L X a = λ Xᵀ D X a with the smallest λ.

    Xᵀ D X has no inverse where vectors are longer than rows are many, or where a feature never
    changes; so principal components come first, as the authors do (He et al. 2005): those of
    98 % of the variance in the first case, in the second all that are more than rounding.

    Returns
    -------
    mean, axes
        (d,) and (d, components), fewer where there are not so many; in the order of λ, each
        with its largest coordinate positive.
    """
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian
    from sklearn.decomposition import PCA
    from sklearn.neighbors import kneighbors_graph

    rows, length = features.shape
    principal = PCA(VARIANCE_KEPT if length > rows else None, svd_solver="full").fit(features)
    variances = principal.explained_variance_
    basis = principal.components_[variances > NEGLIGIBLE * variances[0]].T.astype(np.float64)
    mean = np.asarray(principal.mean_, np.float64)
    places = (features - mean) @ basis
    nearest = kneighbors_graph(places, min(neighbours, rows - 1))
    graph = nearest.maximum(nearest.T)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    spread = places.T @ (laplacian(graph) @ places)
    weight = places.T @ (degrees[:, None] * places)
    count = min(components, basis.shape[1])
    _, found = eigh(spread, weight, subset_by_index=(0, count - 1))
    axes = basis @ found
    largest = np.abs(axes).argmax(axis=0)
    return mean, axes * np.sign(axes[largest, np.arange(count)])
