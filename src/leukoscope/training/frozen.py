"""Training a head alone, on cached vectors: of a frozen backbone, or of measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ..models.backbones import BackboneNetwork
from ..models.measured import Measured
from ..progress import Progress
from ..records.experiment import Experiment
from .batches import Normaliser
from .features import VectorLoader, compute_features
from .loop import FoldData

__all__ = ["head_alone"]


def head_alone(
    network: nn.Module, data: FoldData, experiment: Experiment, progress: Progress
) -> tuple[nn.Module, FoldData]:
    """The head and the vectors it sees, where only the head is trained; else what was given.

    With augmentation drawn anew for each batch (``augment``) there is no vector to keep, and the
    whole network runs. Copies made beforehand (``expand``) are views with vectors of their own.
    The head is the network's own module, so the network has the trained weights in the end.

    Measurements have no head of their own and are never augmented: each image is measured once.
    """
    assert isinstance(data.normaliser, Normaliser)
    if isinstance(network, Measured):
        return network, _on_vectors(network.backbone, data, _as_stored(data.normaliser), progress)
    if not (isinstance(network, BackboneNetwork) and network.trainable == "head"):
        return network, data
    if experiment.augment.changes:
        return network, data
    return network.head, _on_vectors(network.backbone, data, data.normaliser, progress)


def _as_stored(normaliser: Normaliser) -> Normaliser:
    """Pixels as they are, on the same device."""
    return Normaliser(1.0, torch.zeros(1, device=normaliser.device), normaliser.device)


def _on_vectors(
    backbone: nn.Module, data: FoldData, normaliser: Normaliser, progress: Progress
) -> FoldData:
    """The fold with its rows' vectors in the place of their pixels."""
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows])
    features = compute_features(backbone, data.pixels, rows, normaliser, progress=progress)
    return replace(data, pixels=features, normaliser=VectorLoader(normaliser.device))
