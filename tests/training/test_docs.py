"""docs/training.md names every network, optimiser and column of the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukoscope.models import MODELS, layers_of
from leukoscope.models.layers import weights
from leukoscope.records.experiment import Model
from leukoscope.training import OPTIMISERS
from leukoscope.training.history import COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_every_network_is_documented_with_its_weights(name: str) -> None:
    size = 257 if name == "simple-cnn" else 32
    total = sum(weights(layers_of(Model(name=name), 2), 3, size))
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    assert f"{total:,}" in line


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("column", [name for name in COLUMNS if not name.startswith("test_")])
def test_every_column_of_the_history_is_documented(column: str) -> None:
    assert f"`{column}`" in PAGE
