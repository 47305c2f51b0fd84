"""Two runs beside each other: the difference, its interval and its p-value, over groups.

Both are measured under the same resamples of the union of their groups, so that whatever a hard
subject does to both cancels out. ``compare`` looks at the rows that both predicted (paired);
``gap`` at all rows of each, for two editions that were tested on different rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..counting import counted
from ..datasets.card import RENDERED_DATA
from ..errors import PredictionsError, suggestion
from .cautions import few_groups, standing_alone
from .intervals import interval, p_value, spread
from .measurement import Measured, chosen_metrics
from .resampling import resample
from .sample import Bools, Integers, Sample, image_sample, numbered
from .subjects import by_subject
from .weighted import Metric

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["SCHEMA", "compare", "describe", "gap"]

SCHEMA = 1
SHOWN = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "mcc", "brier")
Level = Literal["image", "subject"]


def compare(
    a: Predictions,
    b: Predictions,
    *,
    metrics: Sequence[str] | None = None,
    level: Level = "image",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """The paired difference a − b on the rows that both predicted.

    Parameters
    ----------
    a, b:
        Rows of one part each, of the same classes.
    metrics:
        Names of ``METRICS``; without them all that apply.
    level:
        ``image`` or ``subject``.
    resamples, seed:
        Of the bootstrap over groups.

    Raises
    ------
    PredictionsError
        When the classes differ, no row is common, a common row has two labels, or a metric is
        unknown.
    """
    b = _alike(a, b)
    rows_a, rows_b = set(a.table["row"]), set(b.table["row"])
    common = rows_a & rows_b
    if not common:
        raise PredictionsError(
            f"compare: the two runs have no common rows ({len(rows_a)} and {len(rows_b)}): they "
            "were tested on different images. Train both on the same split file, or show the gap "
            "between two editions instead."
        )
    first, second = _only(a, common), _only(b, common)
    _same_labels(first, second)
    outcome = _difference(first, second, metrics, level, resamples, seed)
    counts = {
        "common": len(common),
        "only_a": len(rows_a - common),
        "only_b": len(rows_b - common),
    }
    differ = _splits_differ(first.table, second.table)
    notes = []
    if counts["only_a"] or counts["only_b"]:
        notes.append(
            f"Compared on {counted(counts['common'], 'common row')}; left out: "
            f"{counted(counts['only_a'], 'row')} only of the first and {counts['only_b']} only of "
            "the second run."
        )
    if differ:
        notes.append(
            "The splits differ: the common rows were tested in different folds, so the models "
            "also differ in what they were trained on."
        )
    return _outcome("paired", outcome, counts, differ, [*notes, *_alone(first, second)])


def gap(
    published: Predictions,
    leak_free: Predictions,
    *,
    metrics: Sequence[str] | None = None,
    level: Level = "image",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """The difference between two editions, as published − leak-free, each on all its rows.

    Groups that both tested are resampled together, the others by themselves. Parameters and
    errors as in ``compare``; rows need not be common.
    """
    leak_free = _alike(published, leak_free)
    rows_a, rows_b = set(published.table["row"]), set(leak_free.table["row"])
    common = rows_a & rows_b
    _same_labels(_only(published, common), _only(leak_free, common))
    outcome = _difference(published, leak_free, metrics, level, resamples, seed)
    counts = {
        "common": len(common),
        "only_a": len(rows_a - common),
        "only_b": len(rows_b - common),
    }
    differ = _splits_differ(_only(published, common).table, _only(leak_free, common).table)
    return _outcome("unpaired", outcome, counts, differ, _alone(published, leak_free))


def describe(outcome: dict[str, Any], names: tuple[str, str] = ("A", "B")) -> str:
    """The outcome as lines of text for a terminal."""
    first, second = names
    lines = [
        f"{first} − {second} on {counted(outcome['n'], 'image')} "
        f"of {counted(outcome['groups'], 'group')}"
    ]
    found = outcome["metrics"]
    for name in [name for name in SHOWN if name in found] or list(found):
        entry = found[name]
        if entry["difference"] is None:
            lines.append(f"  {name:<18} not compared: {entry['reason']}")
            continue
        text = f"  {name:<18} {entry['a']:.3f} − {entry['b']:.3f} = {entry['difference']:+.3f}"
        if entry["low"] is None:
            lines.append(f"{text} (no interval: {entry['reason']})")
        else:
            ends = f"[{entry['low']:+.3f}, {entry['high']:+.3f}]"
            lines.append(f"{text} {ends}  {_p(entry['p_value'])}")
    lines += [f"note: {note}" for note in outcome["notes"]]
    if outcome.get("rendered"):
        lines.append(RENDERED_DATA)
    return "\n".join([*lines, "research use only"])


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


@dataclass(frozen=True)
class _Outcome:
    n: int
    groups: int
    groups_by_class: dict[str, int]
    """Of the run that has fewer of a class."""
    metrics: dict[str, Any]


def _outcome(
    kind: str, outcome: _Outcome, rows: dict[str, int], differ: bool, notes: list[str]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "n": outcome.n,
        "groups": outcome.groups,
        "rows": rows,
        "splits_differ": differ,
        "notes": [*notes, *few_groups(outcome.groups_by_class)],
        "metrics": outcome.metrics,
    }


def _difference(
    a: Predictions,
    b: Predictions,
    metrics: Sequence[str] | None,
    level: Level,
    resamples: int,
    seed: int,
) -> _Outcome:
    samples = [_sample(predictions, level) for predictions in _joined(a, b)]
    both, names = numbered([*samples[0].groups, *samples[1].groups])
    columns = (both[: len(samples[0].groups)], both[len(samples[0].groups) :])
    stratum = _strata(samples, columns, len(names))
    drawn = resample(stratum, resamples, seed)
    pair = [Measured(one, drawn, place) for one, place in zip(samples, columns, strict=True)]
    items = {name for one in _joined(a, b) for name in one.table["row"]}
    entries = {metric.name: _entry(metric, *pair) for metric in _chosen(metrics, samples[0])}
    by_class = [one.groups_by_class() for one in samples]
    fewest = {name: min(counts[name] for counts in by_class) for name in a.classes}
    return _Outcome(len(items), len(names), fewest, entries)


def _entry(metric: Metric, a: Measured, b: Measured) -> dict[str, Any]:
    """One metric of both, and its difference."""
    values = (a.values(metric), b.values(metric))
    entry: dict[str, Any] = {}
    for name, measured, series in zip("ab", (a, b), values, strict=True):
        _, groups = measured.standing(metric.of)
        ends = None
        if np.isfinite(series[0]):
            fewest = measured.fewest_of(metric.of, groups)
            ends, _ = measured.interval_of(series, metric.bounds, fewest)
        entry[name] = float(series[0]) if np.isfinite(series[0]) else None
        entry[f"{name}_low"], entry[f"{name}_high"] = ends or (None, None)
    n, groups = a.standing(metric.of)
    other_n, other_groups = b.standing(metric.of)
    entry |= {"groups": max(groups, other_groups), "n": max(n, other_n)}
    entry |= {"difference": None, "low": None, "high": None, "p_value": None}
    if entry["a"] is None or entry["b"] is None:
        return {**entry, "reason": a.why_undefined(metric)}
    difference = values[0] - values[1]
    draws = a.resamples.draws
    either = replace(a.groups, size=np.maximum(a.groups.size, b.groups.size))
    entry["difference"] = float(difference[0])
    resampled = (difference[1 : draws + 1], difference[draws + 1 :])
    ends, reason = interval(float(difference[0]), *resampled, either)
    if ends is None:
        same = not np.any(difference)
        return {**entry, "reason": "the two are equal in every group" if same else reason}
    # A difference has no scale of its own, so the plain interval may leave what is possible.
    width = metric.bounds[1] - metric.bounds[0]
    entry["low"], entry["high"] = max(ends[0], -width), min(ends[1], width)
    found = spread(float(difference[0]), *resampled, either)
    if found is not None:
        entry["p_value"] = p_value(float(difference[0]), found)
    return entry


def _chosen(names: Sequence[str] | None, sample: Sample) -> Iterable[Metric]:
    from . import METRICS

    fitting = {metric.name: metric for metric in chosen_metrics(METRICS, sample)}
    for name in names if names is not None else fitting:
        if name not in fitting:
            raise PredictionsError(
                f"compare: no metric '{name}' for this task. {suggestion(name, fitting)}"
            )
        yield fitting[name]


def _sample(predictions: Predictions, level: Level) -> Sample:
    if level == "image":
        return image_sample(predictions)
    sample = by_subject(predictions).sample
    if sample is None:
        raise PredictionsError(
            "compare: neither subjects nor groups are known, so nothing can be compared by "
            "subject. Compare by image."
        )
    return sample


def _strata(samples: Sequence[Sample], columns: Sequence[Integers], groups: int) -> Integers:
    """Stratum of each group of the union: its classes and which of the runs tested it."""
    classes = len(samples[0].classes)
    present: Bools = np.zeros((groups, classes + 2), dtype=bool)
    for number, (sample, place) in enumerate(zip(samples, columns, strict=True)):
        present[place, :classes] |= sample.present
        present[place, classes + number] = True
    mixed = present[:, :classes].sum(axis=1) > 1
    present[mixed, :classes] = True
    _, stratum = np.unique(present, axis=0, return_inverse=True)
    return np.asarray(stratum.ravel(), dtype=np.int64)


def _joined(a: Predictions, b: Predictions) -> tuple[Predictions, Predictions]:
    """Both with groups of the same names: those that share a name or a row are one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    tables = (a.table, b.table)
    links = pd.concat([table[["row", "group"]] for table in tables]).drop_duplicates()
    row, rows = numbered(links["row"].tolist())
    group, names = numbered(links["group"].tolist())
    size = len(rows) + len(names)
    graph = coo_matrix((np.ones(len(row)), (row, group + len(rows))), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    leader = {name: f"{component[len(rows) + n]:09d}" for n, name in enumerate(names)}
    joined = [table.assign(group=table["group"].map(leader)) for table in tables]
    return replace(a, table=joined[0]), replace(b, table=joined[1])


def _alike(a: Predictions, b: Predictions) -> Predictions:
    """``b`` with the classes in the order of ``a``."""
    if set(a.classes) != set(b.classes) or a.positive != b.positive:
        raise PredictionsError(
            f"compare: the runs answer different questions: classes {', '.join(a.classes)} "
            f"(positive {a.positive}) and {', '.join(b.classes)} (positive {b.positive})."
        )
    return replace(b, classes=a.classes)


def _only(predictions: Predictions, rows: set[str]) -> Predictions:
    kept = predictions.table[predictions.table["row"].isin(rows)].reset_index(drop=True)
    return replace(predictions, table=kept)


def _same_labels(a: Predictions, b: Predictions) -> None:
    first = dict(zip(a.table["row"], a.table["label"], strict=True))
    for row, label in zip(b.table["row"], b.table["label"], strict=True):
        if first[row] != label:
            raise PredictionsError(
                f"compare: row {row!r} is {first[row]!r} in the first run and {label!r} in the "
                "second. Both must come from the same labels."
            )


def _splits_differ(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether common rows that one run tested together were tested apart by the other."""

    def places(table: pd.DataFrame) -> dict[str, str]:
        place = table["repeat"].astype(str) + "/" + table["fold"].astype(str)
        return {
            str(row): " ".join(sorted(found)) for row, found in place.groupby(table["row"].array)
        }

    first, second = places(a), places(b)
    pairs = {(first[row], second[row]) for row in first}
    return not len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs})


def _alone(a: Predictions, b: Predictions) -> list[str]:
    """What to say of rows without subject and group in either run, once."""
    return list(dict.fromkeys(filter(None, map(standing_alone, (a, b)))))
