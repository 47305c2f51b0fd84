"""A training that is killed goes on from its last epoch and ends with the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError, StorageError
from leukoscope.records.experiment import Experiment, write_experiment
from leukoscope.records.run import read_history, read_run
from leukoscope.training import checkpoint, loop, train
from leukoscope.training.checkpoint import load_checkpoint, save_checkpoint

from .conftest import make_cells

Make = Callable[..., Experiment]
SLOW_EPOCHS = 24
EVERYTHING = {
    "training__epochs": SLOW_EPOCHS,
    "optimiser__name": "rmsprop",
    "optimiser__momentum": 0.5,
    "model__dropout": 0.3,
    "augment": {"rotation": 90.0, "flip_vertical": 0.5},
    "schedule__kind": "exponential",
    "split__kind": "kfold",
    "split__folds": 2,
}
"""Every random stream and every kind of state at once."""


def _command(folder: Path, out: Path) -> list[str]:
    arguments = ["train", str(folder / "e.toml"), "--data", str(folder / "cells.csv"), "-o"]
    return [sys.executable, "-m", "leukoscope", *arguments, str(out)]


def _weights(run: Path) -> dict[str, bytes]:
    return {
        path.parent.name: path.read_bytes() for path in sorted(run.glob("fold-*/*.safetensors"))
    }


def _wait_for_epoch(partial: Path, fold: int, epoch: int, process: subprocess.Popen[bytes]) -> None:
    history = partial / f"fold-{fold}" / "history.csv"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if history.exists() and len(read_history(history)) >= epoch:
            return
        time.sleep(0.002)
    pytest.fail(f"no epoch {epoch} of fold {fold} was seen; the process ended or hangs")


@pytest.fixture
def prepared(tmp_path: Path, small: Make) -> Path:
    """A folder with images, ``cells.csv`` and the experiment ``e.toml``."""
    folder = tmp_path / "data"
    make_cells(folder, subjects=8, each=10)
    write_experiment(small(**EVERYTHING), folder / "e.toml")
    return folder


@pytest.mark.slow
def test_kill_9_loses_at_most_an_epoch_and_no_bit(prepared: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(_command(prepared, whole), check=True, capture_output=True)
    for fold, epoch in ((0, 3), (0, 9), (1, 2)):
        process = subprocess.Popen(_command(prepared, killed), stderr=subprocess.PIPE)
        partial = killed.with_name("killed.partial")
        _wait_for_epoch(partial, fold, epoch, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not killed.exists()
        saved = load_checkpoint(partial / f"fold-{fold}" / "checkpoint.safetensors")[1]["epoch"]
        assert saved >= epoch
    before = (partial / "fold-0" / "weights.safetensors").stat().st_mtime_ns
    subprocess.run(_command(prepared, killed), check=True, capture_output=True)
    assert (killed / "fold-0" / "weights.safetensors").stat().st_mtime_ns == before
    assert _weights(whole) == _weights(killed)
    assert len(_weights(killed)) == 2
    for name in ("predictions.csv", "metrics.json", "split.json", "data.json"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
    for fold in (0, 1):
        histories = [
            read_history(run / f"fold-{fold}" / "history.csv").drop(columns="seconds")
            for run in (whole, killed)
        ]
        assert histories[0].equals(histories[1])


@pytest.mark.slow
def test_ctrl_c_is_130_and_what_is_saved_is_whole(prepared: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    # A shell that runs the tests in the background has them, and what they start, ignore Ctrl-C.
    process = subprocess.Popen(
        _command(prepared, out),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    _wait_for_epoch(tmp_path / "run.partial", 0, 2, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"the same command goes on where it stopped" in errors
    with pytest.raises(RunError, match=r"run: not finished; what there is lies in .*run.partial"):
        read_run(out)
    changed = [*_command(prepared, out), "--set", "training.epochs=3"]
    refused = subprocess.run(changed, capture_output=True, check=False)
    assert refused.returncode == 2
    assert b"training.epochs was 24 and is now 3" in refused.stderr
    subprocess.run(_command(prepared, out), check=True, capture_output=True)
    assert read_run(out).experiment.training.epochs == SLOW_EPOCHS


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_two_processes(prepared: Path, tmp_path: Path) -> None:
    runs = [tmp_path / "first", tmp_path / "second"]
    faster = ["--set", "training.epochs=2"]
    for run in runs:
        subprocess.run([*_command(prepared, run), *faster], check=True, capture_output=True)
    other = tmp_path / "other"
    subprocess.run(
        [*_command(prepared, other), *faster, "--set", "seed=1"], check=True, capture_output=True
    )
    assert _weights(runs[0]) == _weights(runs[1])
    assert _weights(other) != _weights(runs[0])


class _Stopped(KeyboardInterrupt):
    """Ctrl-C at a chosen place."""


@pytest.mark.parametrize("place", ["save_weights", "save_checkpoint", "write_history", "_images"])
def test_a_stop_anywhere_in_an_epoch_changes_nothing(
    place: str, cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, between and after the files of an epoch; the second time the place is reached."""
    experiment = small(training__epochs=4, optimiser__learning_rate=0.003)
    train(experiment, cells, tmp_path / "whole")
    original = getattr(loop, place)
    calls = []

    def stopping(*arguments: object, **named: object) -> object:
        calls.append(place)
        if len(calls) == 2:
            raise _Stopped
        return original(*arguments, **named)

    monkeypatch.setattr(loop, place, stopping)
    with pytest.raises(KeyboardInterrupt):
        train(experiment, cells, tmp_path / "stopped")
    train(experiment, cells, tmp_path / "stopped")
    assert _weights(tmp_path / "whole") == _weights(tmp_path / "stopped")


