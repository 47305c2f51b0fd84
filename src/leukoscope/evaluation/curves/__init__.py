"""What the figures draw, as plain arrays with their bands: made from predictions alone."""

from __future__ import annotations

from .basis import Basis
from .coverage import RiskCoverage, risk_coverage
from .decision import DecisionCurve, decision_curve
from .errors import Case, worst_errors
from .histograms import Histograms, histograms
from .ranks import Curve, precision_recall, roc
from .reliability import Reliability, reliability
from .subjects import SubjectResult, Subjects, subject_results

__all__ = [
    "Basis",
    "Case",
    "Curve",
    "DecisionCurve",
    "Histograms",
    "Reliability",
    "RiskCoverage",
    "SubjectResult",
    "Subjects",
    "decision_curve",
    "histograms",
    "precision_recall",
    "reliability",
    "risk_coverage",
    "roc",
    "subject_results",
    "worst_errors",
]
