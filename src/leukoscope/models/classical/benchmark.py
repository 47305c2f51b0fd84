"""The SVM on long vectors beside scikit-learn's on the same: CNN-1's 50,176 values at 32 px."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ...progress import Progress
from ...records.experiment import Classical
from .gram import Floats
from .sigmoid import Sigmoid
from .svm import SupportVectors, fit_machine, fit_svm, training_kernel

__all__ = ["ROWS", "run", "vectors_like_cnn1"]

ROWS, UNSEEN, LENGTH = 2000, 500, 50_176
COSTS = (0.1, 1.0, 10.0, 100.0)


def vectors_like_cnn1(
    rows: int, length: int, rng: np.random.Generator
) -> tuple[Floats, np.ndarray[Any, np.dtype[np.int64]]]:
    """Rectified feature maps: images of a class, of a subject, and noise; half of them zero."""
    targets = np.arange(rows) % 2
    directions = rng.normal(0, 0.05, (2, length)).astype(np.float32)
    factors = rng.normal(0, 1, (rows, 20)).astype(np.float32)
    axes = rng.normal(0, 0.2, (20, length)).astype(np.float32)
    vectors = rng.standard_normal((rows, length), dtype=np.float32)
    vectors += factors @ axes
    vectors += directions[targets]
    return np.maximum(vectors, 0, out=vectors), targets


def run(progress: Progress) -> list[dict[str, Any]]:
    """Rows for ``leukoscope bench``: both sides fit 2,000 vectors and answer for 500 others."""
    from sklearn.svm import SVC

    vectors, targets = vectors_like_cnn1(ROWS + UNSEEN, LENGTH, np.random.default_rng(0))
    train, test, known = vectors[:ROWS], vectors[ROWS:], targets[:ROWS]
    settings = Classical()

    def ours() -> Any:
        kernel = training_kernel(train, settings)
        machine = fit_machine(kernel.matrix, known, settings.C)
        support = np.asarray(train[machine.support_])
        sigmoid = Sigmoid(1.0, np.zeros(2))
        found = SupportVectors(machine, support, kernel.centre, kernel.gamma, sigmoid)
        return found.decisions(test).argmax(axis=1)

    def several() -> None:
        kernel = training_kernel(train, settings)
        for cost in COSTS:
            fit_machine(kernel.matrix, known, cost)

    def whole() -> None:
        groups = np.arange(ROWS) // 40
        fit_svm(train, known, groups, settings, np.random.default_rng(0)).probabilities(test)

    progress.say("SVC on raw vectors of 50,176 values (a minute or more)")
    peer_seconds, expected = _timed(lambda: SVC().fit(train, known).predict(test), 1)
    seconds, found = _timed(ours, 3)
    same = int((found == expected).sum())
    several_seconds, _ = _timed(several, 1)
    whole_seconds, _ = _timed(whole, 1)
    shape = f"{ROWS:,} vectors of {LENGTH:,}"
    return [
        {
            "name": f"SVM, {shape}: fit and {UNSEEN} answers",
            "ours": seconds,
            "peer": peer_seconds,
            "ratio": peer_seconds / seconds,
            "unit": "s",
            "target": ">= 30x scikit-learn's SVC",
            "note": f"{same} of {UNSEEN} answers the same",
        },
        {
            "name": f"SVM, {shape}: {len(COSTS)} costs from one matrix",
            "ours": several_seconds,
            "peer": None,
            "ratio": None,
            "unit": "s",
            "target": "",
            "note": f"C = {', '.join(f'{cost:g}' for cost in COSTS)}",
        },
        {
            "name": f"SVM, {shape}: with probabilities from internal folds",
            "ours": whole_seconds,
            "peer": None,
            "ratio": None,
            "unit": "s",
            "target": "",
        },
    ]


def _timed(work: Callable[[], Any], times: int) -> tuple[float, Any]:
    """The median of some calls in seconds, and the last result."""
    taken, result = [], None
    for _ in range(times):
        began = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)), result
