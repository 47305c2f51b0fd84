"""The benchmark's frame: both sides in turn, whatever interpreter the peer lives in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from leukoscope.bench import Row
from leukoscope.errors import LeukoscopeError, MissingExtraError
from leukoscope.progress import Progress
from leukoscope.training import benchmark

PEER = """
import json, sys
import numpy as np
labels = np.load(sys.argv[1])["test"].shape[0]
print(json.dumps({"keras": "none"}), flush=True)
for command in sys.stdin:
    scores = [i * 7 % labels / labels for i in range(labels)]
    answer = 1000.0 if command.strip() == "epoch" else scores
    print(json.dumps(answer), flush=True)
"""


def test_it_measures_both_sides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The peer here is a script that claims a thousand seconds an epoch."""
    script = tmp_path / "peer_keras.py"
    script.write_text(PEER)
    monkeypatch.setattr(benchmark, "__file__", str(tmp_path / "benchmark.py"))
    monkeypatch.setenv(benchmark.PEER_PYTHON, sys.executable)
    monkeypatch.setattr(benchmark, "IMAGES", 32)
    monkeypatch.setattr(benchmark, "SUBJECTS", 4)
    monkeypatch.setattr(benchmark, "EPOCHS", 1)
    rows = [Row.model_validate(row) for row in benchmark.run(Progress(quiet=True))]
    assert rows[0].name == "training CNN-3 at 32 px, float32"
    assert rows[0].ratio is not None
    assert rows[0].ratio > 10
    assert rows[1].name == "quality after 1 epochs, float32"


def test_a_peer_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "peer_keras.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(benchmark, "__file__", str(tmp_path / "benchmark.py"))
    peer = benchmark._peer(sys.executable, tmp_path / "peer.npz")
    with pytest.raises(LeukoscopeError, match="the peer did not start"):
        peer.__enter__()


def test_a_peer_that_ends_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "peer_keras.py").write_text("print(1, flush=True)")
    monkeypatch.setattr(benchmark, "__file__", str(tmp_path / "benchmark.py"))
    with benchmark._peer(sys.executable, tmp_path / "peer.npz") as peer:
        peer.process.wait()
        with pytest.raises(LeukoscopeError, match="the peer ended without an answer"):
            peer.epoch()


def test_without_tensorflow_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(benchmark.PEER_PYTHON, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"LEUKOSCOPE_PEER_PYTHON.*leukoscope\[bench\]"):
        benchmark._peer_python()
