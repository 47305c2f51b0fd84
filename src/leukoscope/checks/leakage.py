"""The eight kinds of leakage of Kapoor and Narayanan, each answered from findings and records.

Kapoor S, Narayanan A. Leakage and the reproducibility crisis in machine-learning-based science.
Patterns 4(9):100804, 2023 (doi:10.1016/j.patter.2023.100804), section *Towards a solution: a
taxonomy of data leakage*. Numbers are theirs, the wording is ours. *Pass* is only said where the
records show it; what they do not tell is *cannot know*, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..counting import counted
from ..records.findings import Checked, Finding
from ..records.fold_facts import FoldFacts, read_fold_facts
from ..records.run import Run
from ..records.split import Split

__all__ = ["KINDS", "Answer", "Kind", "Known", "answer_all"]

Verdict = Literal["pass", "fail", "cannot know"]
SHORTCUTS = ("one-class-sources", "shortcuts", "burnt-in-marks")
"""Checks of what predicts the label without the cell."""


@dataclass(frozen=True)
class Kind:
    """One kind of leakage: its number, its name, and what it asks."""

    number: str
    title: str
    asks: str


@dataclass(frozen=True)
class Answer:
    """One kind answered."""

    kind: Kind
    verdict: Verdict
    reason: str
    """One sentence; after *cannot know* it goes on from *because*."""
    findings: tuple[str, ...] = ()
    """The checks whose findings say so."""


@dataclass(frozen=True)
class Known:
    """All that answers are made from."""

    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...]
    split: Split | None = None
    run: Run | None = None
    folds: tuple[FoldFacts, ...] = ()

    @classmethod
    def of(
        cls,
        findings: Sequence[Finding],
        checked: Sequence[Checked],
        split: Split | None,
        run: Run | None,
    ) -> Known:
        """With the facts of the run's folds read."""
        folds = read_fold_facts(run) if run else ()
        return cls(tuple(findings), tuple(checked), split, run, folds)

    def found(self, check: str, severity: tuple[str, ...] = ("error", "warning")) -> list[Finding]:
        """Findings of one check, without its notes."""
        return [f for f in self.findings if f.check == check and f.severity in severity]

    def unchecked(self, check: str) -> str:
        """Why a check said nothing; empty where it was made."""
        for one in self.checked:
            if one.check == check:
                return one.reason if one.state == "not checked" else ""
        return "no record says that it was looked for"


NO_SPLIT = "no split and no run was given; check again with --split or --run"
ONE_RUN = (
    "Whether this model was chosen by test results among others, one run's records cannot tell."
)
Said = tuple[Verdict, str, tuple[str, ...]]


def _pass(reason: str) -> Said:
    return "pass", reason, ()


def _unknown(reason: str, *checks: str) -> Said:
    return "cannot know", reason, checks


def _fail(findings: Sequence[Finding]) -> Said:
    """The gravest of the findings says why."""
    first = min(findings, key=lambda finding: ("error", "warning").index(finding.severity))
    return "fail", first.summary, tuple(dict.fromkeys(finding.check for finding in findings))


def _no_test_set(known: Known) -> Said:
    if known.split is None:
        return _unknown(NO_SPLIT)
    chosen = known.found("chosen-on-test")
    moved = [finding for finding in chosen if finding.evidence.get("chosen") == "threshold"]
    seen = [*known.found("test-part"), *known.found("tested-pretraining")]
    seen += [finding for finding in chosen if finding not in moved]
    if seen:
        return _fail(seen)
    folds = counted(len(known.split.folds), "fold")
    apart = f"in {folds} the tested rows are apart from those trained and validated on"
    if known.run is None:
        return _unknown(f"{apart}, but only a run tells what chose the epoch (--run)")
    if moved:
        why = "a threshold was used, and the run does not say which rows it was chosen on"
        return _unknown(why, "chosen-on-test")
    for check in ("tested-pretraining", "chosen-on-test"):
        if reason := known.unchecked(check):
            return _unknown(reason)
    rule = "the epoch was chosen on the validation part"
    if known.run.experiment.training.epoch == "last":
        rule = "the last epoch was kept"
    if not any(fold.epoch for fold in known.folds):
        rule = "no epoch was chosen"
    return _pass(f"{apart[0].upper()}{apart[1:]}, and {rule}.")


def _preprocessing(known: Known) -> Said:
    found = [f for f in known.found("cut-groups") if f.evidence.get("unit") == "original"]
    for check in ("fitted-on-test", "copies-before-split", "transductive"):
        found += known.found(check)
    if found:
        return _fail(found)
    if known.run is None:
        return _unknown("only a run tells what was fitted on which rows; check again with --run")
    for check in ("fitted-on-test", "transductive"):
        if reason := known.unchecked(check):
            return _unknown(reason)
    if all(fold.fitted_rows == "none" for fold in known.folds):
        return _pass(
            "No step of the preprocessing is fitted, and each image is answered by itself."
        )
    return _pass("Each fold's preprocessing was fitted on its own training rows alone.")


