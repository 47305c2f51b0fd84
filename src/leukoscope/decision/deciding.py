"""From predictions and measurements to verdicts with reasons, fold by fold.

Each fold has its own model, so each fold has its own system: sets and calibration are fitted on
that fold's validation groups and decide its test cells. Fitting once on the validation rows of
all folds would look at test groups, because one fold's validation group is another's test group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..errors import FuzzyError
from ..evaluation.referral import Comparison, band, compare_referrals
from ..models.fuzzy import infer, reasons, verdicts
from ..models.fuzzy.fitting import calibrated, fit
from ..models.fuzzy.system import Floats, FuzzySystem
from ..records.predictions import Predictions
from .cells import inputs_of

__all__ = ["Decision", "against_band", "decide", "plain_verdicts", "refuse_undecidable"]

Texts = np.ndarray[tuple[int], np.dtype[np.str_]]


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


def refuse_undecidable(system: FuzzySystem, predictions: Predictions) -> None:
    """Say why these predictions cannot be decided on, before anything is measured.

    Raises
    ------
    FuzzyError
        When there are no test rows, not two classes, or a fold has no validation rows to fit on.
    """
    test = predictions.part("test")
    if not len(test):
        raise FuzzyError("the predictions have no row of the test part to decide on.")
    if predictions.positive is None:
        raise FuzzyError(
            f"{system.name}: decides between two classes, found {len(predictions.classes)} "
            f"({', '.join(predictions.classes)}). Train with data.task = 'binary'."
        )
    if system.fitted_on:
        return
    validation = predictions.part("validation")
    fitted = set(zip(validation.table["repeat"], validation.table["fold"], strict=True))
    for repeat, fold in _models(test):
        if (repeat, fold) not in fitted:
            raise FuzzyError(
                f"{system.name}: no validation rows in fold {fold} of repeat {repeat}; its "
                "sets are fitted on them. Train with split.validation above 0, or name a "
                "fitted system."
            )


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
        What ``cells.measure_rows`` found for these rows.

    Raises
    ------
    FuzzyError
        When there are no test rows, no validation rows to fit on, or rows without measurements.
    """
    refuse_undecidable(system, predictions)
    tables, scores, systems, notes = [], [], {}, []
    test = predictions.part("test")
    for repeat, fold in _models(test):
        chosen = system
        if not system.fitted_on:
            validation = _of_model(predictions.part("validation"), repeat, fold)
            fitted = fit(system, validation, inputs_of(system, validation, measured))
            chosen = fitted.system
            notes += [f"Fold {fold}: {note}" for note in fitted.notes]
        part = _of_model(test, repeat, fold)
        values = inputs_of(chosen, part, measured)
        p = part.probabilities[:, part.classes.index(str(part.positive))]
        values["probability"] = calibrated(chosen.calibration, p)
        found = infer(chosen, values)
        answer = verdicts(chosen, found.score)
        why = reasons(chosen, values, found, answer)
        tables.append(
            part.table.assign(calibrated=values["probability"], verdict=answer, reason=why)
        )
        scores.append(found.score)
        systems[repeat, fold] = chosen
    return Decision(
        pd.concat(tables, ignore_index=True), np.concatenate(scores), systems, tuple(notes)
    )


def _models(predictions: Predictions) -> list[tuple[int, int]]:
    """Repeat and fold of every model, in order."""
    pairs = zip(predictions.table["repeat"], predictions.table["fold"], strict=True)
    return sorted({(int(repeat), int(fold)) for repeat, fold in pairs})


def _of_model(predictions: Predictions, repeat: int, fold: int) -> Predictions:
    table = predictions.table
    chosen = table[(table["repeat"] == repeat) & (table["fold"] == fold)].reset_index(drop=True)
    return replace(predictions, table=chosen)


def plain_verdicts(decision: Decision) -> Texts:
    """What a plain band on the calibrated probability says of the same cells.

    In each fold it refers as many cells as the fuzzy system did, those nearest to 0.5, and calls
    the others by their probability. How many is all it is told: it sees no label.
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
    return plain


def against_band(
    decision: Decision, positive: str, *, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """The fuzzy verdicts beside those of a plain band that refers equally often."""
    table = decision.table
    label = (table["label"] == positive).to_numpy()
    verdict = table["verdict"].to_numpy(dtype=str)
    plain = plain_verdicts(decision)
    return compare_referrals(
        label, table["group"].tolist(), verdict, plain, resamples=resamples, seed=seed
    )
