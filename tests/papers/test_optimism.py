"""The best of many equal results, against simulation and a table of order statistics."""

from __future__ import annotations

import numpy as np
import pytest

from leukoscope.papers.optimism import expected_maximum, optimism


def test_known_expectations() -> None:
    # Harter 1961, Biometrika 48:151, table 1: 10 normal numbers 1.53875; two: 1/sqrt(pi).
    assert expected_maximum(10) == pytest.approx(1.53875, abs=1e-5)
    assert expected_maximum(2) == pytest.approx(1 / np.sqrt(np.pi))
    assert expected_maximum(1) == 0
    # varol2024: 72 configurations of approach 1 on one data set.
    assert expected_maximum(72) == pytest.approx(2.4, abs=0.05)


def test_optimism_is_what_choosing_brings() -> None:
    rng = np.random.default_rng(8)
    best = rng.binomial(352, 0.8, (20_000, 18)).max(axis=1) / 352
    # Standard error of the simulation 1e-4; the binomial's own skew moves it a little further.
    assert optimism(0.8, 352, 18) == pytest.approx(best.mean() - 0.8, abs=2e-3)
