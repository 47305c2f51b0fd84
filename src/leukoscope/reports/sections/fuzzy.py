"""Fuzzy decisions that lie in a run's folder: who wins, both rules' counts, the system drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...records.predictions import read_predictions
from ...records.verdicts import (
    Difference,
    Rule,
    Verdicts,
    find_verdicts,
    of_these_predictions,
    read_curves,
    read_verdicts,
)
from ..drawings import Drawn, fuzzy_figures
from ..measures import Estimate, estimate
from ..numbers import MINUS, counted, listed, sentence
from ..study import Shown, Study

__all__ = ["ByLabel", "Decided", "FuzzySection", "RuleRow", "WrongAnswer", "build", "decided"]

ANSWERS_SHOWN = 8
VERDICTS = ("normal", "refer", "blast")


@dataclass(frozen=True)
class RuleRow:
    """What one rule of referral did."""

    name: str
    answered: int
    referred: int
    errors: int
    missed: int
    rate: Estimate


@dataclass(frozen=True)
class ByLabel:
    """Verdicts on the cells of one label: the fuzzy system's, and the plain band's."""

    label: str
    cells: int
    fuzzy: tuple[int, ...]
    plain: tuple[int, ...]


@dataclass(frozen=True)
class WrongAnswer:
    """A cell that the fuzzy system answered, and wrongly."""

    row: str
    label: str
    verdict: str
    calibrated: float
    reason: str


@dataclass(frozen=True)
class Decided:
    """One fuzzy decision of one run."""

    run: str
    edition: str
    heading: str
    """The system, and the run where there are several."""
    words: str
    """What the system looks at, and where it comes from."""
    summary: str
    stale: str
    """Said where the verdicts were made from other predictions; then nothing else is shown."""
    rules: tuple[RuleRow, ...]
    difference: Estimate
    labels: tuple[ByLabel, ...]
    positive: str
    wrong: tuple[WrongAnswer, ...]
    more: int
    """Wrong answers that are not listed."""
    flags: str
    notes: tuple[str, ...]
    figures: tuple[Drawn, ...]


@dataclass(frozen=True)
class FuzzySection:
    """All fuzzy decisions of all runs."""

    decided: tuple[Decided, ...]
    several: bool
    """Whether there is more than one."""


def build(study: Study) -> FuzzySection | None:
    """Nothing where no run has one."""
    found = tuple(
        decided(shown, folder, number, several=study.several)
        for shown in study.shown
        for number, folder in enumerate(find_verdicts(shown.run.folder))
    )
    return FuzzySection(found, several=len(found) > 1) if found else None


def decided(shown: Shown, folder: Path, number: int = 0, *, several: bool = False) -> Decided:
    """What a folder of verdicts holds, ready to be printed."""
    verdicts = read_verdicts(folder)
    heading = f"System {verdicts.system}"
    if several:
        heading = f"{shown.name}: system {verdicts.system}"
    stale = ""
    if not of_these_predictions(verdicts, shown.run.folder):
        stale = (
            f"The verdicts in {folder.name} were made from other predictions than the run has "
            f"now, and are not shown. Remove the folder and run leukoscope evaluate "
            f"--fuzzy again."
        )
    wrong = () if stale else _wrong(folder, verdicts)
    curves = None if stale else read_curves(folder)
    return Decided(
        run=shown.name,
        edition=verdicts.edition,
        heading=heading,
        words=_words(verdicts),
        # A minus as everywhere else on the page.
        summary=sentence(re.sub(r"(?<!\w)-(?=\d)", MINUS, verdicts.summary)),
        stale=stale,
        rules=(
            _rule("Fuzzy system", verdicts.comparison.a),
            _rule("Plain band", verdicts.comparison.b),
        ),
        difference=_estimate(verdicts.comparison.difference),
        labels=_labels(verdicts),
        positive=verdicts.positive,
        wrong=wrong[:ANSWERS_SHOWN],
        more=max(0, len(wrong) - ANSWERS_SHOWN),
        flags=_flags(verdicts),
        notes=verdicts.notes,
        figures=fuzzy_figures(curves, f"{shown.anchor}-{number}") if curves else (),
    )


def _words(verdicts: Verdicts) -> str:
    told = f"System {verdicts.system}"
    if verdicts.inputs:
        told += f" looks at {listed(verdicts.inputs)}"
    # The source begins with a paper's id, which has no capital.
    return f"{told}. Source: {verdicts.source.rstrip('.')}." if verdicts.source else f"{told}."


def _estimate(value: Difference) -> Estimate:
    return estimate("error_rate", value.model_dump())


def _rule(name: str, rule: Rule) -> RuleRow:
    rate = _estimate(rule.rate)
    return RuleRow(name, rule.answered, rule.referred, rule.errors, rule.missed, rate)


def _labels(verdicts: Verdicts) -> tuple[ByLabel, ...]:
    rows = []
    for label, counts in verdicts.by_label.items():
        plain = verdicts.plain_by_label.get(label, {})
        rows.append(
            ByLabel(
                label=label,
                cells=sum(counts.values()),
                fuzzy=tuple(counts.get(name, 0) for name in VERDICTS),
                plain=tuple(plain.get(name, 0) for name in VERDICTS),
            )
        )
    return tuple(rows)


def _wrong(folder: Path, verdicts: Verdicts) -> tuple[WrongAnswer, ...]:
    """The surest wrong answers first: those whose probability agrees with them most."""
    table = read_predictions(folder / "predictions.csv", verdicts.positive or None).table
    called = table["verdict"] == "blast"
    is_blast = table["label"] == verdicts.positive
    wrong = table[(table["verdict"] != "refer") & (called != is_blast)]
    p = wrong["calibrated"].astype(float)
    sure = p.where(wrong["verdict"] == "blast", 1 - p).sort_values(ascending=False, kind="stable")
    return tuple(
        WrongAnswer(
            row=str(row["row"]),
            label=str(row["label"]),
            verdict=str(row["verdict"]),
            calibrated=float(row["calibrated"]),
            reason=str(row["reason"]),
        )
        for _, row in wrong.loc[sure.index].iterrows()
    )


def _flags(verdicts: Verdicts) -> str:
    cells, flags = verdicts.measured.get("cells"), verdicts.measured.get("flags")
    if not isinstance(cells, int):
        return ""
    told = f"{counted(cells, 'cell')} measured, those that the systems were fitted on among them"
    if isinstance(flags, dict) and flags:
        told += "; flagged: " + ", ".join(f"{name} {count:,}" for name, count in flags.items())
    return told + "."
