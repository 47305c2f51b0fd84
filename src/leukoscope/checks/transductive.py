"""Answers that the test images changed together."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from ..records.fold_facts import read_fold_facts
from ..records.run import Run
from .context import Context

__all__ = ["check", "of_run"]


def check(context: Context) -> list[Finding]:
    """Information of the test batch used at prediction (transductive)"""
    return [] if context.run is None else of_run(context.run)


def of_run(run: Run) -> list[Finding]:
    """The findings of a run's records: each fold declares how it predicts."""
    folds = [fold.name for fold in read_fold_facts(run) if fold.prediction == "transductive"]
    if not folds:
        return []
    return [
        Finding(
            check="transductive",
            severity="warning",
            summary=(
                f"{counted(len(folds), 'fold')} of {len(run.split.folds):,} declare "
                "'transductive': the test images together changed the answers. The figure is of "
                "this batch, and says nothing of a single new cell."
            ),
            evidence={"folds": folds, "declared_in": "model.json, prediction"},
            mend="Print 'transductive' beside every figure, and compare it with inductive ones "
            "separately.",
        )
    ]
