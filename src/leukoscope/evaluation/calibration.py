"""Calibration slope and intercept: a logistic regression of what happened on the logit."""

from __future__ import annotations

from typing import Any

import numpy as np

from .sample import Floats, Sample
from .weighted import Metric, Weighted

__all__ = ["CALIBRATION_METRICS", "fit", "logit", "platt"]

SMALLEST = 1e-6
"""Probabilities are clipped to [1e-6, 1 − 1e-6] so that their logit is finite."""
LEVELS = 256
"""Resamples are fitted on a histogram of the logit with this many levels of equal mass."""
STEPS = 30
CLOSE = 1e-10
STEEPEST = 50.0
"""A slope beyond this is a separation of the classes, not an estimate."""


def logit(p: Floats) -> Floats:
    """``ln(p / (1 − p))`` of clipped probabilities."""
    clipped = np.clip(p, SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))


def fit(x: Floats, n: Floats, hits: Floats, *, slope: bool) -> tuple[Floats, Floats]:
    """Maximum likelihood of ``hits`` ~ Binomial(n, σ(a + b·x)) by Newton's method, many at once.

    Parameters
    ----------
    x:
        Logits at which items were counted, shape (levels,).
    n, hits:
        Weighted items and weighted positive ones, shape (fits, levels).
    slope:
        Whether b is fitted; otherwise it is 1 (calibration in the large).

    Returns
    -------
    a, b : shape (fits,); NaN where there is no maximum (one class, or classes separated).
    """
    a, b = np.zeros(len(n)), np.full(len(n), 0.0 if slope else 1.0)
    farthest = max(1.0, float(np.abs(x).max()))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -500, 500)))
        rest, spread = hits - n * p, n * p * (1 - p)
        s0, i00 = rest.sum(axis=1), spread.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            if slope:
                s1, i01, i11 = rest @ x, spread @ x, spread @ x**2
                determinant = i00 * i11 - i01**2
                da = (i11 * s0 - i01 * s1) / determinant
                db = (i00 * s1 - i01 * s0) / determinant
            else:
                da, db = s0 / i00, np.zeros(len(n))
            # A long step overshoots into the flat ends of the sigmoid; four units of the logit
            # do not. An endless one has no maximum, and becomes no number.
            longest = np.maximum(1.0, (np.abs(da) + farthest * np.abs(db)) / 4)
            a, b = a + da / longest, b + db / longest
        moved = np.maximum(np.abs(da), np.abs(db))
        if not np.any(np.isfinite(moved) & (moved > CLOSE)):
            break
    positives = hits.sum(axis=1)
    sound = (positives > 0) & (positives < n.sum(axis=1)) & (moved <= 1e-6)
    sound &= (np.abs(a) < STEEPEST) & (np.abs(b) < STEEPEST)
    return np.where(sound, a, np.nan), np.where(sound, b, np.nan)


def platt(p: Floats, positive: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, float]:
    """Intercept and slope of Platt's scaling; NaN where there is no maximum.

    His targets are a little off 0 and 1, which keeps it finite where the classes are separated.
    """
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    a, b = fit(logit(p), np.ones((1, len(p))), target[None], slope=True)
    return float(a[0]), float(b[0])


def _histogram(sample: Sample, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Levels of the logit, and items and positive items by group, repeat and level."""
    levels, cell = np.unique(x, return_inverse=True)
    if len(levels) > LEVELS:
        edges = np.quantile(x, np.linspace(0, 1, LEVELS + 1)[1:-1])
        cell = np.searchsorted(edges, x)
        counts = np.bincount(cell, minlength=LEVELS)
        levels = np.bincount(cell, weights=x, minlength=LEVELS) / np.maximum(counts, 1)
    cell = cell.ravel().astype(np.int64)
    positive = (sample.label == sample.positive).astype(np.float64)
    n = sample.cell_sums(cell, np.ones(len(x)), len(levels))
    return levels, n, sample.cell_sums(cell, positive, len(levels))


def _estimates(at: Weighted, *, slope: bool) -> Floats:
    """The coefficient under each weighting.

    Resamples are fitted on the histogram; what the histogram loses (it shows in the fourth digit)
    is made good by the difference that it makes to the fit on all items, which is exact.
    """
    sample = at.sample
    x = logit(sample.probabilities[:, at.positive])
    levels, n, hits = _histogram(sample, x)
    shape = (-1, len(levels))
    which = 1 if slope else 0

    def coarse(items: Floats, positive: Floats) -> Floats:
        found = fit(levels, items.reshape(shape), positive.reshape(shape), slope=slope)[which]
        return found.reshape(-1, sample.repeats)

    values = coarse(at.total(n), at.total(hits))
    correction = np.zeros(sample.repeats)
    if len(levels) == LEVELS:
        correction = _exact(sample, x, which) - coarse(n.sum(axis=0), hits.sum(axis=0))[0]
    return np.asarray((values + correction).mean(axis=1))


def _exact(sample: Sample, x: Floats, which: int) -> Floats:
    """The coefficient on all items, unweighted, by repeat."""
    values = []
    for repeat in range(sample.repeats):
        chosen = sample.repeat == repeat
        hits = (sample.label[chosen] == sample.positive).astype(np.float64)[None]
        values.append(fit(x[chosen], np.ones_like(hits), hits, slope=which == 1)[which][0])
    return np.array(values)


CALIBRATION_METRICS = (
    Metric(
        "calibration_slope",
        "Calibration slope",
        "1 is right; below 1 the probabilities are too extreme, above 1 too timid.",
        "b of logit P(positive) = a + b·logit(p₊)",
        "Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Med. 17:230",
        lambda at: _estimates(at, slope=True),
        "the classes are separated by the score, or one of them has no items",
        bounds=(float("-inf"), float("inf")),
        better="one",
        binary=True,
    ),
    Metric(
        "calibration_intercept",
        "Calibration intercept",
        "0 is right; below 0 the probabilities of the positive class are too high on the whole.",
        "a of logit P(positive) = a + logit(p₊) (calibration in the large)",
        "Van Calster et al. 2019, BMC Med. 17:230",
        lambda at: _estimates(at, slope=False),
        "one of the classes has no items",
        bounds=(float("-inf"), float("inf")),
        better="zero",
        binary=True,
    ),
)
