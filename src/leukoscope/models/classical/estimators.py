"""Heads that scikit-learn has whole: random forest, naive Bayes, logistic regression, k-NN."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...records.experiment import Classical
from .gram import ELEMENTS, Doubles, Floats

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
        if self.kind == "nb":
            return _bayes(self.fitted, features)
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


def _bayes(fitted: Any, features: Floats) -> Doubles:
    """Posterior probabilities that sum to 1 however far a vector lies from all that was seen.

    Log-densities of long vectors go to 1e5, and beyond 1e12 where a value hardly varies among the
    training rows. scikit-learn adds them up in the type of the vectors, float32, and subtracts
    before it exponentiates; here they are added up in float64, a block of rows at a time. Of
    vectors that are all the same (a network that answers nothing) only the priors are known.
    """
    from scipy.special import softmax

    joint = np.empty((len(features), len(fitted.class_prior_)))
    step = max(1, ELEMENTS // features.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, len(features), step):
            rows = slice(start, start + step)
            joint[rows] = fitted.predict_joint_log_proba(features[rows].astype(np.float64))
    joint[~np.isfinite(joint).all(axis=1)] = np.log(fitted.class_prior_)
    return np.asarray(softmax(joint, axis=1))


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
