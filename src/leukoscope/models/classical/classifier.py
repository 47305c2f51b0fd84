"""A classical head with what comes before it: features in, probabilities out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...records.experiment import Classical
from .estimators import fit_knn, fit_logreg, fit_nb, fit_rf
from .gram import Doubles, Floats
from .names import MEASURED
from .projection import Projection, fit_projection
from .svm import fit_svm

__all__ = ["Classifier", "Head", "fit_classifier", "resolve"]


class Head(Protocol):
    """A fitted head."""

    def probabilities(self, features: Floats) -> Doubles:
        """(n, d) to (n, classes)."""
        ...

    def state(self) -> dict[str, Any]:
        """What is written: arrays, numbers and objects of scikit-learn."""
        ...


FITS: dict[str, Callable[..., Head]] = {
    "svm": fit_svm,
    "rf": fit_rf,
    "nb": fit_nb,
    "logreg": fit_logreg,
    "knn": fit_knn,
}
"""The heads of ``names.HEADS``: name → function of (features, targets, groups, settings, rng)."""


@dataclass(frozen=True)
class Classifier:
    """Fitted on training rows: a projection, where there is one, and a head."""

    projection: Projection | None
    head: Head

    def probabilities(self, features: Floats) -> Doubles:
        """Probabilities (n, classes) of features (n, d); rows sum to 1."""
        if self.projection is not None:
            features = self.projection(features)
        return self.head.probabilities(features)

    def __str__(self) -> str:
        before = f"{self.projection.words}; " if self.projection is not None else ""
        return f"{before}{self.head}"


def resolve(settings: Classical, network: str) -> Classical:
    """``auto`` replaced by what it means for the features of ``network``."""
    measured = network in MEASURED
    reduction = "pca" if network == "lab-kmeans" else "none"
    changes: dict[str, str] = {}
    if settings.standardise == "auto":
        changes["standardise"] = "yes" if measured else "no"
    if settings.reduction == "auto":
        changes["reduction"] = reduction
    return settings.model_copy(update=changes)


def fit_classifier(
    head: str,
    features: Floats,
    targets: np.ndarray[Any, np.dtype[np.int64]],
    groups: np.ndarray[Any, np.dtype[Any]],
    settings: Classical,
    rng: np.random.Generator,
) -> Classifier:
    """Fit projection and head on training rows, and on nothing else.

    Parameters
    ----------
    head
        A name of ``HEADS``.
    features
        (n, d) float32.
    targets
        Class numbers (n,), each of 0 … classes − 1 at least once.
    groups
        What internal folds never cut (n,).
    settings
        Without ``auto`` (see ``resolve``).
    rng
        Draws internal folds and the forest's trees.
    """
    projection = fit_projection(features, settings, rng)
    if projection is not None:
        features = projection(features)
    return Classifier(projection, FITS[head](features, targets, groups, settings, rng))
