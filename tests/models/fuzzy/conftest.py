"""Fuzzy systems drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leukoscope.errors import FuzzyError
from leukoscope.models.fuzzy.system import VERDICTS, FuzzySystem
from leukoscope.schema import parse


def function(rng: np.random.Generator, low: float, high: float) -> dict[str, Any]:
    """A membership function of any shape, steps included."""
    shape = str(rng.choice(["triangular", "trapezoidal", "gaussian"]))
    if shape == "gaussian":
        width = high - low
        return {
            "shape": shape,
            "mean": float(rng.uniform(low, high)),
            "sigma": float(rng.uniform(0.05, 0.4) * width),
        }
    points = np.sort(rng.uniform(low, high, 3 if shape == "triangular" else 4))
    if rng.random() < 0.3:
        points[0] = points[1] = low
    if rng.random() < 0.3:
        points[-1] = points[-2] = high
    return {"shape": shape, "points": points.tolist()}


@pytest.fixture
def draw_system():
    """A function of a generator: a system of five inputs and as many rules as asked for."""

    def draw(rng: np.random.Generator, rules: int = 12, inputs: int = 5) -> FuzzySystem:
        ranges = [(0.0, 1.0), (0.0, 10.0), (-3.0, 2.0), (0.0, 0.3), (100.0, 900.0)][:inputs]
        table: dict[str, Any] = {
            "name": "drawn",
            "inputs": [
                {
                    "name": f"input_{n}",
                    "title": f"input {n}",
                    "range": ends,
                    "sets": {name: function(rng, *ends) for name in ("low", "middle", "high")},
                }
                for n, ends in enumerate(ranges)
            ],
            "output": {
                "sets": {verdict: function(rng, 0.0, 1.0) for verdict in VERDICTS},
                "cuts": [0.4, 0.6],
            },
            "rules": [],
        }
        for _ in range(rules):
            chosen = rng.permutation(inputs)[: rng.integers(1, inputs + 1)]
            text = ""
            for number in chosen:
                text += f" {rng.choice(['and', 'or'])} " if text else ""
                negated = "not " if rng.random() < 0.2 else ""
                text += f"input_{number} is {negated}{rng.choice(['low', 'middle', 'high'])}"
            table["rules"].append(
                {
                    "if": text,
                    "then": str(rng.choice(VERDICTS)),
                    "weight": float(rng.uniform(0.2, 1)),
                    "reason": "drawn",
                }
            )
        return parse(FuzzySystem, table, where="drawn", error=FuzzyError)

    return draw


@pytest.fixture
def draw_values():
    """A function of a system, a generator and a number: values of its inputs."""

    def draw(system: FuzzySystem, rng: np.random.Generator, cells: int) -> dict[str, Any]:
        # A tenth beyond either end of the range, and some exactly at the corners of sets.
        values = {}
        for one in system.inputs:
            low, high = one.range
            reach = 0.1 * (high - low)
            values[one.name] = rng.uniform(low - reach, high + reach, cells)
            corners = [p for f in one.sets.values() for p in getattr(f, "points", (one.range[0],))]
            values[one.name][: len(corners)] = corners[:cells]
        return values

    return draw
