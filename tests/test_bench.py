"""The frame of the benchmarks."""

from __future__ import annotations

import importlib
import sys
import types

import pytest

from leukoscope import bench
from leukoscope.errors import LeukoscopeError
from leukoscope.progress import Progress


def test_an_unknown_name_is_answered() -> None:
    with pytest.raises(LeukoscopeError, match="Did you mean 'images'"):
        bench.measure(["imags"], Progress(quiet=True))


@pytest.mark.parametrize("name", bench.BENCHMARKS)
def test_each_benchmark_has_a_run(name: str) -> None:
    module = importlib.import_module(bench.BENCHMARKS[name])
    assert callable(module.run)


def test_rows_become_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("pretended_benchmark")
    module.run = lambda progress: [  # type: ignore[attr-defined]
        {
            "name": "decode",
            "ours": 2000.0,
            "peer": 1000.0,
            "ratio": 2.0,
            "unit": "images/s",
            "target": "≥ 2",
        }
    ]
    monkeypatch.setitem(sys.modules, "pretended_benchmark", module)
    monkeypatch.setitem(bench.BENCHMARKS, "pretended", "pretended_benchmark")
    table = bench.describe(bench.measure(["pretended"], Progress(quiet=True)))
    assert table.splitlines()[1].split("  ") != []
    assert "2,000 images/s" in table
    assert "2.00" in table
