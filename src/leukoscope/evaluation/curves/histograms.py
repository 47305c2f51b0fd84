"""How probabilities are distributed: by class, or of right and wrong answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..probabilities import top_label
from ..sample import Floats, Integers, image_sample
from .basis import Basis, basis_of

if TYPE_CHECKING:
    from ...records.predictions import Predictions

__all__ = ["Histograms", "histograms"]


@dataclass(frozen=True)
class Histograms:
    """Counts of probabilities in bins of equal width over [0, 1]."""

    of: str
    """The positive class whose probability is counted; empty: the highest probability."""
    edges: Floats
    """Shape (bins + 1,)."""
    counts: dict[str, Integers]
    """Binary: class → counts. More classes: ``right`` and ``wrong`` → counts."""
    basis: Basis


def histograms(predictions: Predictions, *, bins: int = 25) -> Histograms:
    """Count the positive class's probability by class; with more classes the highest one."""
    sample = image_sample(predictions)
    edges = np.linspace(0.0, 1.0, bins + 1)
    if sample.positive is not None:
        p = sample.probabilities[:, sample.positive]
        series = {name: p[sample.label == k] for k, name in enumerate(sample.classes)}
        of = sample.classes[sample.positive]
    else:
        p, right = top_label(sample)
        series = {"right": p[right == 1], "wrong": p[right == 0]}
        of = ""
    counts = {
        name: np.histogram(values, bins=edges)[0].astype(np.int64)
        for name, values in series.items()
    }
    return Histograms(of, edges, counts, basis_of(sample))
