"""``metrics.json`` as a report shows it: titles, order, digits, and words where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .numbers import decimal, interval
from .study import Shown

__all__ = ["TITLES", "Estimate", "estimates", "headline_metric", "one"]

TITLES: dict[str, str] = {
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "npv": "Negative predictive value",
    "recall": "Recall",
    "f1": "F1",
    "precision_macro": "Precision, macro",
    "recall_macro": "Recall, macro",
    "f1_macro": "F1, macro",
    "precision_weighted": "Precision, weighted",
    "recall_weighted": "Recall, weighted",
    "f1_weighted": "F1, weighted",
    "mcc": "Matthews correlation",
    "kappa": "Cohen\u2019s kappa",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "ece": "Expected calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}
"""How a metric is called; one that is not here is called by its own name."""


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

    @property
    def printed(self) -> str:
        """The value as printed."""
        return decimal(self.value)

    @property
    def interval(self) -> str:
        """The 95 % interval as printed."""
        return interval(self.low, self.high)


def title(metric: str) -> str:
    """What people call a metric."""
    return TITLES.get(metric, metric.replace("_", " ").capitalize())


def estimates(shown: Shown, level: str) -> tuple[Estimate, ...]:
    """All figures of one level in the order of ``TITLES``, others after them."""
    found: Mapping[str, Any] = shown.run.metrics.get("levels", {}).get(level) or {}
    order = {name: place for place, name in enumerate(TITLES)}
    names = sorted(found, key=lambda name: order.get(name, len(order)))
    return tuple(_estimate(name, found[name]) for name in names if isinstance(found[name], Mapping))


def one(shown: Shown, level: str, metric: str) -> Estimate | None:
    """One figure of one level, or None where it was not computed."""
    found = (shown.run.metrics.get("levels", {}).get(level) or {}).get(metric)
    return _estimate(metric, found) if isinstance(found, Mapping) else None


def headline_metric(shown: Shown) -> str:
    """What a report is headed by: AUROC of a binary task, else balanced accuracy."""
    wanted = ("auroc", "balanced_accuracy") if shown.binary else ("balanced_accuracy", "auroc")
    for metric in (*wanted, "accuracy"):
        found = one(shown, "image", metric)
        if found is not None and found.value is not None:
            return metric
    known = estimates(shown, "image")
    return known[0].metric if known else "accuracy"


def _estimate(metric: str, cell: Mapping[str, Any]) -> Estimate:
    return Estimate(
        metric=metric,
        title=title(metric),
        value=cell.get("value"),
        low=cell.get("low"),
        high=cell.get("high"),
        groups=int(cell.get("groups") or 0),
        n=int(cell.get("n") or 0),
        reason=str(cell.get("reason") or ""),
    )
