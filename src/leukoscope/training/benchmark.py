"""Training CNN-3 at 32 px beside Keras 3 on TensorFlow, epoch by epoch in turn.

The peer runs in a process of its own, in this interpreter or in the one that the environment
variable ``LEUKOSCOPE_PEER_PYTHON`` names (TensorFlow and torch need not live together).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..datasets.rendered import render_dataset
from ..errors import LeukoscopeError, MissingExtraError
from ..images.pipeline import Pipeline
from ..images.store import Stored
from ..models import build
from ..models.building import to_channels_last
from ..progress import Progress
from ..records.experiment import Experiment
from .batches import Part, normaliser_of
from .device import native_bfloat16
from .loop import FoldData, TrainingState, forward, new_state, run_epoch
from .memory import keep_freed_memory
from .pixels import store_pixels
from .predicting import probabilities
from .seeds import numpy_stream, torch_stream

__all__ = ["PEER_PYTHON", "run"]

PEER_PYTHON = "LEUKOSCOPE_PEER_PYTHON"
IMAGES, SUBJECTS, SIDE, EPOCHS = 1024, 32, 32, 12
"""The images of half of the subjects train, the others test."""
PEER = "Keras on TensorFlow"
EXPERIMENT = Experiment()


def run(progress: Progress) -> list[dict[str, Any]]:
    """Images a second of ours in float32 and bfloat16, of the peer, and AUROC of each.

    Raises
    ------
    MissingExtraError
        When no interpreter with TensorFlow is at hand.
    """
    python = _peer_python()
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        data = _data(Path(place), progress)
        contestants: dict[str, _Ours | _Peer] = {"float32": _Ours(data, torch.float32)}
        if native_bfloat16(torch.device("cpu")):
            contestants["bfloat16"] = _Ours(data, torch.bfloat16)
        contestants[PEER] = stack.enter_context(_peer(python, Path(place) / "peer.npz"))
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in progress.track(range(EPOCHS), "epochs of each contestant", EPOCHS):
            for name, one in contestants.items():
                seconds[name].append(one.epoch())
        quality = {name: _auroc(data, one.predict()) for name, one in contestants.items()}
    return _rows(seconds, quality, len(data.train))


def _rows(
    seconds: dict[str, list[float]], quality: dict[str, float], images: int
) -> list[dict[str, Any]]:
    """Speed as each contestant's fastest epoch.

    Not the median: a scheduler that puts both threads of a process on one core now and then
    halves whole epochs, of the peer more often than of ours, which would flatter us.
    """
    rows = []
    for name, target in (("float32", "≥ 1.0"), ("bfloat16", "≥ 1.5")):
        if name not in seconds:
            continue
        ours, theirs = min(seconds[name]), min(seconds[PEER])
        rows.append(
            {
                "name": f"training CNN-3 at {SIDE} px, {name}",
                "ours": images / ours,
                "peer": images / theirs,
                "ratio": theirs / ours,
                "unit": "images/s",
                "target": f"{target} × {PEER}",
                "note": f"the fastest of {EPOCHS} epochs of each, in turn",
            }
        )
        rows.append(
            {
                "name": f"quality after {EPOCHS} epochs, {name}",
                "ours": quality[name],
                "peer": quality[PEER],
                "ratio": quality[name] / quality[PEER],
                "unit": "AUROC",
                "target": "equal",
                "note": "same start, same batches; rendered cells of other subjects: that both "
                "learn alike, nothing else",
            }
        )
    return rows


def _peer_python() -> str:
    named = os.environ.get(PEER_PYTHON)
    if named:
        return named
    if importlib.util.find_spec("tensorflow") is None:
        raise MissingExtraError(
            f"The peer (or name an interpreter that has TensorFlow in {PEER_PYTHON})", "bench"
        )
    return sys.executable


def _data(place: Path, progress: Progress) -> FoldData:
    """Rendered cells in memory, split by subject; also written for the peer."""
    manifest = render_dataset(
        "rendered-allidb2",
        place / "cells",
        seed=0,
        subjects=SUBJECTS,
        images=IMAGES,
        size=64,
        progress=progress,
    )
    pipeline = Pipeline(SIDE)
    on_disk = store_pixels(pipeline, manifest, progress)
    stored = Stored(np.array(on_disk.array), on_disk.index, (), 0)
    targets = (manifest.column("label") == "blast").astype(np.int64)
    subjects = manifest.column("subject")
    rng = np.random.default_rng(0)
    trained: list[str] = []
    for label in ("blast", "normal"):
        of_class = sorted(set(subjects[manifest.column("label") == label]))
        trained += rng.permutation(of_class)[: len(of_class) // 2].tolist()
    train = np.flatnonzero(np.isin(subjects, trained))
    test = np.flatnonzero(~np.isin(subjects, trained))
    orders = [
        numpy_stream(EXPERIMENT.seed, 0, "order", epoch).permutation(len(train))
        for epoch in range(EPOCHS)
    ]
    np.savez(
        place / "peer.npz",
        train=stored.batch(train),
        labels=targets[train],
        test=stored.batch(test),
        orders=np.stack(orders),
        **_start_for_keras(),
    )
    empty = Part(train[:0], targets[:0])
    normaliser = normaliser_of(pipeline, torch.device("cpu"))
    parts = (Part(train, targets[train]), empty, Part(test, targets[test]))
    return FoldData(stored, normaliser, *parts, classes=2)


def _network() -> torch.nn.Module:
    """CNN-3 as every contestant begins."""
    weights = torch_stream(EXPERIMENT.seed, 0, "weights")
    return build(EXPERIMENT.model, 3, SIDE, 2, generator=weights)


def _start_for_keras() -> dict[str, Any]:
    """Our initial weights in Keras's layout (height, width, in, out), in its order."""
    tensors = [value.detach().numpy() for value in _network().state_dict().values()]
    axes = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}
    return {f"weight_{n}": v.transpose(axes[v.ndim]) for n, v in enumerate(tensors)}


