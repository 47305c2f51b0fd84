"""ROC curves with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ReportError
from .canvas import GREY, Drawing, Page, colour, page, styled
from .words import facts, key, with_interval

if TYPE_CHECKING:
    from ..evaluation.curves import Curve

__all__ = ["DASHES", "draw_curves", "roc"]

LEFT, SIDE, BOTTOM = 40.0, 218.0, 34.0
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1, 1.5)))


@styled
def roc(
    curves: Sequence[Curve],
    *,
    note: str = "",
    group_word: str = "group",
    of: str = "each class alone",
) -> Drawing:
    """One curve a class with its 95 % band; the diagonal is chance.

    ``of`` says what several curves are of, where they are not classes of one run.

    Raises
    ------
    ReportError
        When there is no curve: no model was tested on items of both classes.
    """
    made, axes = square(
        "roc", "ROC curves" if len(curves) > 1 else "ROC curve", curves, note, group_word, of
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (3, 3)), gid="chance")
    draw_curves(axes, curves, "AUROC")
    axes.set_xlabel("1 − specificity (share of negatives called positive)")
    axes.set_ylabel("Sensitivity (share of positives found)")
    axes.legend(loc="lower right", borderaxespad=0.2)
    return made.finish(_sentence(curves, "ROC curve", "AUROC", group_word))


def square(
    name: str,
    title: str,
    curves: Sequence[Curve],
    note: str,
    group_word: str,
    of: str = "each class alone",
) -> tuple[Page, Any]:
    """A page with square axes from 0 to 1."""
    if not curves:
        raise ReportError(
            f"{title}: no curve to draw: no model was tested on items of both classes."
        )
    whole = f"{title}: {curves[0].name}" if len(curves) == 1 else f"{title}, {of}"
    made = page(name, whole, facts(curves[0].basis, group_word), height=SIDE + BOTTOM, note=note)
    axes = made.axes(LEFT, BOTTOM, SIDE, SIDE)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    return made, axes


def draw_curves(axes: Any, curves: Sequence[Curve], area: str) -> None:
    """Each curve with its band and its area in the legend."""
    for number, curve in enumerate(curves):
        shade = 0.22 if len(curves) == 1 else 0.10
        axes.fill_between(
            curve.x,
            curve.low,
            curve.high,
            color=colour(number),
            alpha=shade,
            linewidth=0,
            gid=f"band-{key(curve.name)}",
        )
        name = area if len(curves) == 1 else curve.name
        axes.plot(
            curve.x,
            curve.y,
            color=colour(number),
            linestyle=DASHES[number % len(DASHES)],
            label=f"{name} {with_interval(curve.area)}",
            gid=f"curve-{key(curve.name)}",
        )


def _sentence(curves: Sequence[Curve], what: str, area: str, group_word: str) -> str:
    areas = "; ".join(f"{curve.name}: {area} {with_interval(curve.area)}" for curve in curves)
    return f"{what} with 95 % band over groups. {areas}. {facts(curves[0].basis, group_word)}."
