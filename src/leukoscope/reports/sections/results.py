"""All results of each run, by image and by subject, with intervals and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..drawings import Drawn, result_figures
from ..measures import Estimate, estimate, estimates
from ..numbers import counted
from ..study import Shown, Study

__all__ = ["ClassResult", "Level", "ResultsSection", "RunResults", "Share", "build"]


@dataclass(frozen=True)
class Level:
    """All figures of one level (image or subject)."""

    name: str
    unit: str
    """What counts once: image, subject, or group where no subject is published."""
    note: str
    estimates: tuple[Estimate, ...]


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
    group_word: str
    interval_method: str
    levels: tuple[Level, ...]
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


def build(study: Study) -> ResultsSection:
    """Tables and figures of every run."""
    return ResultsSection(tuple(_run(shown) for shown in study.shown), several=study.several)


def _run(shown: Shown) -> RunResults:
    metrics = shown.run.metrics
    levels = [Level("image", "image", "Each image counts once.", estimates(shown, "image"))]
    if by_subject := estimates(shown, "subject"):
        levels.append(Level("subject", _unit(metrics), _subject_note(metrics), by_subject))
    return RunResults(
        name=shown.name,
        anchor=shown.anchor,
        edition=shown.run.edition,
        inferred=shown.inferred,
        group_word=shown.group_word,
        interval_method=str(metrics.get("interval") or "bootstrap over groups"),
        levels=tuple(levels),
        classes=_classes(metrics),
        unit=_unit(metrics),
        shares=_shares(metrics),
        warnings=tuple(str(warning) for warning in metrics.get("warnings") or ()),
        figures=result_figures(shown),
    )


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
