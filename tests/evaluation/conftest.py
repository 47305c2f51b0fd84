"""Predictions of clustered scores, made from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from leukoscope.records.predictions import Predictions, predictions_from_table

Make = Callable[..., Predictions]


def make_predictions(
    items: int = 300,
    groups: int = 20,
    classes: tuple[str, ...] = ("blast", "normal"),
    *,
    seed: int = 0,
    folds: int = 1,
    repeats: int = 1,
    digits: int | None = None,
    extreme: bool = False,
    mixed: bool = False,
    shift: float = 1.2,
) -> Predictions:
    """``digits`` cuts scores off (ties); ``extreme`` sets some to 0 and 1; ``mixed`` groups have
    cells of several classes."""
    rng = np.random.default_rng(seed)
    group = np.arange(items) % groups
    label = rng.integers(0, len(classes), items) if mixed else group % len(classes)
    base = (
        rng.normal(size=(items, len(classes)))
        + 0.8 * rng.normal(size=(groups, len(classes)))[group]
    )
    base[np.arange(items), label] += shift
    tables = []
    for repeat in range(repeats):
        score = base + 0.4 * rng.normal(size=base.shape)
        p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        if digits is not None:
            p = np.floor(p * 10**digits) / 10**digits
        if extreme:
            p[rng.random(items) < 0.2] = np.eye(len(classes))[0]
        p[:, -1] = 1 - p[:, :-1].sum(axis=1)
        p = np.clip(p, 0, 1)
        table = pd.DataFrame({f"p_{name}": p[:, k] for k, name in enumerate(classes)})
        table["image"] = [f"cell-{i}.png" for i in range(items)]
        table["label"] = [classes[k] for k in label]
        table["subject"] = [f"set:{g}" for g in group]
        table["fold"] = (group // len(classes)) % folds
        table["repeat"] = repeat
        tables.append(table)
    return predictions_from_table(pd.concat(tables, ignore_index=True))


@pytest.fixture(scope="session")
def make() -> Make:
    return make_predictions
