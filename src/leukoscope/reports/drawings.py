"""The figures of a run, made by ``figures`` from its predictions and set into the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from ..evaluation import curves
from ..figures import FIGURES, Drawing
from ..figures.decision_surface import Surface
from ..figures.memberships import Panel
from ..records.verdicts import Curves
from .study import Pair, Shown

__all__ = ["Drawn", "editions", "fuzzy_figures", "learning_curves", "placed", "result_figures"]


@dataclass(frozen=True)
class Drawn:
    """One figure: SVG that is ours and safe, its title and its caption."""

    name: str
    title: str
    caption: str
    svg: Markup
    drawing: Drawing
    """As it was drawn, to be saved by itself."""


def result_figures(shown: Shown) -> tuple[Drawn, ...]:
    """All result figures of one run's test part, those that its task and data allow."""
    test, metrics = shown.test, shown.run.metrics
    # No curve where no model was tested on both classes; the tables say why.
    ranked = {"roc": curves.roc(test), "precision_recall": curves.precision_recall(test)}
    drawn = [
        *(_draw(shown, name, found) for name, found in ranked.items() if found),
        _confusion(shown, metrics),
        _draw(shown, "reliability", curves.reliability(test)),
        _draw(shown, "histograms", curves.histograms(test)),
    ]
    if shown.binary:
        drawn.append(_draw(shown, "decision_curve", curves.decision_curve(test)))
    drawn.append(_draw(shown, "risk_coverage", curves.risk_coverage(test)))
    if (metrics.get("subjects") or {}).get("unit"):
        drawn.append(_draw(shown, "subjects", curves.subject_results(test)))
    return tuple(figure for figure in drawn if figure is not None)


def learning_curves(shown: Shown) -> Drawn | None:
    """Losses over epochs of all folds, or None where the run kept no history."""
    if not shown.histories:
        return None
    return _draw(shown, "learning_curves", shown.histories)


def editions(pair: Pair, metrics: tuple[str, ...]) -> Drawn:
    """As-published beside leak-free, metric by metric."""
    drawing = FIGURES["editions"](
        pair.gap,
        metrics,
        note=note(pair.leak_free),
        group_word=pair.leak_free.group_word,
    )
    return placed(drawing, f"{pair.published.anchor}-{pair.leak_free.anchor}")


def fuzzy_figures(system: Curves, anchor: str) -> tuple[Drawn, ...]:
    """The sets of a fuzzy system and, with two inputs and more, its decision surface."""
    panels = [
        Panel(
            one.name,
            one.title,
            np.array(one.x),
            {name: np.array(curve) for name, curve in one.sets.items()},
            one.cuts,
        )
        for one in system.memberships
    ]
    drawn = [placed(FIGURES["memberships"](panels, note=system.note), anchor)]
    if system.surface is not None:
        shown = system.surface
        score = np.array(shown.score, dtype=np.float64)
        surface = Surface(
            np.array(shown.x), np.array(shown.y), score, shown.x_title, shown.y_title, shown.cuts,
            shown.held,
        )  # fmt: skip
        drawn.append(placed(FIGURES["decision_surface"](surface, note=system.note), anchor))
    return tuple(drawn)


def note(shown: Shown) -> str:
    """What stands in every figure: the edition, and that data is rendered."""
    return shown.run.edition + (", rendered data" if shown.run.data.rendered else "")


def _confusion(shown: Shown, metrics: Mapping[str, Any]) -> Drawn | None:
    confusion = metrics.get("confusion")
    if not confusion:
        return None
    drawing = FIGURES["confusion"](
        confusion["labels"],
        confusion["counts"],
        n_groups=int(shown.test.table["group"].nunique()),
        note=note(shown),
        group_word=shown.group_word,
    )
    return placed(drawing, shown.anchor)


def _draw(shown: Shown, name: str, data: Any) -> Drawn:
    drawing = FIGURES[name](data, note=note(shown), group_word=shown.group_word)
    return placed(drawing, shown.anchor)


def placed(drawing: Drawing, anchor: str) -> Drawn:
    """A drawing set into the page, its ids made the run's own.

    ``figures`` makes ids from a figure's content; two runs may have the very same figure.
    """
    prefix = re.search(r'<svg id="([^"]+)"', drawing.svg)
    svg = drawing.svg.replace(prefix[1], f"{prefix[1]}-{anchor}") if prefix else drawing.svg
    return Drawn(drawing.name, drawing.title, drawing.description, Markup(svg), drawing)
