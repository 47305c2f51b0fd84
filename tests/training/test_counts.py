"""One training measured at several numbers of epochs is as many trainings, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError
from leukoscope.records.experiment import Experiment
from leukoscope.training import loop, train

Make = Callable[..., Experiment]


@pytest.mark.parametrize("rule", ["last", "best-validation"])
def test_counts_are_the_bits_of_separate_runs(
    cells: Manifest, small: Make, tmp_path: Path, rule: str
) -> None:
    settings = {
        "training__epoch": rule,
        "model__dropout": 0.2,
        "augment": {"rotation": 20.0},
        "schedule__kind": "exponential",
        "optimiser__learning_rate": 0.01,
    }
    together = train(
        small(training__epochs=4, **settings), cells, tmp_path / "all", counts=(1, 2, 4)
    )
    for count in (1, 2, 4):
        alone = train(small(training__epochs=count, **settings), cells, tmp_path / f"alone-{count}")
        for name in ("predictions.csv", "metrics.json"):
            snapshot = together.folder / f"epochs-{count}" / name
            assert snapshot.read_bytes() == (alone.folder / name).read_bytes()
    assert not list(together.folder.glob("fold-*/predictions*"))


def test_a_stop_by_patience_counts_for_all_that_come_after(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    settings = {"training__patience": 1, "optimiser__learning_rate": 0.5}
    run = train(small(training__epochs=6, **settings), cells, tmp_path / "all", counts=(1, 5, 6))
    alone = train(small(training__epochs=5, **settings), cells, tmp_path / "alone")
    assert (run.folder / "epochs-5/predictions.csv").read_bytes() == (
        alone.folder / "predictions.csv"
    ).read_bytes()


def test_a_kill_between_snapshot_and_checkpoint_loses_nothing(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(small(training__epochs=3), cells, tmp_path / "whole", counts=(1, 2))
    save = loop._save

    def stop(state: loop.TrainingState, folder: Path) -> None:
        if state.epoch == 2:
            raise KeyboardInterrupt
        save(state, folder)

    monkeypatch.setattr(loop, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        train(small(training__epochs=3), cells, tmp_path / "cut", counts=(1, 2))
    monkeypatch.undo()
    resumed = train(small(training__epochs=3), cells, tmp_path / "cut", counts=(1, 2))
    for count in (1, 2):
        name = f"epochs-{count}/predictions.csv"
        assert (resumed.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert resumed.predictions.table.equals(whole.predictions.table)


def test_what_cannot_be_shared_is_refused(cells: Manifest, small: Make, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="falls to the last epoch"):
        train(small(schedule__kind="cosine"), cells, tmp_path / "cosine", counts=(1,))
    with pytest.raises(ExperimentError, match="after 3 epochs is asked of 2"):
        train(small(), cells, tmp_path / "longer", counts=(3,))


def test_a_count_that_was_not_asked_for_at_first_is_refused(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = loop._save

    def stop(state: loop.TrainingState, folder: Path) -> None:
        save(state, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        train(small(training__epochs=2), cells, tmp_path / "cut", counts=())
    monkeypatch.undo()
    with pytest.raises(RunError, match="begun without asking for that number of epochs"):
        train(small(training__epochs=2), cells, tmp_path / "cut", counts=(1,))
