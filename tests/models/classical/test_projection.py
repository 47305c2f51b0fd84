"""Projections against scikit-learn, and LPP against its own defining equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import StandardScaler

from leukoscope.models.classical.projection import (
    VARIANCE_KEPT,
    Projection,
    fit_projection,
    locality_preserving_axes,
)
from leukoscope.records.experiment import Classical

from .conftest import Cells, make_vectors


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_nothing_asked_for_is_nothing(cells: Cells) -> None:
    assert fit_projection(cells.train, Classical(standardise="no", reduction="none"), rng()) is None


def test_standardised_principal_components_are_scikit_learns() -> None:
    cells = make_vectors(150, 40)
    settings = Classical(standardise="yes", reduction="pca", components=7)
    ours = fit_projection(cells.train, settings, rng())
    assert ours is not None
    scaler = StandardScaler().fit(cells.train)
    peer = PCA(7).fit(scaler.transform(cells.train))
    expected = peer.transform(scaler.transform(cells.test))
    found = ours(cells.test)
    assert found.dtype == np.float32
    signs = np.sign((found * expected).sum(axis=0))
    assert np.allclose(found, expected * signs, atol=1e-4)  # float32 products of 40 values
    assert Projection.from_state(ours.state())(cells.test) == pytest.approx(found)


def test_fewer_components_where_there_are_fewer_rows() -> None:
    cells = make_vectors(20, 500)
    for reduction in ("pca", "lpp"):
        settings = Classical(standardise="no", reduction=reduction, components=300)
        ours = fit_projection(cells.train, settings, rng())
        assert ours is not None
        assert ours(cells.test).shape[1] <= 19


def dense_reference(places: Any, neighbours: int) -> tuple[Any, Any, Any]:
    """W, D and L by loops over a full table of distances: He & Niyogi's definition."""
    distances = pairwise_distances(places)
    np.fill_diagonal(distances, np.inf)
    weights = np.zeros_like(distances)
    for row in range(len(places)):
        for other in np.argsort(distances[row])[:neighbours]:
            weights[row, other] = weights[other, row] = 1
    degrees = np.diag(weights.sum(axis=1))
    return weights, degrees, degrees - weights


def test_lpp_solves_its_generalised_eigenproblem() -> None:
    places = make_vectors(200, 30).train.astype(np.float64)
    mean, axes = locality_preserving_axes(places, 6, 5)
    _, degrees, laplacian = dense_reference(places, 5)
    centred = places - mean
    left, right = (centred.T @ matrix @ centred for matrix in (laplacian, degrees))
    values = np.array([a @ left @ a / (a @ right @ a) for a in axes.T])
    for value, axis in zip(values, axes.T, strict=True):
        residual = left @ axis - value * (right @ axis)
        assert np.linalg.norm(residual) < 1e-6 * np.linalg.norm(left @ axis)
    # The smallest ones, in order, among all that NumPy's own solver finds.
    alive = centred.std(axis=0) > 0
    reference = np.linalg.eigvals(
        np.linalg.solve(right[np.ix_(alive, alive)], left[np.ix_(alive, alive)])
    )
    assert np.allclose(values, np.sort(reference.real)[:6], rtol=1e-6)


def test_lpp_keeps_neighbours_where_principal_components_lose_them() -> None:
    """A strip whose length is the smaller variance: PCA takes the noise, LPP the strip."""
    draw = rng()
    along = np.linspace(0, 1, 300)
    cloud = np.stack([along, draw.choice([-5.0, 5.0], 300)], axis=1)
    places = np.concatenate([cloud, draw.normal(0, 0.01, (300, 3))], axis=1)
    _, axes = locality_preserving_axes(places, 2, 8)
    # Its two best directions are the two sides (cut from each other) and the strip itself.
    assert subspace_angles(axes, np.eye(5)[:, :2]).max() < 0.2


def test_long_vectors_go_through_the_components_of_most_variance() -> None:
    places = make_vectors(60, 400).train
    _, axes = locality_preserving_axes(places, 5, 5)
    kept = PCA(VARIANCE_KEPT, svd_solver="full").fit(places).components_
    inside = axes - kept.T @ (kept @ axes)
    assert np.linalg.norm(inside) < 1e-5 * np.linalg.norm(axes)
