"""Every metric is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leukoscope.evaluation import METRICS, evaluate

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
    table = PAGE.read_text().split("## Intervals")[0]
    assert re.findall(r"^\| `([a-z_0-9.]+)` \|", table, flags=re.MULTILINE) == list(METRICS)


def test_every_key_of_metrics_json_has_its_row(make):
    table = PAGE.read_text().split("## `metrics.json`")[1]
    heads = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z_]+)`", heads)) == set(evaluate(make(), resamples=20))
