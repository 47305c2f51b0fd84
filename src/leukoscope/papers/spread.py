"""How far results of the same system lie apart: over draws of a grid and over folds of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from .found import Found, cell_names
from .measuring import measured_figure

if TYPE_CHECKING:
    from ..records.predictions import Predictions
    from .cells import Cell

__all__ = ["Spread", "fold_values", "spreads"]

METRICS = ("accuracy", "auc")


@dataclass(frozen=True)
class Spread:
    """One system in one edition, repeated."""

    name: str
    edition: str
    over: str
    """What a value is of: ``fold``, or the title of the axis that changes only the seed."""
    metric: str
    """As the published tables call it."""
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the values."""
        return fmean(self.values)

    @property
    def deviation(self) -> float:
        """Sample standard deviation."""
        return stdev(self.values)


def spreads(found: Found) -> tuple[Spread, ...]:
    """Every system that was run at least twice: over draws first, then over folds."""
    return (*_over_draws(found), *_over_folds(found))


def _over_draws(found: Found) -> Iterator[Spread]:
    """Axes whose values differ in nothing but the seed are repeats."""
    for axis in found.protocol.axes:
        if any(set(value.settings) != {"seed"} for value in axis.values):
            continue
        systems: dict[tuple[str, ...], list[Cell]] = {}
        for cell in found.cells:
            if axis.name in cell.values:
                rest = (v for name, v in cell.values.items() if name != axis.name)
                systems.setdefault((cell.arm, *rest), []).append(cell)
        firsts = [cells[0] for cells in systems.values()]
        names = cell_names(found.protocol, firsts, [axis.name])
        for name, cells in zip(names, systems.values(), strict=True):
            for edition in found.editions:
                for metric in METRICS:
                    values = _values(found, cells, edition, metric)
                    if len(values) > 1:
                        yield Spread(name, edition, axis.title.lower(), metric, tuple(values))


def _values(found: Found, cells: Sequence[Cell], edition: str, metric: str) -> list[float]:
    done = [one for cell in cells if (one := found.done(cell.id, edition))]
    figures = [measured_figure(one, metric, "positive").value for one in done]
    return [value for value in figures if value is not None]


def _over_folds(found: Found) -> Iterator[Spread]:
    names = cell_names(found.protocol, found.cells)
    for cell, name in zip(found.cells, names, strict=True):
        for edition in found.editions:
            outcome = found.done(cell.id, edition)
            if outcome is None or outcome.run is None or len(outcome.run.split.folds) < 2:
                continue
            test = found.shown(outcome).test
            for metric in METRICS:
                values = fold_values(test, metric)
                if len(values) > 1:
                    yield Spread(name, edition, "fold", metric, values)


def fold_values(test: Predictions, metric: str) -> tuple[float, ...]:
    """Accuracy, or AUROC of the positive class, of each fold of each repeat.

    A fold whose test images are of one class has no AUROC and is left out; without a positive
    class there is none at all.
    """
    values = []
    for _, fold in test.table.groupby(["repeat", "fold"]):
        if metric == "accuracy":
            values.append(float((fold["label"] == fold["predicted"]).mean()))
        elif test.positive is not None and fold["label"].nunique() == 2:
            from sklearn.metrics import roc_auc_score

            truth = fold["label"] == test.positive
            values.append(float(roc_auc_score(truth, fold[f"p_{test.positive}"])))
    return tuple(values)
