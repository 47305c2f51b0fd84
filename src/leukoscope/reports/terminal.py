"""What a terminal is told of a run: the figure, its interval, the gap, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .limits import FEW_GROUPS
from .numbers import signed
from .sections.headline import Figure, Headline, build
from .study import read_study
from .templating import RESEARCH_ONLY

__all__ = ["summary"]


def summary(runs: Sequence[Path]) -> str:
    """A few lines about one or several finished runs, without a line end at their end.

    Raises
    ------
    ReportError, RunError
        As ``write_report``.
    """
    study = read_study(runs)
    headline = build(study)
    lines = [*_gaps(headline), *(_line(headline.metric, figure) for figure in headline.figures)]
    if any(figure.few for figure in _all(headline)):
        lines.append(f"fewer than {FEW_GROUPS} groups in a class: do not trust the interval")
    if study.rendered:
        lines.append("rendered data: says nothing about patients")
    lines.append(RESEARCH_ONLY)
    return "\n".join(lines)


def _gaps(headline: Headline) -> list[str]:
    lines = []
    for gap in headline.gaps:
        lines.append(_line(gap.metric, gap.published))
        lines.append(_line(gap.metric, gap.leak_free))
        if gap.low is None or gap.high is None:
            interval = gap.reason or "no interval"
        else:
            interval = f"95 % interval {signed(gap.low)} to {signed(gap.high)}"
        only = "" if gap.only_edition else "; the runs differ in more than their edition"
        of = f"the leak of {gap.model}" if gap.model else "the leak"
        lines.append(f"{of}: {signed(gap.value)} {gap.metric} ({interval}; {gap.groups}{only})")
    return lines


def _line(metric: str, figure: Figure) -> str:
    text = (
        f"{figure.name}: {metric} {figure.estimate.printed} "
        f"(95 % interval {figure.estimate.interval}; {figure.groups})"
    )
    if figure.by_subject is not None:
        text += f"; by {figure.unit} {figure.by_subject.printed} ({figure.by_subject.interval})"
    return text


def _all(headline: Headline) -> list[Figure]:
    paired = [figure for gap in headline.gaps for figure in (gap.published, gap.leak_free)]
    return [*paired, *headline.figures]
