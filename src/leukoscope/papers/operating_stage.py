"""Calibration and threshold behind each network: found on validation groups, judged on the test.

``operating/`` in a run has the same files as the run: ``predictions.csv`` (its test rows with
calibrated probabilities and the threshold's answers), ``metrics.json``, and the points themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import RunError
from ..evaluation import evaluate
from ..evaluation.operating import OperatingPoint, applied, fit_operating_point
from ..files import read_json, sha256_file, write_json
from ..records.predictions import Predictions, read_predictions, write_predictions
from ..reports.numbers import decimal
from .planner import Plan
from .runner import Outcome

__all__ = ["PointRow", "operating_stage", "points_shown"]

FOLDER = "operating"
POINTS = "operating.json"


@dataclass(frozen=True)
class PointRow:
    """The operating point of one fold, as the page shows it."""

    cell: str
    edition: str
    fold: int
    calibration: str
    threshold: str
    groups: str
    note: str


def operating_stage(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes that stand on the operating points, where the protocol asks for them.

    One without validation rows stays as it was trained.
    """
    if plan.protocol.operating is None:
        return tuple(outcomes)
    return tuple(_behind(one) if one.run is not None else one for one in outcomes)


def _behind(outcome: Outcome) -> Outcome:
    assert outcome.run is not None
    assert outcome.folder is not None
    run = outcome.run
    source, folder = outcome.folder / "predictions.csv", outcome.folder / FOLDER
    digest = sha256_file(source)
    if not _is_of(folder, digest):
        predictions = read_predictions(source, run.predictions.positive)
        if predictions.positive is None or not len(predictions.part("validation")):
            return outcome
        points, judged = _judged(predictions)
        folder.mkdir(exist_ok=True)
        write_predictions(judged.table, folder / "predictions.csv")
        metrics = evaluate(
            judged.part("test"), groups=run.split.groups, rendered=run.metrics.get("rendered")
        )
        write_json(folder / "metrics.json", metrics)
        # Last: what is there without it is made again.
        write_json(folder / POINTS, {"schema": 1, "predictions_sha256": digest, "points": points})
    return replace(outcome, folder=folder)


def _is_of(folder: Path, digest: str) -> bool:
    """Whether the points in a folder were found for these predictions."""
    if not (folder / POINTS).is_file():
        return False
    return bool(_points(folder)["predictions_sha256"] == digest)


def _points(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(
        folder / POINTS, what="operating points", schema=1, error=RunError
    )
    return found


def _judged(predictions: Predictions) -> tuple[list[dict[str, Any]], Predictions]:
    """The point of each model, and its test rows under it; its validation rows as they were."""
    validation, test = predictions.part("validation"), predictions.part("test")
    points, tables = [], [validation.table]
    for repeat, fold in sorted(set(zip(test.table["repeat"], test.table["fold"], strict=True))):
        mine = _of_model(validation, repeat, fold)
        point = (
            fit_operating_point(mine) if len(mine) else OperatingPoint(note="Nothing validates.")
        )
        points.append({"repeat": int(repeat), "fold": int(fold), **asdict(point)})
        tables.append(applied(point, _of_model(test, repeat, fold)).table)
    return points, replace(predictions, table=pd.concat(tables, ignore_index=True))


def _of_model(predictions: Predictions, repeat: int, fold: int) -> Predictions:
    table = predictions.table
    chosen = (table["repeat"] == repeat) & (table["fold"] == fold)
    return replace(predictions, table=table[chosen].reset_index(drop=True))


def points_shown(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[PointRow, ...]:
    """What the page says of the operating points."""
    if plan.protocol.operating is None:
        return ()
    rows = []
    for one in outcomes:
        if one.folder is None or one.folder.name != FOLDER:
            continue
        for point in _points(one.folder)["points"]:
            positive, other = point["groups"]
            moved, steeper = decimal(point["intercept"]), decimal(point["slope"])
            rows.append(
                PointRow(
                    cell=one.cell.id,
                    edition=one.cell.edition,
                    fold=point["fold"] + 1,
                    calibration=f"{moved} + {steeper} logit p",
                    threshold=decimal(point["threshold"]),
                    groups=f"{positive} and {other}",
                    note=point["note"],
                )
            )
    return tuple(rows)
