"""``metrics.json`` as a report shows it: titles, order, and words where there is no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..evaluation import METRICS
from .numbers import decimal, interval
from .study import Shown

__all__ = ["Estimate", "estimate", "estimates", "family", "headline_metric", "one", "title"]


FAMILIES: dict[str, tuple[str, ...]] = {
    "Ranking": ("auroc", "average_precision", "sensitivity_at_specificity"),
    "Answers": (
        "accuracy",
        "balanced_accuracy",
        "sensitivity",
        "specificity",
        "precision",
        "npv",
        "recall",
        "f1",
        "mcc",
        "kappa",
        "share_right",
    ),
    "Averages over classes": ("precision_", "recall_", "f1_"),
    "Probabilities": ("brier", "log_loss", "ece", "calibration_"),
    "Use": ("net_benefit",),
}
"""What a table of results is divided into: a metric's own name, or how its name begins (the
longest that fits); what fits nowhere comes last."""
OTHERS = "Others"


def family(metric: str) -> str:
    """The part of a table that a metric stands in."""
    fits = [
        (len(name), title)
        for title, names in FAMILIES.items()
        for name in names
        if metric == name or (metric.startswith(name) and name not in METRICS)
    ]
    return max(fits)[1] if fits else OTHERS


@dataclass(frozen=True)
class Estimate:
    """One figure with what it stands on."""

    metric: str
    title: str
    value: float | None
    low: float | None
    high: float | None
    groups: int
    n: int
    reason: str
    """Why there is no value or no interval; empty where both exist."""
    expected: float | None = None
    """What a perfectly calibrated model would have (calibration error only)."""

    @property
    def printed(self) -> str:
        """The value as printed."""
        return decimal(self.value)

    @property
    def interval(self) -> str:
        """The 95 % interval as printed."""
        return interval(self.low, self.high)


def title(metric: str) -> str:
    """What people call a metric; one that is not registered is called by its own name."""
    known = METRICS.get(metric)
    return known.title if known is not None else metric.replace("_", " ").capitalize()


def estimates(shown: Shown, level: str) -> tuple[Estimate, ...]:
    """All figures of one level in the order of ``METRICS``, others after them."""
    found: Mapping[str, Any] = shown.run.metrics.get("levels", {}).get(level) or {}
    order = {name: place for place, name in enumerate(METRICS)}
    names = sorted(found, key=lambda name: order.get(name, len(order)))
    return tuple(estimate(name, found[name]) for name in names if isinstance(found[name], Mapping))


def one(shown: Shown, level: str, metric: str) -> Estimate | None:
    """One figure of one level, or None where it was not computed."""
    found = (shown.run.metrics.get("levels", {}).get(level) or {}).get(metric)
    return estimate(metric, found) if isinstance(found, Mapping) else None


def headline_metric(shown: Shown) -> str:
    """What a report is headed by: AUROC of a binary task, else balanced accuracy."""
    wanted = ("auroc", "balanced_accuracy") if shown.binary else ("balanced_accuracy", "auroc")
    for metric in (*wanted, "accuracy"):
        found = one(shown, "image", metric)
        if found is not None and found.value is not None:
            return metric
    known = estimates(shown, "image")
    return known[0].metric if known else "accuracy"


def estimate(metric: str, cell: Mapping[str, Any]) -> Estimate:
    """One cell of ``metrics.json`` as a figure."""
    return Estimate(
        metric=metric,
        title=title(metric),
        value=cell.get("value"),
        low=cell.get("low"),
        high=cell.get("high"),
        groups=int(cell.get("groups") or 0),
        n=int(cell.get("n") or 0),
        reason=str(cell.get("reason") or ""),
        expected=cell.get("expected_if_calibrated"),
    )
