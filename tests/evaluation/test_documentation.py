"""Every metric is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leukoscope.evaluation import METRICS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_its_row(name):
    metric = METRICS[name]
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1
    assert metric.formula in rows[0]
    assert metric.source in rows[0]
    assert metric.title
    assert metric.short.endswith(".")
    assert metric.better in ("high", "low", "one", "zero")


def test_no_row_is_stale():
    named = re.findall(r"^\| `([a-z_0-9.]+)` \|", PAGE.read_text(), flags=re.MULTILINE)
    assert named == list(METRICS)
