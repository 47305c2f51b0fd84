"""All metrics of some predictions with their intervals: the content of ``metrics.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .cautions import warnings_of
from .counts import class_measure
from .intervals import INTERVAL, Ends, Groups, interval
from .probabilities import expected_ece
from .resampling import Resamples, resample, strata
from .sample import Floats, Integers, Sample, image_sample
from .subjects import BySubject, by_subject
from .weighted import Metric, Source, Weighted

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["SCHEMA", "Estimate", "Measured", "evaluate"]

SCHEMA = 1
BLOCK_CELLS = 1 << 22
"""About how many weights are worked on at a time, so that memory is bounded."""
Level = Literal["image", "subject", "both"]


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval, and what both stand on."""

    value: float | None
    low: float | None
    high: float | None
    groups: int
    n: int
    reason: str = ""

    def entry(self) -> dict[str, Any]:
        """As it stands in ``metrics.json``."""
        entry: dict[str, Any] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "groups": self.groups,
            "n": self.n,
        }
        return {**entry, "reason": self.reason} if self.reason else entry


class Measured:
    """A sample with its resamples drawn: measures any metric, each from the same resamples."""

    def __init__(
        self, sample: Sample, resamples: Resamples, columns: Integers | None = None
    ) -> None:
        """``columns`` are the places of the sample's groups among the resampled ones."""
        self.sample = sample
        self.source = Source(sample)
        self.resamples = resamples
        self.columns = np.arange(len(sample.groups)) if columns is None else columns

    @classmethod
    def alone(cls, sample: Sample, draws: int, seed: int) -> Measured:
        """A sample with resamples of its own groups."""
        return cls(sample, resample(strata(sample.present), draws, seed))

    @cached_property
    def groups(self) -> Groups:
        """What an interval must know of the resampled groups."""
        size = np.zeros(len(self.resamples.stratum))
        size[self.columns] = np.bincount(self.sample.group, minlength=len(self.columns))
        return Groups(self.resamples.stratum, size, self.resamples.left_out)

    @cached_property
    def fewest(self) -> int:
        """Groups of the class that has the fewest."""
        counts = self.sample.present.sum(axis=0)
        return int(counts[counts > 0].min())

    @cached_property
    def blocks(self) -> tuple[Weighted, ...]:
        """The weighted sample, a block of weightings at a time."""
        weights = self.resamples.weights
        if len(self.columns) < weights.shape[1]:
            weights = weights[:, self.columns]
        step = max(32, BLOCK_CELLS // max(1, len(self.columns)))
        starts = range(0, len(weights), step)
        return tuple(Weighted(self.source, weights[i : i + step]) for i in starts)

    def values(self, metric: Metric) -> Floats:
        """The metric under every weighting."""
        return np.concatenate([metric.compute(block) for block in self.blocks])

    def estimate(self, metric: Metric) -> Estimate:
        """The metric with its interval."""
        n, groups = self.standing(metric.of)
        values = self.values(metric)
        if not np.isfinite(values[0]):
            return Estimate(None, None, None, groups, n, self.why_undefined(metric))
        ends, reason = self.interval_of(values, metric.bounds, self.fewest_of(metric.of, groups))
        low, high = ends if ends is not None else (None, None)
        return Estimate(float(values[0]), low, high, groups, n, reason)

    def interval_of(self, values: Floats, bounds: Ends, fewest: int) -> tuple[Ends | None, str]:
        """The interval of a value from its weightings, or the reason why there is none."""
        draws = values[1 : self.resamples.draws + 1]
        left_out = values[self.resamples.draws + 1 :]
        return interval(float(values[0]), draws, left_out, self.groups, bounds, fewest)

    def fewest_of(self, of: str, groups: int) -> int:
        """How many groups a share stands on, the class with the fewest counting."""
        return self.fewest if of == "all" else groups

    def standing(self, of: str) -> tuple[int, int]:
        """Items and groups that a metric stands on."""
        sample = self.sample
        chosen = None
        if of == "positive":
            chosen = sample.label == sample.positive
        elif of == "negative":
            chosen = sample.label != sample.positive
        elif of.startswith("class "):
            chosen = sample.label == int(of.removeprefix("class "))
        return sample.items(chosen), sample.group_count(chosen)

    def why_undefined(self, metric: Metric) -> str:
        """The reason in the words of the classes."""
        classes, positive = self.sample.classes, self.sample.positive
        if positive is None:
            return metric.undefined
        return metric.undefined.replace("{positive}", classes[positive]).replace(
            "{negative}", classes[1 - positive]
        )


def evaluate(
    predictions: Predictions,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: Level = "both",
    groups: Literal["published", "inferred", "none"] | None = None,
    rendered: bool | None = None,
) -> dict[str, Any]:
    """Every metric with its 95 % interval over groups.

    Parameters
    ----------
    predictions:
        Rows of one part. Nothing else is looked at.
    resamples, seed:
        Of the bootstrap over groups.
    level:
        ``image``, ``subject`` (scores averaged over a subject's cells), or both.
    groups:
        Where the groups come from, if that is known: warnings then say so.
    rendered:
        Whether the cells are drawn, if that is known; only told on.

    Returns
    -------
    dict
        The content of ``metrics.json``; a value that cannot be computed is None with a reason,
        never NaN.

    Raises
    ------
    PredictionsError
        When there are no rows, or rows of several parts.
    """
    images = Measured.alone(image_sample(predictions), resamples, seed)
    subjects = by_subject(predictions)
    levels: dict[str, dict[str, Any]] = {}
    if level in ("image", "both"):
        levels["image"] = _entries(images, seed)
    if level in ("subject", "both"):
        sample = subjects.sample
        levels["subject"] = {}
        if sample is not None:
            levels["subject"] = _entries(Measured.alone(sample, resamples, seed), seed)
    sample = images.sample
    return {
        "schema": SCHEMA,
        "classes_in_order": list(sample.classes),
        "positive": predictions.positive,
        "rendered": rendered,
        "resamples": resamples,
        "seed": seed,
        "interval": INTERVAL,
        "folds": len(set(predictions.table["fold"])),
        "repeats": sample.repeats,
        "groups": {
            "source": groups,
            "total": len(sample.groups),
            "by_class": sample.groups_by_class(),
        },
        "levels": levels,
        "classes": _classes(images),
        "confusion": {
            "labels": list(sample.classes),
            "counts": images.source.confusion.sum(axis=(0, 1)).astype(int).tolist(),
            "repeats": sample.repeats,
        },
        "subjects": _subjects(subjects),
        "warnings": warnings_of(predictions, sample, subjects, groups),
    }


def _entries(measured: Measured, seed: int) -> dict[str, Any]:
    from . import METRICS

    entries = {}
    for metric in chosen_metrics(METRICS, measured.sample):
        entry = measured.estimate(metric).entry()
        if metric.name == "ece" and entry["value"] is not None:
            rng = np.random.default_rng(seed)
            entry["expected_if_calibrated"] = expected_ece(measured.sample, rng)
        entries[metric.name] = entry
    return entries


def chosen_metrics(metrics: Mapping[str, Metric], sample: Sample) -> Iterable[Metric]:
    """Those that apply: no binary ones with several classes, no subjects' ones of images."""
    for metric in metrics.values():
        if metric.binary and sample.positive is None:
            continue
        if metric.level == "subject" and sample.unit == "image":
            continue
        yield metric


def _classes(measured: Measured) -> dict[str, Any]:
    """Each class against the rest."""
    from . import METRICS

    sample = measured.sample
    table: dict[str, Any] = {}
    for number, name in enumerate(sample.classes):
        n, groups = measured.standing(f"class {number}")
        row: dict[str, Any] = {"support": n, "groups": groups}
        for key in ("precision", "recall", "f1", "specificity", "auroc", "average_precision"):
            metric = replace(
                METRICS[key],
                compute=_against_rest(key, number),
                undefined=CLASS_REASONS[key].replace("{class}", name),
                of=f"class {number}" if key == "recall" else "all",
            )
            row[key] = measured.estimate(metric).entry()
        table[name] = row
    return table


CLASS_REASONS = {
    "precision": "nothing was predicted {class}",
    "recall": "no {class} items",
    "f1": "no {class} items, and nothing was predicted {class}",
    "specificity": "no items but {class}",
    "auroc": "no model was tested on {class} and on other items",
    "average_precision": "no model was tested on {class} and on other items",
}


def _against_rest(key: str, number: int) -> Any:
    if key == "auroc":
        return lambda at: at.auroc(number)
    if key == "average_precision":
        return lambda at: at.sweep(number)[:, 0]
    return partial(class_measure, name=key, number=number)


def _subjects(subjects: BySubject) -> dict[str, Any]:
    sample = subjects.sample
    right: dict[str, Any] = {}
    if sample is not None and sample.right is not None:
        sums = np.bincount(sample.item, weights=sample.right)
        share = sums / np.bincount(sample.item)
        label = np.zeros(len(share), dtype=np.int64)
        label[sample.item] = sample.label
        for number, name in enumerate(sample.classes):
            members = np.flatnonzero(label == number)
            if len(members):
                worst = int(members[share[members].argmin()])
                right[name] = {
                    "subjects": len(members),
                    "mean": float(share[members].mean()),
                    "worst": float(share[worst]),
                    "worst_subject": subjects.names[worst],
                }
    return {
        "unit": None if sample is None else subjects.unit,
        "count": 0 if sample is None else sample.items(),
        "several_labels": subjects.several_labels,
        "cut": subjects.cut,
        "share_right": right,
    }
