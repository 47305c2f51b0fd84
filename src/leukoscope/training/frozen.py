"""Training a head alone: behind a frozen backbone the loop runs on its cached vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import nn

from ..models.backbones import BackboneNetwork
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
    """
    if not (isinstance(network, BackboneNetwork) and network.trainable == "head"):
        return network, data
    if experiment.augment.changes:
        return network, data
    assert isinstance(data.normaliser, Normaliser)
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows])
    features = compute_features(
        network.backbone, data.pixels, rows, data.normaliser, progress=progress
    )
    loader = VectorLoader(data.normaliser.device)
    return network.head, replace(data, pixels=features, normaliser=loader)
