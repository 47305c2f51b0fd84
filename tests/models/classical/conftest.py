"""Vectors as a network's flatten gives them: not negative, some always zero, classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Cells:
    """Training and test vectors of subjects, each of one class."""

    train: np.ndarray[Any, Any]
    targets: np.ndarray[Any, Any]
    groups: np.ndarray[Any, Any]
    test: np.ndarray[Any, Any]
    truth: np.ndarray[Any, Any]


def make_vectors(rows: int, length: int, classes: int = 2, seed: int = 0) -> Cells:
    """Rectified noise with a subject's and a class's mean; a tenth of the features is dead."""
    rng = np.random.default_rng(seed)
    targets = np.arange(2 * rows) % classes
    groups = np.arange(2 * rows) // classes % 20 * classes + targets
    means = rng.normal(0, 0.3, (classes, length))
    subjects = rng.normal(0, 0.3, (20 * classes, length))
    noise = rng.normal(0, 1, (2 * rows, length))
    vectors = np.maximum(noise + means[targets] + subjects[groups], 0).astype(np.float32)
    vectors[:, rng.random(length) < 0.1] = 0
    cut = rows
    return Cells(vectors[:cut], targets[:cut], groups[:cut], vectors[cut:], targets[cut:])


@pytest.fixture
def cells() -> Cells:
    """120 training vectors of 3,000 values, longer than one block of columns."""
    return make_vectors(120, 3000)
