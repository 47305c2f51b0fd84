"""One trained network with several classical heads is as many runs, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError
from leukoscope.records.experiment import Experiment
from leukoscope.training import answering, loop, train
from leukoscope.training import classical as classical_module

Make = Callable[..., Experiment]
HEADS = ("svm", "nb", "rf")


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same predictions and the same metrics."""
    names = ("predictions.csv", "metrics.json")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@pytest.mark.parametrize(("rule", "heads"), [("last", HEADS), ("best-validation", ("svm",))])
def test_heads_on_one_network_are_the_bits_of_separate_runs(
    cells: Manifest, small: Make, tmp_path: Path, rule: str, heads: tuple[str, ...]
) -> None:
    # Copies, dropout and drawn augmentation: everything random that a head could move.
    settings = {
        "training__epoch": rule,
        "model__dropout": 0.2,
        "augment": {"rotation": 20.0},
        "expand__factor": 2,
        "expand__augmentation": {"flip_horizontal": 1.0},
        "split__kind": "kfold",
        "split__folds": 2,
    }
    together = train(
        small(training__epochs=2, **settings), cells, tmp_path / "all", counts=(1,), heads=heads
    )
    for count, place in ((1, "epochs-1"), (2, ".")):
        plain = train(small(training__epochs=count, **settings), cells, tmp_path / f"plain-{count}")
        assert same(together.folder / place, plain.folder)
        for head in heads:
            name = f"fem-1+{head}"
            alone = train(
                small(training__epochs=count, model__name=name, **settings),
                cells,
                tmp_path / f"{head}-{count}",
            )
            assert same(together.folder / "heads" / head / place, alone.folder)
            assert not same(together.folder / place, alone.folder)
            told = json.loads((alone.folder / "fold-1/model.json").read_text())
            known = json.loads((together.folder / f"fold-1/head-{head}.json").read_text())
            if count == 2:
                assert known["head"] == told["head"]
                assert known["vector_length"] == told["vector_length"] == 1024
                assert known["head_seconds"] > 0
    assert not list(together.folder.glob("fold-*/predictions*"))


def test_a_head_of_the_models_own_may_have_others_beside_it(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    both = train(small(model__name="fem-1+nb"), cells, tmp_path / "both", heads=("nb", "knn"))
    alone = train(small(model__name="cnn-1+knn"), cells, tmp_path / "alone")
    assert same(both.folder / "heads/knn", alone.folder)
    assert [path.name for path in (both.folder / "heads").iterdir()] == ["knn"]


def test_measured_features_are_measured_for_all_heads_at_once(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    both = train(small(model__name="wavelet+svm"), cells, tmp_path / "both", heads=("rf",))
    alone = train(small(model__name="wavelet+rf"), cells, tmp_path / "alone")
    assert same(both.folder / "heads/rf", alone.folder)


def test_vectors_are_computed_once_for_a_part_and_a_number_of_epochs(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    compute = classical_module.FoldVectors._compute

    def counted(vectors: Any, part: str) -> Any:
        asked.append(part)
        return compute(vectors, part)

    monkeypatch.setattr(classical_module.FoldVectors, "_compute", counted)
    train(small(), cells, tmp_path / "run", counts=(1,), heads=HEADS)
    assert sorted(asked) == ["test"] * 2 + ["train"] * 2 + ["validation"] * 2


def test_a_stop_loses_an_epoch_or_a_head(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(small(), cells, tmp_path / "whole", counts=(1,), heads=HEADS)
    fit = answering.fit_head
    fitted: list[str] = []

    def stopped(head: str, *rest: Any) -> Any:
        fitted.append(head)
        if len(fitted) == 5:  # the second head after the last epoch
            raise KeyboardInterrupt
        return fit(head, *rest)

    monkeypatch.setattr(answering, "fit_head", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(small(), cells, tmp_path / "cut", counts=(1,), heads=HEADS)
    assert len(fitted) == 5
    epochs: list[int] = []
    run_epoch = loop.run_epoch
    monkeypatch.setattr(loop, "run_epoch", lambda *a: epochs.append(1) or run_epoch(*a))
    resumed = train(small(), cells, tmp_path / "cut", counts=(1,), heads=HEADS)
    assert not epochs, "an epoch was made again"
    assert len(fitted) == 5 + 2, "a head that was finished was fitted again"
    for head in HEADS:
        for place in (f"heads/{head}", f"heads/{head}/epochs-1"):
            assert same(resumed.folder / place, whole.folder / place)


def test_a_stop_by_patience_counts_for_heads_too(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    settings = {"training__patience": 1, "optimiser__learning_rate": 0.5}
    run = train(
        small(training__epochs=6, **settings), cells, tmp_path / "all", counts=(5,), heads=("nb",)
    )
    alone = train(
        small(training__epochs=5, model__name="fem-1+nb", **settings), cells, tmp_path / "alone"
    )
    assert same(run.folder / "heads/nb/epochs-5", alone.folder)


def test_what_is_no_head_and_what_was_not_asked_for_is_refused(
    cells: Manifest, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExperimentError, match=r"'svn' is no classical head. Did you mean 'svm'"):
        train(small(), cells, tmp_path / "run", heads=("svn",))
    assert not list(tmp_path.glob("run*"))
    measure = "leukoscope.training.running._measure"
    with monkeypatch.context() as cut:
        cut.setattr(measure, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(small(), cells, tmp_path / "cut")
    with pytest.raises(RunError, match="or that head"):
        train(small(), cells, tmp_path / "cut", heads=("nb",))