def test_a_stop_after_the_last_fold_finishes_without_training(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leukoscope.training import running

    def stop(*_: object) -> None:
        raise _Stopped

    for place in ("summarise", "_tidy"):
        monkeypatch.setattr(running, place, stop)
        with pytest.raises(KeyboardInterrupt):
            train(small(), cells, tmp_path / "run")
        monkeypatch.undo()
        monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(running, "train_folds", stop)
    run = train(small(), cells, tmp_path / "run")
    assert not list(run.folder.glob("fold-*/predictions.csv"))


def test_a_full_disk_leaves_the_last_epoch(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(small(), cells, tmp_path / "whole")
    saves = []

    def save(*arguments: object) -> None:
        saves.append(1)
        if len(saves) == 2:
            raise OSError(28, "No space left on device")
        safetensors_save(*arguments)

    safetensors_save = checkpoint.safetensors.torch.save_file
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.safetensors.torch, "save_file", save)
        with pytest.raises(StorageError, match=r"writing failed \(No space left on device\)"):
            train(small(training__epoch="last"), cells, tmp_path / "run")
    folder = tmp_path / "run.partial" / "fold-0"
    assert load_checkpoint(folder / "checkpoint.safetensors")[1]["epoch"] == 1
    assert not list(folder.glob("*.tmp"))
    run = train(small(training__epoch="last"), cells, tmp_path / "run")
    assert len(read_history(run.folder / "fold-0" / "history.csv")) == 2
    assert whole.folder.exists()


def test_two_processes_do_not_train_into_one_run(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    import fcntl

    partial = tmp_path / "run.partial"
    partial.mkdir()
    with (partial / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="another process is training into it"):
            train(small(), cells, tmp_path / "run")


def test_going_on_with_another_split_is_refused(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leukoscope.splits.splitting import make_split

    experiment = small()
    with monkeypatch.context() as patch:

        def stop(*_: object) -> None:
            raise _Stopped

        patch.setattr(loop, "write_history", stop)
        with pytest.raises(KeyboardInterrupt):
            train(experiment, cells, tmp_path / "run")
    other = make_split(cells, experiment.split, seed=9, edition="leak-free")
    with pytest.raises(RunError, match="was begun with another split"):
        train(experiment, cells, tmp_path / "run", split=other)


def test_what_never_trained_stands_in_nobodys_way(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt model is corrected in the same folder; what has trained is not thrown away."""
    with pytest.raises(ExperimentError, match="Did you mean 'cnn-1'"):
        train(small(model__name="cnn1"), cells, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(loop, "write_history", _stop)
        with pytest.raises(_Stopped):
            train(small(), cells, tmp_path / "run")
    with pytest.raises(RunError, match=r"model\.name was '[a-z0-9-]+' and is now 'cnn-3'"):
        train(small(model__name="cnn-3"), cells, tmp_path / "run")
    assert train(small(), cells, tmp_path / "run").experiment == small()


def _stop(*_: object) -> None:
    raise _Stopped


def test_a_damaged_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, {"a": torch.ones(2)}, {"epoch": 3})
    assert load_checkpoint(path)[1] == {"epoch": 3}
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=r"cannot be read as a checkpoint .* begins anew"):
            load_checkpoint(path)
    save_checkpoint(path, {}, {"schema": 99})
    with pytest.raises(RunError, match="checkpoint schema 99"):
        load_checkpoint(path)


def test_a_checkpoint_holds_no_code(cells: Manifest, small: Make, tmp_path: Path) -> None:
    """Weights are plain tensors that any reader of safetensors opens."""
    run = train(small(), cells, tmp_path / "run")
    tensors = load_file(run.folder / "fold-0" / "weights.safetensors")
    assert {name.split(".")[-1] for name in tensors} == {"weight", "bias"}
    source = Path(checkpoint.__file__).parent
    for path in source.glob("*.py"):
        assert "torch.load(" not in path.read_text()
        assert "import pickle" not in path.read_text()
