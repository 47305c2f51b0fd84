"""Inner products of long vectors, block by block: all that a kernel machine needs to know of them.

Flattened feature maps have up to 204,800 values (varol2024, Table 6), far more than there are
images. An SVM sees vectors only through their inner products, so n² numbers take the place of
n · 204,800, and one product of matrices the place of libsvm's loops over pairs.

Every sum runs over blocks of columns: a block is multiplied in float32 and added up in float64, so
that no float64 copy of the vectors is made, wherever they lie (an array or a memory map).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["column_means", "gram", "kernel_matrix", "scale_gamma", "squared_norms"]

Floats = np.ndarray[Any, np.dtype[np.float32]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]

COLUMNS = 2048
"""Of one block: rows x 8 kB, and long enough that the product is bound by arithmetic."""
ELEMENTS = 1 << 21
"""Of one block where float64 is needed: 16 MB."""


def column_means(vectors: Floats) -> Floats:
    """The mean vector (d,) of ``vectors`` (n, d), added up in float64."""
    return np.asarray(vectors.mean(axis=0, dtype=np.float64), dtype=np.float32)


def scale_gamma(vectors: Floats) -> float:
    """``gamma='scale'`` of scikit-learn's SVC: 1 / (d · variance of all n · d values).

    In two passes of float64 over blocks of rows; 1 where all values are the same, as there.
    """
    total = sum(float(block.sum()) for block in _row_blocks(vectors))
    mean = total / vectors.size
    squares = 0.0
    for block in _row_blocks(vectors):
        block -= mean
        flat = block.ravel()
        squares += float(flat @ flat)
    variance = squares / vectors.size
    return 1.0 / (vectors.shape[1] * variance) if variance else 1.0


def _row_blocks(vectors: Floats) -> Iterator[Doubles]:
    step = max(1, ELEMENTS // vectors.shape[1])
    for start in range(0, len(vectors), step):
        yield vectors[start : start + step].astype(np.float64)


def gram(vectors: Floats, centre: Floats, others: Floats | None = None) -> Doubles:
    """Inner products of centred vectors.

    Parameters
    ----------
    vectors
        (n, d) float32.
    centre
        (d,), subtracted from every vector: distances do not change by it, but the numbers get
        smaller and the differences of their squares more exact. Zeros leave vectors as they are.
    others
        (m, d), centred here too; by default ``vectors``, whose products are symmetric and cost
        half as much.

    Returns
    -------
    numpy.ndarray
        (n, m) float64.
    """
    total = np.zeros((len(vectors), len(vectors if others is None else others)))
    for start in range(0, vectors.shape[1], COLUMNS):
        columns = slice(start, start + COLUMNS)
        left = vectors[:, columns] - centre[columns]
        # NumPy sees that both factors are one array, and computes one triangle.
        right = left if others is None else others[:, columns] - centre[columns]
        total += left @ right.T
    return total


def squared_norms(vectors: Floats, centre: Floats) -> Doubles:
    """Squared distances (n,) from ``centre``, in float64."""
    norms = np.zeros(len(vectors))
    for start in range(0, vectors.shape[1], COLUMNS):
        columns = slice(start, start + COLUMNS)
        left = vectors[:, columns] - centre[columns]
        norms += np.einsum("ij,ij->i", left, left, dtype=np.float64)
    return norms


def kernel_matrix(products: Doubles, left: Doubles, right: Doubles, gamma: float) -> Doubles:
    """exp(−gamma · |x − y|²) from inner products and squared norms, in place of ``products``."""
    products *= -2.0
    products += left[:, None]
    products += right
    np.maximum(products, 0.0, out=products)
    products *= -gamma
    return np.exp(products, out=products)
