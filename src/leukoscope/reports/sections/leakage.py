"""The eight kinds of leakage, answered for each run from its records."""

from __future__ import annotations

from dataclasses import dataclass

from ...checks import check_records, examine_records
from ...checks.leakage import Answer
from ..study import Study

__all__ = ["LeakageSection", "build"]


@dataclass(frozen=True)
class LeakageSection:
    """One column for all runs with the same answers: their names, and the answers."""

    columns: tuple[tuple[str, tuple[Answer, ...]], ...]


def build(study: Study) -> LeakageSection:
    """Every kind answered for every run."""
    found: dict[tuple[Answer, ...], list[str]] = {}
    for shown in study.shown:
        answers = examine_records(shown.run, check_records(shown.run))
        found.setdefault(answers, []).append(shown.name)
    return LeakageSection(tuple(("; ".join(names), answers) for answers, names in found.items()))
