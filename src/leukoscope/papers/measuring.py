"""What a published metric is in a run that was made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RunError
from ..evaluation import evaluate
from ..evaluation.cautions import ENOUGH_GROUPS
from ..files import read_json
from ..records.predictions import read_predictions
from ..records.run import read_history
from .runner import Outcome

__all__ = ["METRICS", "SUBJECTS", "Measured", "measured_figure"]

NAMES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "npv": "npv",
    "auc": "auroc",
    "f1_weighted": "f1_weighted",
}
"""Published metric → ours, where the averaging does not matter."""
METRICS = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "npv": "NPV",
    "training_accuracy": "Training accuracy",
    "validation_accuracy": "Validation accuracy",
    "claimed_accuracy": "Average accuracy, claimed",
    "f1_weighted": "Weighted F1",
}
"""Published metric → what people call it."""
UNDEFINED = {"claimed_accuracy": "of what the claimed average is taken is not said"}
"""Published metric → why nothing here can be its twin."""
SUBJECTS = (
    "subject_sensitivity",
    "subject_specificity",
    "subject_balanced_accuracy",
    "worst_subject",
)
"""Means over subjects of the share of their images that are right, as C-NMC's challengers give
them: of the positive class, of the other, of both; and the smallest share."""


@dataclass(frozen=True)
class Measured:
    """One measured figure; ``reason`` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    groups: int = 0
    n: int = 0
    reason: str = ""
    inferred: bool = False
    """Whether the groups are inferred, no subjects being published."""
    few: bool = False
    """Whether a class has fewer than ten groups, so that the interval cannot be trusted."""


def measured_figure(outcome: Outcome, metric: str, averaging: str) -> Measured:
    """What a published metric is in a run that was made here; with its reason where it is not."""
    if outcome.reason or outcome.run is None or outcome.folder is None:
        return Measured(None, reason=outcome.reason)
    if metric == "training_accuracy":
        return _training_accuracy(outcome)
    if metric == "validation_accuracy":
        return _of_validation(outcome)
    table = read_json(outcome.folder / "metrics.json", what="metrics", schema=1, error=RunError)
    if metric in SUBJECTS:
        return _over_subjects(table, metric)
    name = NAMES.get(metric, "")
    if metric in ("precision", "recall", "f1"):
        name = metric if averaging == "positive" else f"{metric}_{averaging}"
    entry = (table["levels"].get("image") or {}).get(name)
    if entry is None:
        return Measured(
            None, reason=UNDEFINED.get(metric, f"{metric.replace('_', ' ')} is not measured")
        )
    return _entry(entry, table)


def _over_subjects(metrics: Mapping[str, Any], metric: str) -> Measured:
    """Shares of right images, averaged over subjects (groups, where no subjects are known)."""
    shares = (metrics.get("subjects") or {}).get("share_right") or {}
    positive = metrics.get("positive")
    wanted = {
        "subject_sensitivity": [name for name in shares if name == positive],
        "subject_specificity": [name for name in shares if name != positive],
    }.get(metric, list(shares))
    chosen = [shares[name] for name in wanted]
    if positive is None or not chosen:
        return Measured(None, reason="no subjects or groups are known")
    value = (
        min(one["worst"] for one in chosen)
        if metric == "worst_subject"
        else sum(one["mean"] for one in chosen) / len(chosen)
    )
    whole = ((metrics.get("levels") or {}).get("image") or {}).get("accuracy") or {}
    return Measured(
        value,
        groups=sum(one["subjects"] for one in chosen),
        n=int(whole.get("n") or 0),
        reason="a mean over subjects" if metric != "worst_subject" else "of one subject",
    )


def _entry(entry: Mapping[str, Any], metrics: Mapping[str, Any]) -> Measured:
    value, groups = entry.get("value"), metrics.get("groups") or {}
    return Measured(
        None if value is None else float(value),
        entry.get("low"),
        entry.get("high"),
        int(entry.get("groups") or 0),
        int(entry.get("n") or 0),
        str(entry.get("reason") or ""),
        inferred=groups.get("source") == "inferred",
        few=min((groups.get("by_class") or {"": ENOUGH_GROUPS}).values()) < ENOUGH_GROUPS,
    )


def _training_accuracy(outcome: Outcome) -> Measured:
    """The running accuracy of the last epoch, as Keras prints it: no interval belongs to it."""
    assert outcome.run is not None
    values = []
    for path in sorted(outcome.run.folder.glob("fold-*/history.csv")):
        history = read_history(path)
        mine = history[history["epoch"] <= outcome.epochs]
        values.append(float(mine["accuracy"].iloc[-1]))
    if not values:
        return Measured(None, reason="nothing was trained epoch by epoch")
    return Measured(sum(values) / len(values), reason="running mean of the last epoch")


def _of_validation(outcome: Outcome) -> Measured:
    assert outcome.run is not None
    assert outcome.folder is not None
    positive = outcome.run.data.card.get("positive")
    binary = len(outcome.run.data.classes) == 2 and positive in outcome.run.data.classes
    predictions = read_predictions(
        outcome.folder / "predictions.csv", str(positive) if binary else None
    ).part("validation")
    if not len(predictions):
        return Measured(None, reason="no image validates")
    metrics = evaluate(predictions, groups=outcome.run.split.groups, level="image")
    return _entry(metrics["levels"]["image"]["accuracy"], metrics)
