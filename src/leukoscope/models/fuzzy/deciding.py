"""From a run's predictions and its cells' measurements to verdicts with reasons.

Each fold has its own model, so each fold has its own system: sets and calibration are fitted on
that fold's validation groups and decide its test cells. Fitting once on the validation rows of
all folds would look at test groups, because one fold's validation group is another's test group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...errors import FuzzyError, ImageError
from ...evaluation.referral import Comparison, band, compare_referrals
from ...figures.decision_surface import Surface
from ...figures.memberships import Panel
from ...images.decode import decode
from ...progress import Progress
from ...records.predictions import Predictions
from ...reports.pictures import split_key
from ...smear.measurements import MEASUREMENTS, measure
from .fitting import calibrated, fit
from .inference import infer, reasons, verdicts
from .system import VERDICTS, Floats, FuzzySystem

__all__ = ["Decision", "against_band", "decide", "measure_rows", "panels", "surface"]

CURVE_POINTS = 401
SURFACE_POINTS = 61
SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Decision:
    """What a fuzzy system made of the test part."""

    table: pd.DataFrame
    """Test rows of the predictions with ``calibrated``, ``verdict`` and ``reason``."""
    scores: Floats
    """(rows,), from 0 (normal) to 1 (blast); NaN where there is none."""
    systems: dict[tuple[int, int], FuzzySystem]
    """Repeat and fold → the system that decided its rows."""
    notes: tuple[str, ...]


def measure_rows(folder: Path, rows: Iterable[str], *, progress: Progress = SILENT) -> pd.DataFrame:
    """Measure the cell of each row.

    Parameters
    ----------
    folder
        What image paths are relative to.
    rows
        Row keys, ``image`` or ``image#x0,y0,x1,y1``; each is measured once.

    Returns
    -------
    pandas.DataFrame
        ``row``, every measurement, ``flags``; an image that cannot be read has NaN and the flag
        ``unreadable``.

    Raises
    ------
    FuzzyError
        When no image could be read.
    """
    keys = list(dict.fromkeys(rows))
    found: list[dict[str, Any]] = []
    for row in progress.track(keys, "measuring cells", len(keys)):
        image, box = split_key(row)
        try:
            found.append({"row": row, **measure(decode(folder / image, box=box).pixels).row()})
        except ImageError:
            unknown = dict.fromkeys(MEASUREMENTS, float("nan"))
            found.append({"row": row, **unknown, "flags": "unreadable"})
    table = pd.DataFrame(found, columns=["row", *MEASUREMENTS, "flags"])
    if len(table) and (table["flags"] == "unreadable").all():
        raise FuzzyError(
            f"{folder}: none of {len(table)} images could be read. Name the data: --data."
        )
    return table


def decide(system: FuzzySystem, predictions: Predictions, measured: pd.DataFrame) -> Decision:
    """Fit the system on each fold's validation rows and decide its test rows.

    A system that is fitted already (``fitted_on`` is not empty) decides as it is.

    Parameters
    ----------
    system
        As packaged, or a file of the user's.
    predictions
        Of a run: validation and test rows of two classes.
    measured
        What ``measure_rows`` found for these rows.

    Raises
    ------
    FuzzyError
        When there are no test rows, no validation rows to fit on, or rows without measurements.
    """
    if not len(predictions.part("test")):
        raise FuzzyError("the predictions have no row of the test part to decide on.")
    if predictions.positive is None:
        raise FuzzyError(
            f"{system.name}: decides between two classes, found {len(predictions.classes)}. "
            "Train with data.task = 'binary'."
        )
    tables, scores, systems, notes = [], [], {}, []
    test = predictions.part("test")
    for repeat, fold in sorted(set(zip(test.table["repeat"], test.table["fold"], strict=True))):
        chosen = system
        if not system.fitted_on:
            validation = _of_model(predictions.part("validation"), repeat, fold)
            if not len(validation):
                raise FuzzyError(
                    f"{system.name}: no validation rows in fold {fold} of repeat {repeat}; its "
                    "sets are fitted on them. Train with split.validation above 0, or name a "
                    "fitted system."
                )
            fitted = fit(system, validation, _inputs(system, validation, measured))
            chosen = fitted.system
            notes += [f"Fold {fold}: {note}" for note in fitted.notes]
        part = _of_model(test, repeat, fold)
        values = _inputs(chosen, part, measured)
        p = part.probabilities[:, part.classes.index(str(part.positive))]
        values["probability"] = calibrated(chosen.calibration, p)
        found = infer(chosen, values)
        answer = verdicts(chosen, found.score)
        why = reasons(chosen, values, found, answer)
        tables.append(
            part.table.assign(calibrated=values["probability"], verdict=answer, reason=why)
        )
        scores.append(found.score)
        systems[int(repeat), int(fold)] = chosen
    return Decision(
        pd.concat(tables, ignore_index=True), np.concatenate(scores), systems, tuple(notes)
    )


def _of_model(predictions: Predictions, repeat: int, fold: int) -> Predictions:
    table = predictions.table
    chosen = table[(table["repeat"] == repeat) & (table["fold"] == fold)].reset_index(drop=True)
    return Predictions(chosen, predictions.classes, predictions.positive, predictions.groups_known)


def _inputs(
    system: FuzzySystem, predictions: Predictions, measured: pd.DataFrame
) -> dict[str, Floats]:
    """The measurements of the predictions' rows, in their order."""
    wanted = [one.name for one in system.inputs if one.name != "probability"]
    for name in wanted:
        if name not in measured:
            system.input(name)
            known = [column for column in measured if column not in ("row", "flags")]
            raise FuzzyError(
                f"{system.name}: '{name}' is not measured. Measured: {', '.join(known)}."
            )
    by_row = measured.drop_duplicates("row").set_index("row")
    missing = predictions.table.loc[~predictions.table["row"].isin(by_row.index), "row"]
    if len(missing):
        raise FuzzyError(
            f"{system.name}: {len(missing)} rows are not measured, the first: {missing.iloc[0]}."
        )
    ordered = by_row.loc[predictions.table["row"]]
    return {name: ordered[name].to_numpy(dtype=np.float64) for name in wanted}


