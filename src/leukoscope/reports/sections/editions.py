"""Runs side by side: as published and leak-free, and several models in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from ...errors import PredictionsError
from ...evaluation import METRICS
from ...evaluation.comparison import compare
from ..drawings import Drawn, editions
from ..measures import Estimate, headline_metric, one, title
from ..study import NAME_KEYS, Effort, Pair, Shown, Study
from ..words import value_words

__all__ = [
    "Compared",
    "EditionsSection",
    "GapRow",
    "PairShown",
    "RunRow",
    "SeedsRow",
    "Spread",
    "build",
]

BINARY = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
SEVERAL = ("balanced_accuracy", "accuracy", "f1_macro", "auroc")
DECIDES = ("edition", "split.kind", "expand.before_split", "training.epoch")
"""What an edition is, as the table of differences shows it."""


@dataclass(frozen=True)
class GapRow:
    """One metric in both editions."""

    metric: str
    published: Estimate | None
    leak_free: Estimate | None
    difference: float | None
    low: float | None
    high: float | None
    reason: str


@dataclass(frozen=True)
class PairShown:
    """The two editions of one experiment."""

    published: str
    leak_free: str
    edition: str
    groups: str
    rows: tuple[GapRow, ...]
    differences: tuple[tuple[str, str, str], ...]
    """Setting, as published, leak-free."""
    unexpected: tuple[str, ...]
    """Settings that differ although an edition does not change them."""
    notes: tuple[str, ...]
    figure: Drawn | None


@dataclass(frozen=True)
class Compared:
    """The difference of a run from the reference on the rows that both predict."""

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    rows: int
    reason: str


@dataclass(frozen=True)
class RunRow:
    """One run in the table of runs."""

    name: str
    model: str
    edition: str
    groups: str
    cells: tuple[Estimate | None, ...]
    compared: Compared | None
    """None for the reference itself."""
    effort: Effort


@dataclass(frozen=True)
class Spread:
    """One metric over runs that differ in nothing but their seed."""

    mean: float
    deviation: float
    """Standard deviation, of a sample."""
    low: float
    high: float


@dataclass(frozen=True)
class SeedsRow:
    """Runs of one experiment with several seeds."""

    name: str
    seeds: tuple[int, ...]
    cells: tuple[Spread | None, ...]


@dataclass(frozen=True)
class EditionsSection:
    """Pairs of editions, and all runs in one table where they are more than one pair."""

    pairs: tuple[PairShown, ...]
    columns: tuple[str, ...]
    runs: tuple[RunRow, ...]
    reference: str
    metric: str
    seeds: tuple[SeedsRow, ...]


def build(study: Study) -> EditionsSection | None:
    """Nothing for a single run, or where no comparison is wanted."""
    if not study.several or not study.comparison:
        return None
    metrics = _shown_metrics(study)
    runs: tuple[RunRow, ...] = ()
    if len(study.shown) > 2 or not study.pairs:
        runs = tuple(_row(shown, study.lead, metrics) for shown in study.shown)
    return EditionsSection(
        pairs=tuple(_pair(pair, metrics_of(study, pair)) for pair in study.pairs),
        columns=tuple(title(metric) for metric in metrics),
        runs=runs,
        reference=study.lead.name,
        metric=title(headline_metric(study.lead)),
        seeds=_seeds(study, metrics),
    )


def _shown_metrics(study: Study) -> tuple[str, ...]:
    return BINARY if study.lead.binary else SEVERAL


def metrics_of(study: Study, pair: Pair) -> tuple[str, ...]:
    """What the figure of two editions shows: the metrics that both have."""
    return tuple(name for name in _shown_metrics(study) if name in pair.gap["metrics"])


def _pair(pair: Pair, metrics: tuple[str, ...]) -> PairShown:
    cells = pair.gap["metrics"]
    rows = tuple(_gap_row(pair, metric, cells[metric]) for metric in METRICS if metric in cells)
    a, b = pair.published.settings, pair.leak_free.settings
    keys = [*DECIDES, *(key for key in pair.other_differences if key in a or key in b)]
    differences = [
        (key, value_words(a.get(key)), value_words(b.get(key)))
        for key in keys
        if a.get(key) != b.get(key)
    ]
    units = pair.published.run.split.unit, pair.leak_free.run.split.unit
    if units[0] != units[1]:
        differences.insert(1, ("what is never cut", *units))
    return PairShown(
        published=pair.published.name,
        leak_free=pair.leak_free.name,
        edition=pair.leak_free.run.edition,
        groups=pair.leak_free.grouped(int(pair.gap.get("groups") or 0)),
        rows=rows,
        differences=tuple(differences),
        unexpected=pair.other_differences,
        notes=tuple(str(note) for note in pair.gap.get("notes") or ()),
        figure=editions(pair, metrics),
    )


def _gap_row(pair: Pair, metric: str, cell: Mapping[str, Any]) -> GapRow:
    return GapRow(
        metric=title(metric),
        published=one(pair.published, "image", metric),
        leak_free=one(pair.leak_free, "image", metric),
        difference=cell.get("difference"),
        low=cell.get("low"),
        high=cell.get("high"),
        reason=str(cell.get("reason") or ""),
    )


def _row(shown: Shown, lead: Shown, metrics: tuple[str, ...]) -> RunRow:
    cells = tuple(one(shown, "image", metric) for metric in metrics)
    groups = max((cell.groups for cell in cells if cell is not None), default=0)
    return RunRow(
        name=shown.name,
        model=shown.run.experiment.model.name,
        edition=shown.run.edition,
        groups=shown.grouped(groups),
        cells=cells,
        compared=None if shown is lead else _compare(shown, lead),
        effort=shown.effort,
    )


def _seeds(study: Study, metrics: tuple[str, ...]) -> tuple[SeedsRow, ...]:
    """Runs whose settings are equal but for the seed and the name, on the same data."""
    alike: dict[str, list[Shown]] = {}
    for shown in study.shown:
        rest = {k: v for k, v in shown.settings.items() if k != "seed" and k not in NAME_KEYS}
        key = repr((sorted(rest.items()), shown.run.data.manifest_sha256))
        alike.setdefault(key, []).append(shown)
    return tuple(
        SeedsRow(
            name=f"{group[0].run.experiment.model.name}, {group[0].run.edition}",
            seeds=tuple(shown.run.experiment.seed for shown in group),
            cells=tuple(_spread([one(shown, "image", m) for shown in group]) for m in metrics),
        )
        for group in alike.values()
        if len(group) > 1
    )


def _spread(estimates: Sequence[Estimate | None]) -> Spread | None:
    values = [found.value for found in estimates if found is not None and found.value is not None]
    if len(values) < 2:
        return None
    return Spread(mean(values), stdev(values), min(values), max(values))


def _compare(shown: Shown, lead: Shown) -> Compared:
    metric = headline_metric(lead)
    try:
        outcome = compare(shown.test, lead.test, metrics=[metric])
    except PredictionsError as error:
        return Compared(None, None, None, None, 0, str(error))
    cell = outcome["metrics"].get(metric, {})
    return Compared(
        value=cell.get("difference"),
        low=cell.get("low"),
        high=cell.get("high"),
        p_value=cell.get("p_value"),
        rows=int(outcome["rows"]["common"]),
        reason=str(cell.get("reason") or ""),
    )
