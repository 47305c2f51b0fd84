"""What stands beside every accuracy: parameters, operations, vector length, training time.

As the run recorded them of the network that was built (``costs`` has declared sizes, for estimates
before anything is run).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RunError
from ..files import read_json
from .runner import Outcome

__all__ = ["CellCost", "cell_cost"]


@dataclass(frozen=True)
class CellCost:
    """What one cell of one edition cost; None where the run does not tell."""

    parameters: int | None
    """Of the network that was built, its head of fully connected layers with it."""
    gflop: float | None
    """Of one image forward; a multiplication with its addition counts as two operations."""
    vector_length: int | None
    """Before the network's own head, or before the classical one."""
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
    folds = sorted(outcome.run.folder.glob("fold-*"))
    if not folds:
        return CellCost(None, None, None, outcome.seconds)
    told = read_json(folds[0] / "model.json", what="fold model", schema=1, error=RunError)
    operations = told.get("operations")
    return CellCost(
        parameters=told.get("parameters") or None,
        gflop=operations / 1e9 if operations else None,
        vector_length=told.get("vector_length") or None,
        seconds=outcome.seconds,
    )
