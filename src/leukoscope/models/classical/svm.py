"""Support vector machines on long vectors, exactly: libsvm on a kernel matrix made here.

``SVC(kernel="precomputed")`` solves the same problem as ``SVC`` on the vectors, with the same
answers; the matrix is made once, block by block (``gram``), and serves every cost C and the
internal folds from which probabilities come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ExperimentError
from ...records.experiment import Classical
from .gram import Doubles, Floats, column_means, gram, kernel_matrix, scale_gamma, squared_norms
from .sigmoid import Sigmoid, fit_sigmoid

__all__ = ["Kernel", "SupportVectors", "fit_machine", "fit_svm", "training_kernel"]

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_ROWS = 30_000
"""Their kernel matrix takes 7.2 GB; more is refused instead of swapping."""
INTERNAL_FOLDS = 5
CACHE_MB = 500


@dataclass(frozen=True)
class Kernel:
    """The training rows as a kernel machine sees them."""

    matrix: Doubles
    """(n, n)."""
    centre: Floats
    """Subtracted from vectors before their products are taken."""
    gamma: float
    """0 for a linear kernel."""


def training_kernel(features: Floats, settings: Classical) -> Kernel:
    """The kernel matrix of the training rows.

    Raises
    ------
    ExperimentError
        When there are so many rows that the matrix would not fit into memory.
    """
    if len(features) > MOST_ROWS:
        raise ExperimentError(
            f"the SVM's kernel matrix of {len(features)} training rows would take "
            f"{len(features) ** 2 * 8 / 1e9:.0f} GB; at most {MOST_ROWS} rows are taken. Draw "
            "fewer with data.balance, or choose another head, such as +logreg or +rf."
        )
    if settings.kernel == "linear":
        centre = np.zeros(features.shape[1], np.float32)
        return Kernel(gram(features, centre), centre, 0.0)
    centre = column_means(features)
    match settings.gamma:
        case "scale":
            gamma = scale_gamma(features)
        case "auto":
            gamma = 1.0 / features.shape[1]
        case number:
            gamma = float(number)
    products = gram(features, centre)
    norms = np.diagonal(products).copy()
    return Kernel(kernel_matrix(products, norms, norms, gamma), centre, gamma)


def fit_machine(matrix: Doubles, targets: Integers, cost: float) -> Any:
    """scikit-learn's ``SVC`` on a kernel matrix; one matrix serves any number of costs."""
    from sklearn.svm import SVC

    # Of several classes with equal votes the one with the larger decision values wins.
    machine = SVC(kernel="precomputed", C=cost, break_ties=True, cache_size=CACHE_MB)
    return machine.fit(matrix, targets)


def decisions(machine: Any, matrix: Doubles) -> Doubles:
    """One column a class; of two classes the halves of −f and f, so that f is their difference."""
    found = np.asarray(machine.decision_function(matrix), dtype=np.float64)
    return found if found.ndim == 2 else np.stack([-found / 2, found / 2], axis=1)


@dataclass(frozen=True)
class SupportVectors:
    """A fitted machine with the vectors it stands on; of the others nothing is kept."""

    machine: Any
    vectors: Floats
    """(support vectors, d)."""
    centre: Floats
    gamma: float
    sigmoid: Sigmoid

    def decisions(self, features: Floats) -> Doubles:
        """Decision values (n, classes); their largest is the answer of ``SVC.predict``."""
        products = gram(features, self.centre, self.vectors)
        if self.gamma:
            left = squared_norms(features, self.centre)
            right = squared_norms(self.vectors, self.centre)
            products = kernel_matrix(products, left, right, self.gamma)
        # libsvm looks up support vectors by their place among the training rows.
        matrix = np.zeros((len(features), self.machine.shape_fit_[0]))
        matrix[:, self.machine.support_] = products
        return decisions(self.machine, matrix)

    def probabilities(self, features: Floats) -> Doubles:
        """Probabilities (n, classes)."""
        return self.sigmoid(self.decisions(features))

    def state(self) -> dict[str, Any]:
        """Arrays and scikit-learn's own object, to be written."""
        return {
            "kind": "svm",
            "machine": self.machine,
            "vectors": self.vectors,
            "centre": self.centre,
            "gamma": self.gamma,
            "slope": self.sigmoid.slope,
            "offsets": self.sigmoid.offsets,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SupportVectors:
        """What ``state`` gave."""
        return cls(
            machine=state["machine"],
            vectors=state["vectors"],
            centre=state["centre"],
            gamma=float(state["gamma"]),
            sigmoid=Sigmoid(float(state["slope"]), np.asarray(state["offsets"])),
        )

    def __str__(self) -> str:
        kernel = f"RBF kernel, gamma = {self.gamma:.3g}" if self.gamma else "linear kernel"
        fitted = self.machine.shape_fit_[0]
        return (
            f"SVM ({kernel}, C = {self.machine.C:g}) on {len(self.vectors)} support vectors of "
            f"{fitted} rows; {self.sigmoid}"
        )


def fit_svm(
    features: Floats,
    targets: Integers,
    groups: np.ndarray[Any, np.dtype[Any]],
    settings: Classical,
    rng: np.random.Generator,
) -> SupportVectors:
    """Fit an SVM and the sigmoid that makes probabilities of its decision values.

    The sigmoid is fitted on decision values that machines give for rows whose groups they have
    not seen: internal folds of whole groups within the training rows. Kernel and gamma are those
    of all training rows.
    """
    kernel = training_kernel(features, settings)
    machine = fit_machine(kernel.matrix, targets, settings.C)
    rows, found = _unseen_decisions(kernel.matrix, targets, groups, settings.C, rng)
    offset = settings.probabilities == "platt"
    sigmoid = fit_sigmoid(found, targets[rows], classes=len(machine.classes_), offset=offset)
    return SupportVectors(
        machine=machine,
        vectors=np.asarray(features[machine.support_], dtype=np.float32),
        centre=kernel.centre,
        gamma=kernel.gamma,
        sigmoid=sigmoid,
    )


def _unseen_decisions(
    matrix: Doubles,
    targets: Integers,
    groups: np.ndarray[Any, np.dtype[Any]],
    cost: float,
    rng: np.random.Generator,
) -> tuple[Integers, Doubles]:
    """Rows, and decision values of machines that have not seen the rows' groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    classes = np.unique(targets)
    fewest = min(len(np.unique(groups[targets == one])) for one in classes)
    rows: list[Integers] = []
    found: list[Doubles] = []
    if fewest > 1:
        folds = StratifiedGroupKFold(
            min(INTERNAL_FOLDS, fewest), shuffle=True, random_state=int(rng.integers(2**31))
        )
        for inside, outside in folds.split(targets, targets, groups):
            if not len(outside) or len(np.unique(targets[inside])) < len(classes):
                continue
            machine = fit_machine(matrix[np.ix_(inside, inside)], targets[inside], cost)
            rows.append(outside)
            found.append(decisions(machine, matrix[np.ix_(outside, inside)]))
    if not rows:
        return np.zeros(0, np.int64), np.zeros((0, len(classes)))
    return np.concatenate(rows), np.concatenate(found)
