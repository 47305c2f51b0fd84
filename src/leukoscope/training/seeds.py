"""Every random stream of a training, derived from the experiment's seed alone.

A stream is named by (seed, fold, purpose, epoch) and begins anew with each epoch. Nothing random
is carried from one epoch to the next, so a training that was stopped goes on with the same bits
from the number of its last epoch alone.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["numpy_stream", "stream_seed", "torch_stream"]

PURPOSES = {
    "weights": 0,
    "order": 1,
    "augmentation": 2,
    "dropout": 3,
    "balance": 4,
    "head": 5,
    "sample": 6,
}


def _sequence(seed: int, fold: int, purpose: str, epoch: int) -> np.random.SeedSequence:
    return np.random.SeedSequence((seed, fold, PURPOSES[purpose], epoch))


def numpy_stream(seed: int, fold: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """The NumPy generator of a purpose, such as ``order``, in one epoch of one fold."""
    return np.random.default_rng(_sequence(seed, fold, purpose, epoch))


def stream_seed(seed: int, fold: int, purpose: str, epoch: int = 0) -> int:
    """A whole number below 2^63 that seeds a stream elsewhere."""
    return int(
        _sequence(seed, fold, purpose, epoch).generate_state(1, np.uint64)[0] >> np.uint64(1)
    )


def torch_stream(seed: int, fold: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """A torch generator (on the CPU, so that every device draws the same)."""
    return torch.Generator().manual_seed(stream_seed(seed, fold, purpose, epoch))
