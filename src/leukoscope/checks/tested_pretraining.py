"""Whether the weights had seen the data set that they are tested on."""

from __future__ import annotations

from ..records.findings import Finding
from ..records.fold_facts import read_pretraining_facts
from ..records.run import Run
from .context import Context

__all__ = ["check", "of_run"]


def check(context: Context) -> list[Finding]:
    """Pretrained weights that were trained on the tested data set"""
    return [] if context.run is None else of_run(context.run)


def of_run(run: Run) -> list[Finding]:
    """The findings of a run's records; sets are compared by name."""
    facts = read_pretraining_facts(run)
    if facts is None:
        return []
    names = set(run.predictions.part("test").table["dataset"]) - {""}
    seen = {str(name).casefold() for name in facts.get("datasets") or ()}
    both = sorted(name for name in names if name.casefold() in seen)
    if not both:
        return []
    declared = run.experiment.edition == "as-published"
    return [
        Finding(
            check="tested-pretraining",
            severity="warning" if declared else "error",
            summary=(
                f"The weights that the network began with ({facts.get('source')}) were trained on "
                f"{', '.join(both)}, which is tested"
                + (" (as published: the leak is part of the edition)." if declared else ".")
            ),
            evidence={"trained_on": list(facts["datasets"]), "tested": both},
            mend="Begin with weights that have not seen the tested set, or test on another.",
        )
    ]
