"""Where the sets of a fuzzy system lie: found on validation groups, and on nothing else.

The rule, for an input with ``fit = "class"``: of the two classes the one with the smaller median
is the lower one. ``low`` is 1 up to the lower class's median and falls to 0 at the middle;
``high`` rises from there to 1 at the upper class's median; ``middle`` is the triangle between
them. The middle is halfway between the lower class's 0.9 quantile and the upper class's 0.1
quantile: where the classes overlap, or where the gap between them is. The three add up to 1
everywhere. With ``fit = "pooled"`` (a quality, which no class has): ``poor`` is 1 below the 0.02
quantile of all cells and 0 from the 0.25 quantile on; ``good`` is the rest.

Every group counts the same, however many cells it has. The probability is first calibrated by
Platt's scaling (1999, Advances in Large Margin Classifiers), fitted on the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FuzzyError
from ...evaluation.calibration import logit, platt
from ...records.predictions import Predictions
from .system import Calibration, Floats, FuzzySystem, Input, Trapezoidal, Triangular

__all__ = ["Fitted", "calibrated", "fit"]

Bools = np.ndarray[Any, np.dtype[np.bool_]]
LOWER, UPPER = 0.9, 0.1
POOR, GOOD = 0.02, 0.25
NARROWEST = 0.005
"""Classes whose medians are nearer than this share of the range are not told apart."""
FEWEST_GROUPS = 2
TRUSTED_GROUPS = 5


@dataclass(frozen=True)
class Fitted:
    """A fitted system, and what a reader must know of the fit."""

    system: FuzzySystem
    notes: tuple[str, ...]


def calibrated(calibration: Calibration, p: Floats) -> Floats:
    """σ(intercept + slope · logit p)."""
    return np.asarray(1 / (1 + np.exp(-(calibration.intercept + calibration.slope * logit(p)))))


def fit(system: FuzzySystem, validation: Predictions, measurements: Mapping[str, Floats]) -> Fitted:
    """Put the sets of a system where the validation cells are.

    Parameters
    ----------
    system
        What is to be fitted; inputs with ``fit = "none"`` stay as they are.
    validation
        Predictions of the validation part, of one model.
    measurements
        Input name → value of each of these rows (NaN where unknown).

    Raises
    ------
    FuzzyError
        When rows are of another part than validation, the task is not binary, or a class has
        fewer than two groups.
    """
    table = validation.table
    parts = sorted(set(table["part"]) - {"validation"})
    if parts:
        raise FuzzyError(
            f"{system.name}: fitted on validation rows only, found rows of part {', '.join(parts)}."
            " Choose them: predictions.part('validation')."
        )
    if validation.positive is None:
        raise FuzzyError(
            f"{system.name}: decides between two classes, found {len(validation.classes)}. "
            "Train with data.task = 'binary'."
        )
    positive = (table["label"] == validation.positive).to_numpy()
    group = table["group"].to_numpy()
    counts = [len(set(group[positive])), len(set(group[~positive]))]
    if min(counts) < FEWEST_GROUPS:
        raise FuzzyError(
            f"{system.name}: the validation part has {counts[0]} groups of {validation.positive} "
            f"and {counts[1]} of the other class; at least {FEWEST_GROUPS} of each are needed. "
            "Give validation a larger share: split.validation."
        )
    notes = []
    if min(counts) < TRUSTED_GROUPS:
        notes.append(
            f"Fitted on {counts[0]} and {counts[1]} validation groups: sets and calibration are "
            "rough."
        )
    p = validation.probabilities[:, validation.classes.index(validation.positive)]
    calibration, note = _platt(p, positive)
    notes += [note] if note else []
    values = {**measurements, "probability": calibrated(calibration, p)}
    _, place, cells = np.unique(group.astype(str), return_inverse=True, return_counts=True)
    weight = 1.0 / cells[place]
    inputs = []
    for one in system.inputs:
        if one.name not in values:
            raise FuzzyError(f"{system.name}: no values of '{one.name}' to fit it on.")
        moved, note = _moved(one, np.asarray(values[one.name]), positive, weight)
        inputs.append(moved)
        notes += [note] if note else []
    words = f"{len(table)} validation cells of {len(set(group))} groups"
    changes = {"inputs": tuple(inputs), "calibration": calibration, "fitted_on": words}
    return Fitted(system.model_copy(update=changes), tuple(notes))


def _platt(p: Floats, positive: Bools) -> tuple[Calibration, str]:
    """Platt's scaling, or the reason why the probability stays as it is."""
    a, b = platt(p, positive)
    if not np.isfinite(a) or not np.isfinite(b):
        return Calibration(), "The probability could not be calibrated and is taken as it is."
    if b <= 0:
        return Calibration(), (
            "On the validation cells a higher probability does not mean more blasts: it is taken "
            "as it is, and nothing that follows can be trusted."
        )
    return Calibration(intercept=a, slope=b), ""


def quantile(values: Floats, weight: Floats, share: float) -> float:
    """The weighted quantile, midway between the steps; ``share`` from 0 to 1."""
    order = np.argsort(values, kind="stable")
    rising = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(share * weight.sum(), rising, values[order]))


def _moved(one: Input, values: Floats, positive: Bools, weight: Floats) -> tuple[Input, str]:
    if one.fit == "none":
        return one, ""
    known = np.isfinite(values)
    x, y, w = np.clip(values[known], *one.range), positive[known], weight[known]
    low, high = one.range
    if one.fit == "pooled":
        if not len(x):
            return one, f"No cell has a {one.title}: its sets stay as they were."
        a, b = quantile(x, w, POOR), quantile(x, w, GOOD)
        if b - a < NARROWEST * (high - low):
            return one, f"The {one.title} hardly varies: its sets stay as they were."
        return one.model_copy(update={"sets": {
            "poor": Trapezoidal(points=(low, low, a, b)),
            "good": Trapezoidal(points=(a, b, high, high)),
        }}), ""  # fmt: skip
    if not y.any() or y.all():
        return one, f"A class has no cell with a {one.title}: its sets stay as they were."
    medians = [quantile(x[y == side], w[y == side], 0.5) for side in (False, True)]
    if abs(medians[1] - medians[0]) < NARROWEST * (high - low):
        return one, f"The {one.title} does not tell the classes apart: its sets stay as they were."
    upper = medians[1] > medians[0]
    a, b = sorted(medians)
    ends = (
        quantile(x[y != upper], w[y != upper], LOWER),
        quantile(x[y == upper], w[y == upper], UPPER),
    )
    # A tenth of the way keeps either slope from becoming a step.
    middle = float(np.clip(sum(ends) / 2, a + 0.1 * (b - a), b - 0.1 * (b - a)))
    note = "" if upper else f"On the validation cells blasts have the lower {one.title}."
    return one.model_copy(update={"sets": {
        "low": Trapezoidal(points=(low, low, a, middle)),
        "middle": Triangular(points=(a, middle, b)),
        "high": Trapezoidal(points=(middle, b, high, high)),
    }}), note  # fmt: skip
