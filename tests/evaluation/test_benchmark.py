"""The benchmark's rows are those that ``leukoscope bench`` prints."""

from __future__ import annotations

from leukoscope.bench import Row, describe
from leukoscope.evaluation import benchmark
from leukoscope.progress import Progress


def test_rows(monkeypatch):
    for name, value in (
        ("ITEMS", 300), ("GROUPS", 12), ("RESAMPLES", 50), ("ROUNDS", 1), ("PEER_RESAMPLES", 5),
    ):  # fmt: skip
        monkeypatch.setattr(benchmark, name, value)
    rows = [Row.model_validate(row) for row in benchmark.run(Progress(quiet=True))]
    assert rows[0].target == "≤ 2 s"
    assert rows[1].ratio is not None
    assert "AUROC" in describe(rows)
