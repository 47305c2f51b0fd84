"""All results of each run, by image and by subject, with intervals and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...evaluation import METRICS
from ..drawings import Drawn, result_figures
from ..measures import FAMILIES, OTHERS, Estimate, estimate, estimates, family, title
from ..numbers import counted
from ..study import Shown, Study

__all__ = ["ClassResult", "ResultsSection", "Row", "RunResults", "Share", "build"]


@dataclass(frozen=True)
class Row:
    """One metric, by image and by subject."""

    metric: str
    title: str
    image: Estimate | None
    subject: Estimate | None


@dataclass(frozen=True)
class ClassResult:
    """One class against the others."""

    name: str
    support: int
    groups: int
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Share:
    """How much of each subject's images is right, over the subjects of one class."""

    name: str
    subjects: int
    mean: float | None
    worst: float | None
    worst_subject: str


@dataclass(frozen=True)
class RunResults:
    """One run's results."""

    name: str
    anchor: str
    edition: str
    inferred: bool
    interval_method: str
    families: tuple[tuple[str, tuple[Row, ...]], ...]
    """Rows of the table of results, in named parts."""
    by_subject: bool
    """Whether there is a result by subject (or group) at all."""
    subject_note: str
    classes: tuple[ClassResult, ...]
    unit: str
    shares: tuple[Share, ...]
    warnings: tuple[str, ...]
    figures: tuple[Drawn, ...]


@dataclass(frozen=True)
class ResultsSection:
    """Results of all runs."""

    runs: tuple[RunResults, ...]
    several: bool
    glossary: tuple[tuple[str, str], ...]
    """Each metric and one sentence that says what it is."""


def build(study: Study) -> ResultsSection:
    """Tables and figures of every run."""
    return ResultsSection(
        tuple(_run(shown) for shown in study.shown),
        several=study.several,
        glossary=_glossary(study),
    )


def _run(shown: Shown) -> RunResults:
    metrics = shown.run.metrics
    return RunResults(
        name=shown.name,
        anchor=shown.anchor,
        edition=shown.run.edition,
        inferred=shown.inferred,
        interval_method=str(metrics.get("interval") or "bootstrap over groups"),
        families=_families(shown),
        by_subject=bool(estimates(shown, "subject")),
        subject_note=_subject_note(metrics),
        classes=_classes(metrics),
        unit=_unit(metrics),
        shares=_shares(metrics),
        warnings=tuple(str(warning) for warning in metrics.get("warnings") or ()),
        figures=result_figures(shown),
    )


def _families(shown: Shown) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    image = {found.metric: found for found in estimates(shown, "image")}
    subject = {found.metric: found for found in estimates(shown, "subject")}
    parts: dict[str, list[Row]] = {name: [] for name in (*FAMILIES, OTHERS)}
    for metric in dict.fromkeys((*image, *subject)):
        row = Row(metric, title(metric), image.get(metric), subject.get(metric))
        parts[family(metric)].append(row)
    return tuple((name, tuple(rows)) for name, rows in parts.items() if rows)


def _glossary(study: Study) -> tuple[tuple[str, str], ...]:
    """Title and meaning of every registered metric that is shown."""
    used = {found.metric for shown in study.shown for found in estimates(shown, "image")}
    return tuple((m.title, m.short) for name, m in METRICS.items() if name in used)


def _unit(metrics: Mapping[str, Any]) -> str:
    return str((metrics.get("subjects") or {}).get("unit") or "subject")


def _shares(metrics: Mapping[str, Any]) -> tuple[Share, ...]:
    found = (metrics.get("subjects") or {}).get("share_right") or {}
    return tuple(
        Share(
            name=str(name),
            subjects=int(cell.get("subjects") or 0),
            mean=cell.get("mean"),
            worst=cell.get("worst"),
            worst_subject=str(cell.get("worst_subject") or "—"),
        )
        for name, cell in found.items()
    )


def _subject_note(metrics: Mapping[str, Any]) -> str:
    subjects = metrics.get("subjects") or {}
    unit = _unit(metrics)
    note = f"Each {unit} counts once, with the mean probability of its images."
    if subjects.get("several_labels"):
        left = counted(int(subjects["several_labels"]), unit)
        note += f" {left} with images of several classes left out."
    if subjects.get("cut"):
        note += f" {counted(int(subjects['cut']), unit)} tested in more than one fold."
    return note


def _classes(metrics: Mapping[str, Any]) -> tuple[ClassResult, ...]:
    """One row a class; only with more than two, as two say the same thing twice."""
    classes = metrics.get("classes") or {}
    if len(classes) < 3:
        return ()
    return tuple(
        ClassResult(
            name=str(name),
            support=int(cells.get("support") or 0),
            groups=int(cells.get("groups") or 0),
            estimates=tuple(
                estimate(metric, cell)
                for metric, cell in cells.items()
                if isinstance(cell, Mapping)
            ),
        )
        for name, cells in classes.items()
    )
