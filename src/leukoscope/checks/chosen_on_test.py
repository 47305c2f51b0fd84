"""Whether the test part chose the model that it judges."""

from __future__ import annotations

import numpy as np

from ..counting import counted
from ..records.findings import Finding
from ..records.fold_facts import FoldFacts, read_fold_facts
from ..records.run import Run
from .context import Context, shown

__all__ = ["check", "of_run"]

SAME_LOSS = 1e-6
"""Losses that differ by less are one: a history may have been written with fewer digits."""


def check(context: Context) -> list[Finding]:
    """Epoch, early stopping or threshold chosen on the test part

    From the run's ``experiment.toml``, each fold's ``history.csv`` and ``model.json``, and its
    predictions.
    """
    return [] if context.run is None else of_run(context.run)


def of_run(run: Run) -> list[Finding]:
    """The findings of a run's records."""
    folds = read_fold_facts(run)
    return [*_epoch(run, folds), *_kept(run, folds), *_watched(run, folds), *_threshold(run)]


def _epoch(run: Run, folds: tuple[FoldFacts, ...]) -> list[Finding]:
    """The rule itself: whose weights are kept."""
    if run.experiment.training.epoch != "best-test":
        return []
    declared = run.experiment.edition == "as-published"
    return [
        Finding(
            check="chosen-on-test",
            severity="warning" if declared else "error",
            summary=(
                "The weights of the epoch that was best on the test part were kept in "
                f"{counted(len(folds), 'fold')}: the figure is a maximum over epochs, and no "
                "untouched part is left"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={
                "chosen": "epoch",
                "rule": "best-test",
                "epochs": {fold.name: fold.epoch for fold in folds},
                **_gain(folds),
            },
            mend="Choose on validation groups: training.epoch = 'best-validation'.",
        )
    ]


def _gain(folds: tuple[FoldFacts, ...]) -> dict[str, object]:
    """How much better the best epoch tested than the last one, over the folds."""
    gains = [
        float(fold.history["test_accuracy"].max() - fold.history["test_accuracy"].iloc[-1])
        for fold in folds
        if fold.history is not None and "test_accuracy" in fold.history
    ]
    return {"test_accuracy_above_last_epoch": round(float(np.mean(gains)), 4)} if gains else {}


def _kept(run: Run, folds: tuple[FoldFacts, ...]) -> list[Finding]:
    """Folds that kept another epoch than their rule says."""
    rule = run.experiment.training.epoch
    wrong = {}
    for fold in folds:
        if fold.history is None or not fold.epoch or rule == "best-test":
            continue
        history = fold.history.set_index("epoch")
        expected = int(history.index[-1])
        if rule == "best-validation":
            if "validation_loss" not in history:
                continue
            losses = history["validation_loss"]
            expected = int(losses.idxmin())
            here = float(losses.get(fold.epoch, np.inf))
            if here <= float(losses.min()) + SAME_LOSS:
                continue
        if fold.epoch != expected:
            wrong[fold.name] = {"kept": fold.epoch, "by_the_rule": expected}
    if not wrong:
        return []
    return [
        Finding(
            check="chosen-on-test",
            severity="error",
            summary=(
                f"{counted(len(wrong), 'fold')} kept another epoch than the rule '{rule}' chooses "
                f"from the history ({shown(list(wrong))}): what chose it is not recorded."
            ),
            evidence={"chosen": "epoch", "rule": rule, "folds": wrong},
            mend="Train the run again; its records contradict each other.",
        )
    ]


def _watched(run: Run, folds: tuple[FoldFacts, ...]) -> list[Finding]:
    """Test results in the histories of a run whose rule does not ask for them."""
    if run.experiment.training.epoch == "best-test":
        return []
    watched = [
        fold.name
        for fold in folds
        if fold.history is not None and any(c.startswith("test_") for c in fold.history)
    ]
    if not watched:
        return []
    return [
        Finding(
            check="chosen-on-test",
            severity="warning",
            summary=(
                f"The histories of {counted(len(watched), 'fold')} hold test results of every "
                "epoch, though the rule does not use them: whoever stopped the training saw them"
                + (
                    " (as published: training.curves_on_test declares it)."
                    if run.experiment.training.curves_on_test
                    else "."
                )
            ),
            evidence={"chosen": "perhaps the number of epochs", "folds": watched},
            mend="Train again without looking at the test part.",
        )
    ]


def _threshold(run: Run) -> list[Finding]:
    """Answers that are not the most probable class: then somebody chose a threshold."""
    test = run.predictions.part("test")
    best = np.array(test.classes, dtype=object)[test.probabilities.argmax(axis=1)]
    moved = int(np.sum(best != test.table["predicted"].to_numpy()))
    if not moved:
        return []
    return [
        Finding(
            check="chosen-on-test",
            severity="warning",
            summary=(
                f"{counted(moved, 'answer')} of {len(best):,} in the test part "
                f"{'is' if moved == 1 else 'are'} not the most probable class, so a threshold was "
                "used, and the run does not say which rows it was chosen on."
            ),
            evidence={"chosen": "threshold", "answers_moved": moved, "tested": len(best)},
            mend="State which rows the threshold was chosen on; on test rows it is a leak.",
        )
    ]
