"""What the folds of a run say of how they were trained: the facts that a leak is told by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ..errors import RunError
from ..files import read_json
from .run import SCHEMA, Run, read_history

__all__ = ["FoldFacts", "Rows", "Way", "read_fold_facts", "read_pretraining_facts"]

Rows = Literal["none", "training", "all", "unknown"]
"""Which rows the preprocessing was fitted on; ``none`` where nothing is fitted."""
Way = Literal["inductive", "transductive", "unknown"]
"""``inductive``: each image is answered by itself; ``transductive``: the test images together
change the answers (adaptation to the test batch, neighbours' labels)."""


@dataclass(frozen=True)
class FoldFacts:
    """One fold's ``model.json`` and ``history.csv``, as far as they are there."""

    name: str
    """As the split calls it."""
    recorded: bool
    """Whether there is a ``model.json``."""
    epoch: int
    """Whose weights were kept, from 1; 0 where nothing was trained or nobody says."""
    fitted_rows: Rows
    prediction: Way
    head: str
    """The classical head in words; empty without one."""
    history: pd.DataFrame | None


def read_fold_facts(run: Run) -> tuple[FoldFacts, ...]:
    """The facts of every fold of the run's split, in its order.

    Raises
    ------
    RunError
        When a file is there and damaged.
    """
    found = []
    for number, fold in enumerate(run.split.folds):
        folder = run.folder / f"fold-{number}"
        model: Mapping[str, Any] = {}
        if (folder / "model.json").is_file():
            model = read_json(
                folder / "model.json", what="fold model", schema=SCHEMA, error=RunError
            )
        curve = folder / "history.csv"
        found.append(
            FoldFacts(
                name=fold.name,
                recorded=bool(model),
                epoch=int(model.get("epoch") or 0),
                fitted_rows=_fitted_rows(model),
                prediction=_one_of(model.get("prediction"), ("inductive", "transductive")),
                head=str(model.get("head") or ""),
                history=read_history(curve) if curve.is_file() else None,
            )
        )
    return tuple(found)


def _fitted_rows(model: Mapping[str, Any]) -> Rows:
    said = _one_of(model.get("fitted_rows"), ("none", "training", "all"))
    # Runs from before the key say it in words, and none of them where nothing was fitted.
    return "none" if said == "unknown" and model.get("fitted_on") == "" else said


def _one_of(value: Any, known: tuple[str, ...]) -> Any:
    return value if value in known else "unknown"


def read_pretraining_facts(run: Run) -> Mapping[str, Any] | None:
    """``pretraining.json``: what the weights had seen before; None where they began at random.

    Raises
    ------
    RunError
        When the file is there and damaged.
    """
    path = run.folder / "pretraining.json"
    if not path.is_file():
        return None
    table: Mapping[str, Any] = read_json(path, what="pretraining", schema=SCHEMA, error=RunError)
    return table
