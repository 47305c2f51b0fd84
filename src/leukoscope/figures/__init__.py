"""Figures: one a file, each drawn from plain values, as SVG and as PNG.

>>> from leukoscope.figures import FIGURES, save
>>> sorted(FIGURES)[:3]
['bars', 'box', 'comparison']
"""

from __future__ import annotations

from collections.abc import Callable

from .bars import bars
from .box import box
from .by_class import by_class
from .canvas import Drawing, save
from .comparison import comparison
from .confusion import confusion
from .decision_curve import decision_curve
from .decision_surface import decision_surface
from .editions import editions
from .gallery import gallery
from .histograms import histograms
from .learning_curves import learning_curves
from .memberships import memberships
from .pairs import pairs
from .precision_recall import precision_recall
from .reliability import reliability
from .risk_coverage import risk_coverage
from .roc import roc
from .subjects import subjects

__all__ = ["FIGURES", "Drawing", "save"]

FIGURES: dict[str, Callable[..., Drawing]] = {
    "roc": roc,
    "precision_recall": precision_recall,
    "confusion": confusion,
    "reliability": reliability,
    "decision_curve": decision_curve,
    "risk_coverage": risk_coverage,
    "histograms": histograms,
    "subjects": subjects,
    "learning_curves": learning_curves,
    "gallery": gallery,
    "editions": editions,
    "comparison": comparison,
    "bars": bars,
    "box": box,
    "pairs": pairs,
    "by_class": by_class,
    "memberships": memberships,
    "decision_surface": decision_surface,
}