def against_band(
    decision: Decision, positive: str, *, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """The fuzzy verdicts beside a plain band on the calibrated probability.

    In each fold the band refers as many cells as the fuzzy system did, those nearest to 0.5, and
    calls the others by their probability. How many is all it is told: it sees no label.
    """
    table = decision.table
    p = table["calibrated"].to_numpy(dtype=np.float64)
    verdict = table["verdict"].to_numpy(dtype=str)
    plain = np.where(p >= 0.5, "blast", "normal")
    models = table["repeat"].astype(str) + "/" + table["fold"].astype(str)
    for model in models.unique():
        rows = np.flatnonzero(models == model)
        referred = int((verdict[rows] == "refer").sum())
        plain[rows[band(p[rows], referred)]] = "refer"
    label = (table["label"] == positive).to_numpy()
    return compare_referrals(
        label, table["group"].tolist(), verdict, plain, resamples=resamples, seed=seed
    )


def panels(system: FuzzySystem) -> list[Panel]:
    """Every input's sets as curves, and the verdict's, for ``figures.memberships``."""
    made = []
    for one in system.inputs:
        x = np.linspace(*one.range, CURVE_POINTS)
        made.append(Panel(one.name, one.title, x, {n: f(x) for n, f in one.sets.items()}))
    x = system.output.places
    sets = {name: system.output.sets[name](x) for name in VERDICTS}
    made.append(Panel("score", "score (verdict)", x, sets, system.output.cuts))
    return made


def surface(system: FuzzySystem, across: str = "", up: str = "") -> Surface:
    """The score over two inputs (the first two by default), the others at their middle.

    Raises
    ------
    FuzzyError
        When there are fewer than two inputs, or no such input.
    """
    if len(system.inputs) < 2:
        raise FuzzyError(f"{system.name}: a surface needs two inputs, found one.")
    first = system.input(across) if across else system.inputs[0]
    rest = [one for one in system.inputs if one.name != first.name]
    second = system.input(up) if up else rest[0]
    if first.name == second.name:
        raise FuzzyError(f"{system.name}: a surface needs two inputs, found '{first.name}' twice.")
    x, y = np.linspace(*first.range, SURFACE_POINTS), np.linspace(*second.range, SURFACE_POINTS)
    grid = np.meshgrid(x, y)
    values = {one.name: np.full(grid[0].size, sum(one.range) / 2) for one in system.inputs}
    values[first.name], values[second.name] = grid[0].ravel(), grid[1].ravel()
    score = infer(system, values).score.reshape(grid[0].shape)
    held = {
        one.title: sum(one.range) / 2
        for one in system.inputs
        if one.name not in (first.name, second.name)
    }
    return Surface(x, y, score, first.title, second.title, system.output.cuts, held)
