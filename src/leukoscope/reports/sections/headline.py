"""What was asked, and the figure that answers, with its interval and its groups."""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import FEW_GROUPS
from ..measures import Estimate, estimate, headline_metric, one, title
from ..numbers import counted, listed
from ..study import Pair, Shown, Study

__all__ = ["Figure", "Gap", "Headline", "build"]


BESIDE_BINARY = ("sensitivity", "specificity", "balanced_accuracy")
BESIDE_SEVERAL = ("accuracy", "f1_macro", "auroc")


@dataclass(frozen=True)
class Figure:
    """One run's figure."""

    name: str
    edition: str
    inferred: bool
    estimate: Estimate
    groups: str
    by_subject: Estimate | None
    unit: str
    """What ``by_subject`` counts: subjects, or groups where no subject is published."""
    few: bool
    """Whether a class has too few groups for its interval to be trusted."""


@dataclass(frozen=True)
class Gap:
    """As-published minus leak-free."""

    metric: str
    model: str
    """Which model, where there are several pairs; else empty."""
    value: float | None
    low: float | None
    high: float | None
    groups: str
    reason: str
    published: Figure
    leak_free: Figure
    only_edition: bool
    rows: str
    """Said where the editions were tested on different images."""


@dataclass(frozen=True)
class Headline:
    """The first thing that is read."""

    question: str
    answer: str
    gaps: tuple[Gap, ...]
    figures: tuple[Figure, ...]
    """The figures that stand alone: runs that are in no pair."""
    beside: tuple[tuple[Estimate, str], ...]
    """Further figures of a single run, each with its groups in words."""
    metric: str


def build(study: Study) -> Headline:
    """Question, gap where both editions were run, and a figure for each run."""
    metric = headline_metric(study.lead)
    several = len(study.pairs) > 1
    gaps = tuple(_gap(pair, metric, several) for pair in study.pairs)
    paired = {id(s) for pair in study.pairs for s in (pair.published, pair.leak_free)}
    figures = tuple(_figure(shown, metric) for shown in study.shown if id(shown) not in paired)
    return Headline(
        question=_question(study),
        answer=_answer(gaps, figures, metric),
        gaps=gaps,
        figures=figures,
        beside=() if study.several else _beside(study.lead, metric),
        metric=title(metric),
    )


def _question(study: Study) -> str:
    run = study.lead.run
    positive = run.predictions.positive
    classes = sorted(run.predictions.classes, key=lambda name: name != positive)
    told = f"{classes[0]} from {classes[1]}" if len(classes) == 2 else f"{listed(classes)} apart"
    models = sorted({shown.run.experiment.model.name for shown in study.shown})
    names = {shown.data_name for shown in study.shown}
    groups = {
        "published": "groups of images",
        "inferred": "inferred groups of images",
        "none": "images",
    }[run.split.groups]
    return (
        f"How well can {listed(models, 'or')} tell {told} on {listed(sorted(names))}, "
        f"in {groups} that were not trained on?"
    )


def _beside(shown: Shown, metric: str) -> tuple[tuple[Estimate, str], ...]:
    wanted = BESIDE_BINARY if shown.binary else BESIDE_SEVERAL
    found = [one(shown, "image", name) for name in wanted if name != metric]
    cells = [cell for cell in found if cell is not None and cell.value is not None]
    return tuple((cell, shown.grouped(cell.groups)) for cell in cells)


def _figure(shown: Shown, metric: str) -> Figure:
    found = one(shown, "image", metric) or estimate(metric, {})
    by_subject = one(shown, "subject", metric)
    unit = (shown.run.metrics.get("subjects") or {}).get("unit") or "subject"
    table = shown.test.table
    smallest = min(
        int(table.loc[table["label"] == name, "group"].nunique())
        for name in shown.run.predictions.classes
    )
    return Figure(
        name=shown.name,
        edition=shown.run.edition,
        inferred=shown.inferred,
        estimate=found,
        groups=shown.grouped(found.groups),
        by_subject=by_subject if by_subject is not None and by_subject.value is not None else None,
        unit=str(unit),
        few=smallest < FEW_GROUPS,
    )


def _gap(pair: Pair, metric: str, several: bool) -> Gap:
    cell = pair.gap["metrics"].get(metric, {})
    return Gap(
        metric=title(metric),
        model=pair.leak_free.run.experiment.model.name if several else "",
        value=cell.get("difference"),
        low=cell.get("low"),
        high=cell.get("high"),
        groups=pair.leak_free.grouped(int(cell.get("groups") or 0)),
        reason=str(cell.get("reason") or ""),
        published=_figure(pair.published, metric),
        leak_free=_figure(pair.leak_free, metric),
        only_edition=not pair.other_differences,
        rows=_rows(pair),
    )


def _rows(pair: Pair) -> str:
    rows = pair.gap["rows"]
    if not rows["only_a"] and not rows["only_b"]:
        return ""
    both = counted(rows["common"], "image")
    return f"tested on different images, {both} in common"


def _answer(gaps: tuple[Gap, ...], figures: tuple[Figure, ...], metric: str) -> str:
    """One sentence that can be quoted, with nothing in it that the table below has not."""
    if gaps and gaps[0].value is not None:
        value = gaps[0].value
        direction = "higher" if value >= 0 else "lower"
        text = f"As published, {gaps[0].metric} reads {abs(value):.3f} {direction} than leak-free"
        low, high = gaps[0].low, gaps[0].high
        if low is not None and high is not None and low <= 0 <= high:
            return f"{text}; the interval includes no difference."
        return f"{text}."
    if len(figures) == 1 and figures[0].estimate.value is not None:
        figure = figures[0]
        return f"{title(metric)} {figure.estimate.printed} on {figure.groups}, {figure.edition}."
    return ""
