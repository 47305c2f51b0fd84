"""The drawings of the measured twins, each from the runs of some cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..evaluation import curves
from ..figures import FIGURES
from ..figures.bars import Bar, BarRow
from ..figures.box import BoxRow
from ..reports.drawings import Drawn, placed
from ..reports.study import Shown
from .cells import Cell
from .found import Found, cell_names
from .literature import literature
from .measuring import METRICS, Measured, measured_figure
from .protocol import Figure
from .runner import Outcome

__all__ = [
    "SERIES",
    "Named",
    "bar_drawings",
    "box_drawings",
    "of_one_run",
    "roc_drawings",
    "tested_at",
]

SERIES = {"as-published": "as published", "leak-free": "leak-free"}
"""Edition → what a figure calls it."""
Named = Sequence[tuple[Cell, str]]
"""Cells with the names that tell them apart."""


def tested_at(
    found: Found, outcome: Outcome, cells: Sequence[Cell]
) -> tuple[tuple[int, float], ...]:
    """Number of epochs and test accuracy of each cell that was measured from the same training."""
    assert outcome.run is not None
    values = {}
    for cell in cells:
        one = found.done(cell.id, outcome.cell.edition)
        if one is None or one.run is None or one.run.folder != outcome.run.folder:
            continue
        if one.cell.settings["model.name"] != outcome.cell.settings["model.name"]:
            continue  # another head on the same network
        accuracy = measured_figure(one, "accuracy", "positive").value
        if accuracy is not None:
            values[one.epochs] = accuracy
    return tuple(sorted(values.items()))


def of_one_run(
    shown: Shown, kind: str, note: str, anchor: str, tested: Sequence[tuple[int, float]] = ()
) -> Iterator[Drawn]:
    """The drawing of one kind, where its run allows it."""
    words: dict[str, Any] = {"note": note, "group_word": shown.group_word}
    if kind == "curves" and shown.histories:
        yield placed(FIGURES["learning_curves"](shown.histories, tested=tested, **words), anchor)
    if kind == "roc" and (found := curves.roc(shown.test)):
        yield placed(FIGURES["roc"](found, **words), anchor)
    matrix = shown.run.metrics.get("confusion")
    if kind == "confusion" and matrix:
        groups = int(shown.test.table["group"].nunique())
        drawing = FIGURES["confusion"](matrix["labels"], matrix["counts"], n_groups=groups, **words)
        yield placed(drawing, anchor)


def roc_drawings(found: Found, done: Sequence[tuple[Outcome, str]], anchor: str) -> Iterator[Drawn]:
    """One curve a system on common axes; with more than two classes a drawing a system."""
    together: dict[tuple[int, int], list[Any]] = {}
    first: dict[tuple[int, int], Outcome] = {}
    for number, (outcome, name) in enumerate(done):
        shown = found.shown(outcome)
        drawn = curves.roc(shown.test)
        if len(drawn) == 1:
            # Systems whose tests are of other images do not share axes.
            basis = drawn[0].basis.n, drawn[0].basis.groups
            first.setdefault(basis, outcome)
            together.setdefault(basis, []).append(replace(drawn[0], name=name))
        elif drawn:
            drawing = FIGURES["roc"](
                drawn, note=found.note(outcome, name), group_word=shown.group_word
            )
            yield placed(drawing, f"{anchor}-{number}")
    for number, (basis, several) in enumerate(together.items()):
        outcome = first[basis]
        drawing = FIGURES["roc"](
            several,
            note=found.note(outcome),
            group_word=found.shown(outcome).group_word,
            of="each system",
        )
        yield placed(drawing, f"{anchor}-together-{number}")


def bar_drawings(
    found: Found, figure: Figure, named: Named, title: str, anchor: str
) -> tuple[Drawn, ...]:
    """Published, as published and leak-free beside each other, a drawing a metric."""
    drawings: list[Drawn] = []
    for metric in figure.metrics:
        told = figure.told if metric == figure.metrics[0] else {}
        rows = [BarRow(name, _bars_of(found, cell, metric, told)) for cell, name in named]
        if figure.literature:
            rows += _others(found, figure.literature)
        if not any(row.bars for row in rows):
            continue
        done = [
            one for cell, _ in named for edition in found.editions
            if (one := found.done(cell.id, edition))
        ]  # fmt: skip
        words = {found.data_words(one.cell) for one in done} or {"nothing was run"}
        note = "; ".join(
            [*([title] if title else []), *sorted(words), f"{found.plan.budget} budget"]
        )
        group = found.shown(done[-1]).group_word if done else "group"
        drawing = FIGURES["bars"](rows, METRICS.get(metric, metric), note=note, group_word=group)
        drawings.append(placed(drawing, f"{anchor}-{len(drawings)}"))
    return tuple(drawings)


def _bars_of(
    found: Found, cell: Cell, metric: str, told: Mapping[str, float] | None = None
) -> dict[str, Bar]:
    bars = {}
    line = found.published(cell.id, metric)
    value = (told or {}).get(cell.id) if line is None else line.value
    if value is not None:
        bars["published"] = Bar(value)
    for edition in found.editions:
        one = _value(found, cell, edition, metric)
        if one is not None and one.value is not None:
            bars[SERIES[edition]] = Bar(one.value, one.low, one.high, one.n, one.groups)
    return bars


def _value(found: Found, cell: Cell, edition: str, metric: str) -> Measured | None:
    outcome = found.done(cell.id, edition)
    if outcome is None:
        return None
    line = found.published(cell.id, metric)
    averaging = "positive"
    if line is not None:
        averaging = found.protocol.table(line.published.table).measured_as
    return measured_figure(outcome, metric, averaging)


def _others(found: Found, table: str) -> list[BarRow]:
    return [
        BarRow(f"{row.name} (not measured here)", {"published": Bar(row.accuracy)})
        for context in literature(found.protocol)
        if context.table == table
        for row in context.rows
        if row.accuracy is not None
    ]


def box_drawings(
    found: Found, figure: Figure, cells: Sequence[Cell], anchor: str
) -> tuple[Drawn, ...]:
    """A box over the values of one axis for each system."""
    axis = found.protocol.axis(figure.over)
    systems: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        rest = (cell.arm, *(v for name, v in cell.values.items() if name != axis.name))
        systems.setdefault(rest, []).append(cell)
    names = cell_names(found.protocol, [one[0] for one in systems.values()], [axis.name])
    drawings: list[Drawn] = []
    for metric in figure.metrics:
        rows = []
        for name, mine in zip(names, systems.values(), strict=True):
            values: dict[str, list[float]] = {}
            for cell in mine:
                for series, bar in _bars_of(found, cell, metric).items():
                    values.setdefault(series, []).append(bar.value)
            rows.append(BoxRow(name, values))
        words = sorted({found.data_words(cell) for cell in cells})
        drawing = FIGURES["box"](
            rows,
            METRICS.get(metric, metric),
            axis.title.lower(),
            note="; ".join([*words, f"{found.plan.budget} budget"]),
        )
        drawings.append(placed(drawing, f"{anchor}-{len(drawings)}"))
    return tuple(drawings)
