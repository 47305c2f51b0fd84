"""Whether anything but the network was fitted on test rows."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from ..records.fold_facts import read_fold_facts
from ..records.run import Run
from .context import Context

__all__ = ["check", "of_run"]


def check(context: Context) -> list[Finding]:
    """Preprocessing fitted on test rows, from the folds' records"""
    return [] if context.run is None else of_run(context.run)


def of_run(run: Run) -> list[Finding]:
    """The findings of a run's records."""
    folds = [fold.name for fold in read_fold_facts(run) if fold.fitted_rows == "all"]
    if not folds:
        return []
    preprocess = run.experiment.preprocess
    fitted: list[str] = [
        step.name for step in preprocess.steps if step.name in ("reinhard", "macenko")
    ]
    fitted += ["mean image"] if preprocess.subtract_mean_image else []
    declared = run.experiment.edition == "as-published"
    return [
        Finding(
            check="fitted-on-test",
            severity="warning" if declared else "error",
            summary=(
                f"The preprocessing ({', '.join(fitted) or 'fitted values'}) of "
                f"{counted(len(folds), 'fold')} was fitted on all rows, those of the test part "
                "among them"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={"fitted": fitted, "folds": folds, "edition": run.experiment.edition},
            mend="Fit on the training rows of each fold; leukoscope train does, in either edition.",
        )
    ]
