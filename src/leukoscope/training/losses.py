"""The loss of each image, the weight of each class, and what counts as right."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .batches import Integers

__all__ = ["class_weights", "losses_of", "right"]


def losses_of(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """The loss of each image; class weights multiply it and the mean stays over images (Keras)."""
    if logits.shape[1] == 1:
        losses = functional.binary_cross_entropy_with_logits(
            logits[:, 0], targets.to(logits.dtype), reduction="none"
        )
    else:
        losses = functional.cross_entropy(logits, targets, reduction="none")
    return losses if weights is None else losses * weights[targets]


def right(logits: Tensor, targets: Tensor) -> Tensor:
    """Whether each image was answered with its class."""
    predicted = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
    return predicted == targets


def class_weights(targets: Integers, classes: int, kind: str) -> Tensor | None:
    """``balanced``: n / (classes · n of the class), as scikit-learn has it; None for ``none``."""
    if kind == "none":
        return None
    counts = np.bincount(targets, minlength=classes)
    return torch.tensor(len(targets) / (classes * counts), dtype=torch.float32)
