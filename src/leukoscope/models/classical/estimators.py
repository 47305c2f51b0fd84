"""Heads that scikit-learn has whole: random forest, naive Bayes, logistic regression, k-NN."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...records.experiment import Classical
from .gram import Doubles, Floats

__all__ = ["Estimator", "fit_knn", "fit_logreg", "fit_nb", "fit_rf"]

Integers = np.ndarray[Any, np.dtype[np.int64]]
Groups = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Estimator:
    """A classifier of scikit-learn that has probabilities of its own."""

    kind: str
    fitted: Any
    words: str

    def probabilities(self, features: Floats) -> Doubles:
        """Probabilities (n, classes)."""
        return np.asarray(self.fitted.predict_proba(features), dtype=np.float64)

    def state(self) -> dict[str, Any]:
        """scikit-learn's own object, to be written."""
        return {"kind": self.kind, "fitted": self.fitted, "words": self.words}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Estimator:
        """What ``state`` gave."""
        return cls(str(state["kind"]), state["fitted"], str(state["words"]))

    def __str__(self) -> str:
        return self.words


def fit_rf(
    features: Floats,
    targets: Integers,
    groups: Groups,
    settings: Classical,
    rng: np.random.Generator,
) -> Estimator:
    """Breiman's forest; probabilities are the mean of its trees' leaves."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(settings.trees, random_state=int(rng.integers(2**31)))
    return Estimator(
        "rf", forest.fit(features, targets), f"random forest of {settings.trees} trees"
    )


def fit_nb(
    features: Floats,
    targets: Integers,
    groups: Groups,
    settings: Classical,
    rng: np.random.Generator,
) -> Estimator:
    """Gaussian naive Bayes; on long vectors its probabilities are nearly 0 or 1."""
    from sklearn.naive_bayes import GaussianNB

    return Estimator("nb", GaussianNB().fit(features, targets), "Gaussian naive Bayes")


def fit_logreg(
    features: Floats,
    targets: Integers,
    groups: Groups,
    settings: Classical,
    rng: np.random.Generator,
) -> Estimator:
    """Logistic regression with an L2 penalty; where it has not converged its words say so."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=settings.C, max_iter=settings.iterations)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        regression.fit(features, targets)
    stopped = any(issubclass(one.category, ConvergenceWarning) for one in caught)
    words = f"logistic regression (C = {settings.C:g})"
    if stopped:
        words += f", not converged in {settings.iterations} iterations"
    return Estimator("logreg", regression, words)


def fit_knn(
    features: Floats,
    targets: Integers,
    groups: Groups,
    settings: Classical,
    rng: np.random.Generator,
) -> Estimator:
    """The share of each class among the nearest training rows."""
    from sklearn.neighbors import KNeighborsClassifier

    count = min(settings.neighbours, len(features))
    neighbours = KNeighborsClassifier(count, algorithm="brute").fit(features, targets)
    return Estimator("knn", neighbours, f"{count} nearest neighbours of {len(features)} rows")
