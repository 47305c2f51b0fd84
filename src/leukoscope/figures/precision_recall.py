"""Precision-recall curves with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .canvas import GREY, Drawing, styled
from .roc import draw_curves, square
from .words import facts, with_interval

if TYPE_CHECKING:
    from ..evaluation.curves import Curve

__all__ = ["precision_recall"]


@styled
def precision_recall(
    curves: Sequence[Curve], *, note: str = "", group_word: str = "group"
) -> Drawing:
    """One curve a class with its 95 % band; the dashed line is the share of the class.

    Raises
    ------
    ReportError
        When there is no curve.
    """
    made, axes = square("precision_recall", "Precision and recall", curves, note, group_word)
    if len(curves) == 1:
        axes.axhline(
            curves[0].prevalence, color=GREY, linewidth=1, linestyle=(0, (3, 3)), gid="chance"
        )
    draw_curves(axes, curves, "Average precision")
    axes.set_xlabel("Recall (share of positives found)")
    axes.set_ylabel("Precision (share of called that is right)")
    axes.legend(loc="lower left", borderaxespad=0.4)
    areas = "; ".join(f"{c.name}: average precision {with_interval(c.area)}" for c in curves)
    return made.finish(
        f"Precision over recall with 95 % band over groups. {areas}. "
        f"{facts(curves[0].basis, group_word)}."
    )