class _Ours:
    """Our loop, an epoch at a time."""

    def __init__(self, data: FoldData, precision: torch.dtype) -> None:
        self._state: TrainingState = new_state(to_channels_last(_network()), EXPERIMENT)
        self._data = data
        self._precision = precision

    def epoch(self) -> float:
        """Seconds of one epoch."""
        began = time.perf_counter()
        run_epoch(self._state, self._data, EXPERIMENT, 0, self._precision, None, lambda *_: None)
        self._state.epoch += 1
        return time.perf_counter() - began

    def predict(self) -> list[float]:
        """Probabilities of the positive class on the test part."""
        logits = forward(self._state.network, self._data, self._data.test)
        found: list[float] = probabilities(logits)[:, 1].tolist()
        return found


@dataclass(frozen=True)
class _Peer:
    """A process that is told what to do, a line at a time."""

    process: subprocess.Popen[str]

    def _ask(self, command: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        answer = ""
        with suppress(BrokenPipeError):
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise LeukoscopeError(
                f"bench: the peer ended without an answer (exit code {self.process.wait()}). "
                f"Does the interpreter in {PEER_PYTHON} have tensorflow and keras?"
            )
        return json.loads(answer)

    def epoch(self) -> float:
        """Seconds of one epoch."""
        return float(self._ask("epoch"))

    def predict(self) -> list[float]:
        """Probabilities of the positive class on the test part."""
        return [float(value) for value in self._ask("predict")]


@contextmanager
def _peer(python: str, data: Path) -> Iterator[_Peer]:
    script = Path(__file__).with_name("peer_keras.py")
    with subprocess.Popen(
        [python, str(script), str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise LeukoscopeError(
                    f"bench: the peer did not start in {python}. Name an interpreter that has "
                    f"tensorflow and keras in {PEER_PYTHON}."
                )
            yield _Peer(process)
        finally:
            process.kill()
            # What could not be said to a process that had ended.
            with suppress(BrokenPipeError):
                process.communicate()


def _auroc(data: FoldData, scores: list[float]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(data.test.targets, scores))
