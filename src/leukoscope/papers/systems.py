"""Every system that was run, both editions side by side, those beyond the paper too."""

from __future__ import annotations

from collections.abc import Mapping

from ..reports.numbers import signed
from .found import Found, cell_names
from .measuring import METRICS, Measured, measured_figure
from .network_cost import CellCost, cell_cost
from .reasons import Legend
from .tables import Row, shown, shown_cost

__all__ = ["MOST", "systems"]

SHOWN = ("accuracy", "auc")
MOST = 40
"""Systems in the table; of a larger grid each stands under its number in the paper's tables."""


def systems(found: Found, legend: Legend) -> tuple[Row, ...]:
    """Accuracy and AUROC of each cell that was run; empty where they are more than ``MOST``."""
    done = [
        cell for cell in found.cells if any(found.done(cell.id, e) for e in found.protocol.editions)
    ]
    if len(done) > MOST:
        return ()
    rows = []
    for cell, name in zip(done, cell_names(found.protocol, done), strict=True):
        outcomes = {edition: found.done(cell.id, edition) for edition in found.protocol.editions}
        costs: dict[str, CellCost] = {
            e: cell_cost(one) for e, one in outcomes.items() if one is not None
        }
        epochs = max(one.epochs for one in outcomes.values() if one is not None)
        for number, metric in enumerate(SHOWN):
            measured: dict[str, Measured] = {
                edition: (
                    Measured(None, reason=f"not run: {found.reason(cell.id, edition)}")
                    if one is None
                    else measured_figure(one, metric, "positive")
                )
                for edition, one in outcomes.items()
            }
            line = found.published(cell.stands_for or cell.id, metric)
            rows.append(
                Row(
                    line="" if number else name,
                    figures=len(SHOWN),
                    setting="" if number else cell.id,
                    metric=METRICS[metric],
                    published=line.published.value if line else "—",
                    impossible=False,
                    measured=tuple(shown(one, legend) for one in measured.values()),
                    gap=_gap(measured),
                    cost=None if number else shown_cost(found.plan, costs, epochs),
                )
            )
    return tuple(rows)


def _gap(measured: Mapping[str, Measured]) -> str:
    values = [one.value for one in measured.values()]
    if len(values) != 2 or values[0] is None or values[1] is None:
        return "—"
    return signed(values[0] - values[1])
