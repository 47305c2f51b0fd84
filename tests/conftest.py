"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from leukoscope.records.predictions import Predictions, predictions_from_table
from leukoscope.smear.measurements import MEASUREMENTS

# How long an example takes says more about the machine than about the code.
settings.register_profile("leukoscope", deadline=None)
settings.load_profile("leukoscope")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _cache_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's own cache."""
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real images beside the project; absent only on a machine that was never given them."""
    folder = Path(os.environ.get("LEUKOSCOPE_REAL_DATA", SHARED))
    if not folder.is_dir():
        pytest.skip(f"no real images in {folder}")
    return folder


@pytest.fixture(scope="session")
def real_weights(real_data: Path) -> Path:
    """Pretrained weights beside the real images."""
    folder = real_data.parent / "weights"
    if not folder.is_dir():
        pytest.skip(f"no pretrained weights in {folder}")
    return folder


@pytest.fixture
def drawn() -> Callable[..., tuple[Predictions, pd.DataFrame]]:
    """A function that draws predictions of a run and the measurements of its cells."""
    return draw_cells


def draw_cells(
    cells: int = 600, groups: int = 30, folds: int = 1, seed: int = 0, useful: bool = True
) -> tuple[Predictions, pd.DataFrame]:
    """Predictions of a run and the measurements of its cells.

    The nucleus-to-cell ratio tells something that the probability does not know, or nothing.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(cells) % groups
    blast = group % 2 == 0
    ratio = np.clip(0.5 + 0.3 * (blast & useful) + 0.06 * rng.normal(size=cells), 0, 1)
    score = rng.normal(size=cells) + np.where(blast, 1.2, -1.2)
    p = 1 / (1 + np.exp(-2 * score))
    part = np.where(group < groups // 2, "validation", "test")
    table = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(cells)],
            "group": [f"g{n}" for n in group],
            "part": part,
            "fold": group // 2 % folds,
            "label": np.where(blast, "blast", "normal"),
            "p_blast": p,
            "p_normal": 1 - p,
        }
    )
    measured = pd.DataFrame({name: rng.random(cells) for name in MEASUREMENTS})
    measured["row"], measured["flags"] = table["image"], ""
    measured["nucleus_cell_ratio"] = ratio
    measured["chromatin_entropy_bits"] = 4 + rng.normal(size=cells)
    return predictions_from_table(table), measured
