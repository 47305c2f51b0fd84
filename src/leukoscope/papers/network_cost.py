"""What stands beside every accuracy: parameters, operations, vector length, training time.

Counted on the network as it is built, not declared (``costs`` has the declared sizes, for
estimates before anything is run).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ExperimentError, RunError
from ..files import read_json
from ..records.experiment import Model
from ..schema import parse
from .runner import Outcome

__all__ = ["CellCost", "Size", "cell_cost", "network_size"]


@dataclass(frozen=True)
class Size:
    """One network at one input size."""

    gflop: float
    """Of one image forward; a multiplication with its addition counts as two operations."""
    vector_length: int
    """Before its own head, or before the classical one."""


@dataclass(frozen=True)
class CellCost:
    """What one cell of one edition cost; None where the run does not tell."""

    parameters: int | None
    """Of the network that was built, its head of fully connected layers with it."""
    gflop: float | None
    vector_length: int | None
    seconds: float
    """Of training up to the cell's number of epochs, all folds together, and of a classical
    head."""


def cell_cost(outcome: Outcome) -> CellCost:
    """Read a cell's cost from its run.

    Raises
    ------
    RunError
        When a file of the run cannot be read.
    """
    assert outcome.run is not None
    records = [_record(fold) for fold in sorted(outcome.run.folder.glob("fold-*"))]
    if not records:
        return CellCost(None, None, None, outcome.seconds)
    first = records[0]
    size = _size_of(first)
    return CellCost(
        parameters=int(first["parameters"]),
        gflop=size.gflop if size else None,
        vector_length=size.vector_length if size else None,
        seconds=outcome.seconds,
    )


def _record(fold: Path) -> dict[str, Any]:
    return dict(read_json(fold / "model.json", what="fold model", schema=1, error=RunError))


def _size_of(record: Mapping[str, Any]) -> Size | None:
    # Of a backbone's weights only their shapes are asked for here.
    told = {**record["model"], "weights": "none"}
    model = parse(Model, told, where="model.json", error=RunError)
    try:
        return network_size(model, int(record["size"]), len(record["classes"]))
    except ExperimentError:
        return None


@lru_cache(maxsize=256)
def _counted(model_json: str, size: int, classes: int) -> Size:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from ..models import build, vectors

    model = Model.model_validate_json(model_json)
    network = build(model, 3, size, classes, generator=torch.Generator().manual_seed(0))
    network.eval()
    image = torch.zeros(1, 3, size, size)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with FlopCounterMode(display=False) as counter:
            network(image)
        length = int(vectors(network, image).shape[1])
    return Size(counter.get_total_flops() / 1e9, length)


def network_size(model: Model, size: int, classes: int) -> Size | None:
    """Operations and vector length of a network, counted in one pass of one image.

    None for a model without a network (``wavelet``).

    Raises
    ------
    ExperimentError
        When the network cannot be built.
    """
    from ..models import network_of
    from ..models.classical import MEASURED

    if network_of(model.name) in MEASURED:
        return None
    bare = model.model_copy(update={"name": network_of(model.name)})
    return _counted(bare.model_dump_json(), size, classes)
