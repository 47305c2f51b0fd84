"""What a reproduction found, cell by cell: what its figures and tables are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..errors import RunError
from ..files import read_json
from ..records.predictions import read_predictions
from ..reports.study import Shown
from .cells import Cell, meets
from .planner import Plan
from .protocol import Protocol
from .reasons import NOT_ASKED, short
from .reproduction import Line
from .runner import Outcome
from .sources import DataUsed

__all__ = ["Found", "cell_names"]

RECALL = {"sensitivity": "recall"}
"""The same figure under another name in a table."""


@dataclass(frozen=True)
class Found:
    """Outcomes and published figures of one reproduction, and how to find them."""

    plan: Plan
    outcomes: Sequence[Outcome]
    lines: Sequence[Line]
    sources: Mapping[str, DataUsed]
    _shown: dict[tuple[str, str], Shown] = field(default_factory=dict, repr=False)

    @property
    def protocol(self) -> Protocol:
        """The paper."""
        return self.plan.protocol

    @cached_property
    def editions(self) -> tuple[str, ...]:
        """Those that were planned, in the paper's order."""
        planned = {training.edition for training in self.plan.trainings}
        return tuple(one for one in self.protocol.editions if one in planned)

    @cached_property
    def by_cell(self) -> dict[tuple[str, str], Outcome]:
        """Cell and edition → what became of it."""
        return {(one.cell.id, one.cell.edition): one for one in self.outcomes}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Each cell once, whatever its edition, in the order of the grid."""
        return tuple({one.cell.id: one.cell for one in self.outcomes}.values())

    def meets(self, condition: str) -> tuple[Cell, ...]:
        """The cells here that a condition means, extras of the grid with them."""
        return tuple(cell for cell in self.cells if meets(self.protocol, cell, condition))

    def done(self, cell: str, edition: str) -> Outcome | None:
        """The outcome of a cell that was run, or None."""
        one = self.by_cell.get((cell, edition))
        return one if one is not None and one.run is not None and not one.reason else None

    def reason(self, cell: str, edition: str) -> str:
        """Why a cell was not run, in a few words."""
        one = self.by_cell.get((cell, edition))
        return NOT_ASKED if one is None else short(one.reason)

    def shown(self, outcome: Outcome) -> Shown:
        """The run of a cell with the predictions and metrics at its own number of epochs."""
        key = outcome.cell.id, outcome.cell.edition
        if key not in self._shown:
            assert outcome.run is not None
            assert outcome.folder is not None
            run = outcome.run
            if outcome.folder != run.folder:
                run = replace(
                    run,
                    predictions=read_predictions(
                        outcome.folder / "predictions.csv", run.predictions.positive
                    ),
                    metrics=read_json(
                        outcome.folder / "metrics.json", what="metrics", schema=1, error=RunError
                    ),
                )
            anchor = f"{outcome.cell.edition}-{outcome.cell.folder}"
            self._shown[key] = Shown(run, outcome.cell.id, anchor)
        return self._shown[key]

    def data_words(self, cell: Cell) -> str:
        """On what a cell was run, so that nobody takes it for the paper's data."""
        source = self.sources.get(cell.data)
        if source is None:
            return "no data"
        return f"real data: {source.words}" if source.kind == "real" else source.words

    @property
    def data_words_of_all(self) -> str:
        """The same of every data set that something was run on."""
        cells = [one.cell for one in self.outcomes if not one.reason]
        return "; ".join(dict.fromkeys(self.data_words(cell) for cell in cells))

    def note(self, outcome: Outcome, name: str = "") -> str:
        """What stands in a figure of one cell: which, edition, data, budget."""
        assert outcome.run is not None
        words = [name] if name else []
        words += [outcome.run.edition, self.data_words(outcome.cell)]
        if self.plan.budget == "smoke":
            words.append("smoke budget")
        return "; ".join(words)

    def published(self, cell: str, metric: str) -> Line | None:
        """The first published figure of that metric with a number, of a cell."""
        for name in (metric, RECALL.get(metric)):
            for line in self.lines:
                mine = line.published.cell == cell and line.published.metric == name
                if mine and line.value is not None:
                    return line
        return None


def cell_names(protocol: Protocol, cells: Sequence[Cell], without: Sequence[str] = ()) -> list[str]:
    """Short names that tell these cells apart: the titles of the axes' values that differ.

    ``without`` are axes that are told elsewhere.
    """
    axes = [axis for axis in protocol.axes if axis.name not in without]
    differing = [axis for axis in axes if len({cell.values.get(axis.name) for cell in cells}) > 1]
    names = []
    for cell in cells:
        words = [cell.arm] if len({one.arm for one in cells}) > 1 else []
        for axis in differing:
            if axis.name in cell.values:
                value = axis.value(cell.values[axis.name])
                words.append(value.title or f"{value.name} {axis.title.lower()}")
        if not words:
            last = [axis for axis in axes if axis.name in cell.values][-1:]
            values = [axis.value(cell.values[axis.name]) for axis in last]
            words = [value.title or value.name for value in values] or [cell.arm]
        names.append(", ".join(words))
    return names
