"""Everything that a check says: findings, what was checked, the kinds of leakage, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..counting import counted
from ..records.findings import Checked, Finding
from ..records.run import Run
from .coverage import NO_IMAGE, NOT_GIVEN, record_gaps
from .leakage import Answer, Known, answer_all

__all__ = ["Examination", "Grade", "examine_records", "examined", "verdict_on"]

Grade = Literal["mend", "care", "sound", "unseen"]
MOST_NAMED = 2


@dataclass(frozen=True)
class Examination:
    """The outcome of all checks."""

    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...]
    leakage: tuple[Answer, ...]
    grade: Grade
    """``mend``: errors; ``care``: warnings; ``unseen``: nothing, but no image was at hand;
    ``sound``: nothing but notes."""
    verdict: str
    """One sentence that a person can act on."""

    @property
    def missed(self) -> int:
        """How many checks could not be made, but for those that need a split or a run."""
        return missed(self.checked)

    def to_json(self) -> dict[str, Any]:
        """As ``check.json`` and ``--json`` hold it."""
        return {
            "verdict": {"grade": self.grade, "sentence": self.verdict},
            "counts": {
                word: sum(f.severity == word for f in self.findings)
                for word in ("error", "warning", "note")
            },
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
            "checked": [one.model_dump(mode="json") for one in self.checked],
            "leakage": [
                {
                    "kind": answer.kind.number,
                    "title": answer.kind.title,
                    "verdict": answer.verdict,
                    "reason": answer.reason,
                    "findings": list(answer.findings),
                }
                for answer in self.leakage
            ],
        }


def examined(
    findings: Sequence[Finding],
    checked: Sequence[Checked],
    titles: dict[str, str],
    known: Known,
) -> Examination:
    """The examination of findings that are in order, the gravest first."""
    what = "run" if known.run else "split" if known.split else "data"
    declared = known.split is not None and known.split.edition == "as-published"
    grade, sentence = verdict_on(findings, checked, titles, what, declared=declared)
    return Examination(tuple(findings), tuple(checked), answer_all(known), grade, sentence)


def examine_records(run: Run, findings: Sequence[Finding]) -> tuple[Answer, ...]:
    """The eight kinds of leakage from a finished run alone, without its data at hand.

    Parameters
    ----------
    run
        What the checks before its training said is taken as it was kept.
    findings
        What its records tell (``check_records``).
    """
    gaps = record_gaps(run)
    made = [
        Checked(check=name, state="not checked" if reason else "clean", reason=reason)
        for name, reason in gaps.items()
    ]
    before = [one for one in run.checked if one.check not in gaps]
    return answer_all(Known.of([*findings, *run.findings], [*before, *made], run.split, run))


def verdict_on(
    findings: Sequence[Finding],
    checked: Sequence[Checked],
    titles: dict[str, str],
    what: str,
    *,
    declared: bool = False,
) -> tuple[Grade, str]:
    """A grade and one sentence that says what to do.

    Parameters
    ----------
    findings
        The gravest first.
    checked
        What became of each check.
    titles
        Check → what it looks for.
    what
        ``data``, ``split`` or ``run``: what the sentence is about.
    declared
        Whether it is of the edition ``as-published``, so that its leaks are meant.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    thing = {"data": "this data", "split": "this split", "run": "this run"}[what]
    if errors:
        act = {
            "data": f"Do not train on {thing} yet",
            "split": f"Do not use {thing}",
            "run": f"Do not publish a figure of {thing}",
        }[what]
        return "mend", (
            f"{act}: first mend {counted(len(errors), 'error')}, beginning with "
            f"{_named(errors, titles)}."
        )
    blind = any(one.reason == NO_IMAGE for one in checked)
    # That no image is at hand is said in its own words.
    warnings = [w for w in warnings if not (blind and w.check == "unreadable-images")]
    if warnings and declared:
        return "care", (
            f"Print no figure of {thing} without that of a leak-free one beside it: as published, "
            f"{counted(len(warnings), 'warning')} must stand there too, about "
            f"{_named(warnings, titles)}."
        )
    if warnings:
        return "care", (
            f"Use {thing} with care: "
            + ("no image was at hand, and " if blind else "")
            + f"{counted(len(warnings), 'warning')} must stand beside every figure made from it, "
            f"about {_named(warnings, titles)}."
        )
    if blind:
        return "unseen", (
            f"No image of {thing} was at hand: bring them and check again, because names and "
            "hashes alone are clean."
        )
    follow = {
        "data": "divide it by whole groups (leukoscope split)",
        "split": "train with it (leukoscope train --split)",
        "run": "report it with its intervals (leukoscope report)",
    }[what]
    left = missed(checked)
    rest = f"; {counted(left, 'check')} could not be made" if left else ""
    return "sound", f"No error and no warning in what was checked of {thing}: {follow}{rest}."


def missed(checked: Sequence[Checked]) -> int:
    """How many checks could not be made; a split or a run that nobody gave is not missed."""
    return sum(one.state == "not checked" and one.reason not in NOT_GIVEN for one in checked)


def _named(findings: Sequence[Finding], titles: dict[str, str]) -> str:
    """What the gravest findings are about, in a few words each."""
    names = list(dict.fromkeys(titles.get(f.check, f.check) for f in findings))
    words = [f"“{name}”" for name in names[:MOST_NAMED]]
    more = len(names) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")
