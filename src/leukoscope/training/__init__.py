"""From an experiment to a run: the loop, its optimisers, its augmentation on tensors.

``OPTIMISERS`` (in ``optimisers``) has the updates by name. Everything here needs torch, the extra
``train``; what travels out of it (``predictions.csv``, ``metrics.json``) needs none.
"""

from __future__ import annotations

from .optimisers import OPTIMISERS
from .predicting import predict_run
from .running import train

__all__ = ["OPTIMISERS", "predict_run", "train"]
