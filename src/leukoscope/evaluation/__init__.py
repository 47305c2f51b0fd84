"""Evaluation from predictions alone: metrics, their intervals over groups, comparisons, curves.

>>> from leukoscope.evaluation import METRICS, evaluate
>>> METRICS["auroc"].title
'AUROC'

A metric is one ``Metric`` in one of the files below; ``METRICS`` has them all by name, in the
order in which they are shown.
"""

from __future__ import annotations

from .calibration import CALIBRATION_METRICS
from .counts import COUNT_METRICS
from .decision import DECISION_METRICS
from .measurement import evaluate
from .probabilities import PROBABILITY_METRICS
from .ranks import RANK_METRICS, SPECIFICITY_METRICS
from .subjects import SUBJECT_METRICS
from .weighted import Metric

__all__ = ["METRICS", "Metric", "evaluate"]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *RANK_METRICS,
        *COUNT_METRICS,
        *PROBABILITY_METRICS,
        *CALIBRATION_METRICS,
        *SPECIFICITY_METRICS,
        *DECISION_METRICS,
        *SUBJECT_METRICS,
    )
}