def _selection(known: Known) -> Said:
    if known.run is None:
        return _unknown("only a run tells how features were made; check again with --run")
    if not all(fold.recorded for fold in known.folds):
        return _unknown("the run's folds do not say how their features were made")
    if any(fold.head for fold in known.folds):
        made = "What reduces the features and the head were fitted on each fold's training rows."
    else:
        made = "No features were selected: each fold's network learnt them from its training rows."
    return _pass(f"{made} {ONE_RUN}")


def _duplicates(known: Known) -> Said:
    found = [*known.found("identical-parts"), *known.found("near-identical-parts")]
    if known.split is not None:
        # What lies across the official parts says nothing of another split.
        found = [finding for finding in found if finding.evidence.get("split") == "made"]
        # A copy of a tested image that is trained on is a duplicate, too.
        found += [f for f in known.found("copies-before-split") if "factor" in f.evidence]
        found += [f for f in known.found("cut-groups") if f.evidence.get("unit") == "original"]
    if found:
        return _fail(found)
    if known.split is None:
        return _unknown(NO_SPLIT)
    if reason := known.unchecked("identical-parts"):
        return _unknown(reason)
    for finding in known.found("identical-images", ("note",)):
        if missing := finding.evidence.get("rows_without_hash"):
            return _unknown(f"{counted(missing, 'row')} carry no hash")
    if reason := known.unchecked("near-identical-parts"):
        return _unknown(
            f"no identical images lie in two parts, but of near-identical ones: {reason}"
        )
    return _pass("No identical and no near-identical images lie in two parts of the split.")


def _illegitimate(known: Known) -> Said:
    found = [finding for check in SHORTCUTS for finding in known.found(check)]
    if found:
        return _fail(found)
    if reason := known.unchecked("shortcuts"):
        return _unknown(f"whether the label can be told without the cell was not probed: {reason}")
    return _pass("No probe tells the label without the cell; what was not probed is not excluded.")


def _temporal(known: Known) -> Said:
    del known
    return _unknown(
        "no manifest carries dates. A cell's class is of the day of its picture, so no future is "
        "predicted; but slides that were stained on one day may lie in both parts"
    )


def _independence(known: Known) -> Said:
    tied = known.found("identical-subjects", ("error",))
    if known.split is None:
        return _fail(tied) if tied else _unknown(NO_SPLIT)
    if found := [*known.found("cut-groups"), *known.found("foreign-split"), *tied]:
        return _fail(found)
    if known.split.unit == "image":
        return _unknown("single images were divided, and nothing says which belong together")
    if known.split.groups != "published":
        how = "inferred" if known.split.groups == "inferred" else "not known"
        return _unknown(
            f"no group is cut, but groups are {how}: images of one patient may lie in two parts"
        )
    return _pass("No subject, group or field lies in two parts of the split.")


def _sampling(known: Known) -> Said:
    run = known.run
    chosen = []
    if run is not None and run.experiment.data.leave_out:
        left = ", ".join(run.experiment.data.leave_out)
        chosen.append(f"the classes {left} are left out of the test")
    if run is not None and run.experiment.data.balance:
        number = counted(run.experiment.data.balance, "image")
        chosen.append(f"{number} of each class were drawn, whatever its share")
    if run is not None and run.experiment.expand.before_split:
        chosen.append("augmented copies are tested as if they were new images")
    if chosen:
        text = "; ".join(chosen)
        return "fail", f"{text[0].upper()}{text[1:]}.", ()
    why = "how the publishers chose patients, slides and cells is not recorded"
    if known.split is not None and known.split.kind == "lodo":
        return _unknown(f"{why}, though each data set is tested by models of the others")
    return _unknown(f"{why}, and what is tested comes from the same collection")


KINDS: dict[str, tuple[Kind, Callable[[Known], Said]]] = {
    number: (Kind(number, title, asks), answering)
    for number, title, asks, answering in (
        ("L1.1", "No test set",
         "Is what is tested apart from all that trained or chose the model?", _no_test_set),
        ("L1.2", "Preprocessing on training and test set",
         "Was anything fitted, copied or adapted with test images in sight?", _preprocessing),
        ("L1.3", "Feature selection on training and test set",
         "Were features selected on test images?", _selection),
        ("L1.4", "Duplicates", "Does one picture lie in training and in test?", _duplicates),
        ("L2", "Features that are not legitimate",
         "Can the label be told from something that is not the cell?", _illegitimate),
        ("L3.1", "Temporal leakage", "Is the past predicted from the future?", _temporal),
        ("L3.2", "Training and test samples not independent",
         "Does a patient, group or field lie in both?", _independence),
        ("L3.3", "Sampling bias in the test distribution",
         "Are other images tested than those that the claim is about?", _sampling),
    )
}  # fmt: skip
"""The kinds in their order, each with the function that answers it."""


def answer_all(known: Known) -> tuple[Answer, ...]:
    """Every kind answered, in their order."""
    return tuple(Answer(kind, *answering(known)) for kind, answering in KINDS.values())
