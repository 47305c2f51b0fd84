"""Decision values become probabilities (Platt 1999), fitted where the machine has not trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .gram import Doubles

__all__ = ["Sigmoid", "fit_sigmoid"]

SLOPES = (1e-3, 1e3)
"""A slope of zero would say nothing of any image, and one without end everything."""


@dataclass(frozen=True)
class Sigmoid:
    """softmax(slope · decisions + offsets); of two classes Platt's sigmoid of f."""

    slope: float
    offsets: Doubles
    """(classes,); zeros where the more probable class is to be the machine's answer."""

    def __call__(self, decisions: Doubles) -> Doubles:
        """Probabilities (n, classes)."""
        from scipy.special import softmax

        return np.asarray(softmax(self.slope * decisions + self.offsets, axis=1))

    def __str__(self) -> str:
        shift = " with offset" if self.offsets.any() else ""
        return f"sigmoid of slope {self.slope:.3g}{shift}"


def fit_sigmoid(
    decisions: Doubles, targets: np.ndarray[Any, np.dtype[np.int64]], *, classes: int, offset: bool
) -> Sigmoid:
    """Fit slope and, if asked, offsets by maximum likelihood with Platt's smoothed targets.

    Parameters
    ----------
    decisions
        (n, classes) of rows that the machine was not fitted on; with none the slope is 1.
    targets
        Class numbers (n,).
    offset
        Platt's sigmoid has one; without it the machine's answer stays the more probable class.

    Notes
    -----
    A row of class k with N_k rows is told to be of it with (N_k + 1) / (N_k + classes), which for
    two classes is Platt's (N + 1) / (N + 2) (1999, section 2.2). The likelihood is concave.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    nothing = np.zeros(classes)
    if not len(targets):
        return Sigmoid(1.0, nothing)
    counts = np.bincount(targets, minlength=classes)
    wanted = np.repeat((1.0 / (counts + classes))[targets, None], classes, axis=1)
    wanted[np.arange(len(targets)), targets] *= counts[targets] + 1

    def loss(values: Doubles) -> tuple[float, Doubles]:
        offsets = np.concatenate([[0.0], values[1:]]) if offset else nothing
        logits = values[0] * decisions + offsets
        wrong = softmax(logits, axis=1) - wanted
        slope = float((wrong * decisions).sum()) / len(targets)
        gradient = [slope, *wrong[:, 1:].mean(axis=0)] if offset else [slope]
        value = -float((wanted * log_softmax(logits, axis=1)).sum()) / len(targets)
        return value, np.array(gradient)

    free = classes - 1 if offset else 0
    start = np.array([1.0, *[0.0] * free])
    bounds = [SLOPES, *[(None, None)] * free]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Sigmoid(float(found[0]), np.array([0.0, *found[1:]]) if offset else nothing)
