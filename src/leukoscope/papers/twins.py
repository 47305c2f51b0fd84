"""The measured twins of a paper's result figures, both editions side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..reports.drawings import Drawn
from ..reports.numbers import listed
from .cells import Cell
from .classes import ClassRow, classification_rows
from .found import Found, cell_names
from .plates import Named, bar_drawings, box_drawings, of_one_run, roc_drawings, tested_at
from .protocol import Figure
from .reasons import NOT_ASKED
from .runner import Outcome

__all__ = ["Block", "Column", "Heading", "Pair", "Report", "twins"]

OF_ONE_CELL = ("curves", "confusion", "classification-report")
"""Kinds that have a drawing for each cell, and its classification report under it."""
MOST_EXTRAS = 6
"""Cells beyond the paper that are drawn; the others stand in the list of cells."""


@dataclass(frozen=True)
class Heading:
    """One entry of the paper's figures."""

    numbers: tuple[str, ...]
    title: str
    claimed: bool


@dataclass(frozen=True)
class Report:
    """The classification report of one cell in one edition."""

    name: str
    edition: str
    data: str
    rows: tuple[ClassRow, ...]


@dataclass(frozen=True)
class Column:
    """One edition's side."""

    edition: str
    drawings: tuple[Drawn, ...] = ()
    report: Report | None = None
    absent: tuple[tuple[str, str], ...] = ()
    """Name and reason of what was not run; no name where that is everything."""


@dataclass(frozen=True)
class Pair:
    """What stands side by side; ``across`` are drawings that have both editions in one."""

    title: str
    columns: tuple[Column, ...] = ()
    across: tuple[Drawn, ...] = ()


@dataclass(frozen=True)
class Block:
    """Figures of the same cells, their twins, and the reports that stand beside."""

    anchor: str
    headings: tuple[Heading, ...]
    pairs: tuple[Pair, ...]
    reports: tuple[Report, ...]
    """Of figures that have several cells in one drawing."""
    reasons: tuple[str, ...] = ()
    """Why there is no twin at all."""

    @property
    def all_reasons(self) -> tuple[str, ...]:
        """Why this or that of it was not run, in its order."""
        absent = (one for pair in self.pairs for column in pair.columns for one in column.absent)
        return tuple(dict.fromkeys((*self.reasons, *(reason for _, reason in absent))))

    @property
    def title(self) -> str:
        """``Figures 5.7, 5.8 and 5.9``, or the places in the text."""
        numbers = [number for heading in self.headings for number in heading.numbers]
        if len(numbers) > 1 and all(number.startswith("Figure ") for number in numbers):
            return f"Figures {listed([number.removeprefix('Figure ') for number in numbers])}"
        return "; ".join(numbers)


def twins(found: Found) -> tuple[Block, ...]:
    """A block for each figure of the paper, in its order; figures of one cell stand together."""
    blocks = []
    for number, (_, group) in enumerate(itertools.groupby(found.protocol.figures, _together)):
        figures = tuple(group)
        blocks.append(_block(found, figures, f"figure-{number + 1}"))
    beyond = _beyond(found)
    return (*blocks, beyond) if beyond else tuple(blocks)


def _together(figure: Figure) -> Any:
    """Curves, matrix and ROC curve of one cell are one block; anything else stands alone."""
    alone = (*OF_ONE_CELL, "roc") if len(figure.cells) == 1 else OF_ONE_CELL
    return figure.cells, (figure.kind in alone and not figure.by) or figure.numbers


def _block(found: Found, figures: Sequence[Figure], anchor: str) -> Block:
    headings = tuple(Heading(f.numbers, f.title, f.claimed) for f in figures)
    named = _cells_of(found, figures[0])
    run = [
        (cell, edition) for cell, _ in named for edition in found.editions
        if found.done(cell.id, edition)
    ]  # fmt: skip
    if not run:
        reasons = [found.reason(c.id, e) for c, _ in named for e in found.editions]
        return Block(anchor, headings, (), (), tuple(dict.fromkeys(reasons)) or (NOT_ASKED,))
    pairs: dict[str, Pair] = {}
    folded: dict[tuple[str, str], Report] = {}
    for figure in figures:
        for key, pair in _pairs(found, figure, named, anchor):
            pairs[key] = _joined(pairs[key], pair) if key in pairs else pair
    beside = {
        (column.report.name, column.edition)
        for pair in pairs.values()
        for column in pair.columns
        if column.report
    }
    for cell, name in named:
        for edition in found.editions:
            outcome = found.done(cell.id, edition)
            if outcome is not None and (name, edition) not in beside:
                folded[name, edition] = _report(found, outcome, name)
    whole = all(figure.kind in OF_ONE_CELL for figure in figures)
    over_epochs = whole and len(pairs) < len(named)
    return Block(
        anchor, headings, tuple(pairs.values()), () if over_epochs else tuple(folded.values())
    )


def _cells_of(found: Found, figure: Figure) -> list[tuple[Cell, str]]:
    """The cells here that a figure is of, with their names; in the figure's own order."""
    named: dict[str, tuple[Cell, str]] = {}
    for number, condition in enumerate(figure.cells):
        for cell in found.meets(condition):
            name = figure.names[number] if figure.names else ""
            named.setdefault(cell.id, (cell, name))
    cells = [cell for cell, _ in named.values()]
    derived = cell_names(found.protocol, cells)
    return [
        (cell, name or other) for (cell, name), other in zip(named.values(), derived, strict=True)
    ]


def _pairs(found: Found, figure: Figure, named: Named, anchor: str) -> Iterator[tuple[str, Pair]]:
    if figure.kind == "curves":
        for cell, name in _longest(found, named):
            yield cell.id, _of_cell(found, cell, name, anchor, ("curves",), named)
    elif figure.kind in ("confusion", "classification-report"):
        kinds = ("confusion",) if figure.kind == "confusion" else ()
        for cell, name in named:
            yield cell.id, _of_cell(found, cell, name, anchor, kinds)
    elif figure.kind == "roc" and len(figure.cells) == 1 and len(named) == 1:
        yield named[0][0].id, _of_cell(found, *named[0], anchor, ("roc",))
    elif figure.kind == "roc":
        absent = [
            (name, NOT_ASKED)
            for name, condition in zip(figure.names, figure.cells, strict=False)
            if not found.meets(condition)
        ]
        for title, part in _parts(found, figure, named):
            yield f"roc {title}", _roc_of_several(found, part, title, anchor, absent)
    elif figure.kind == "bars":
        drawings = [
            drawing
            for title, part in _parts(found, figure, named)
            for drawing in bar_drawings(found, figure, part, title, f"{anchor}-{title}")
        ]
        yield "bars", Pair("", across=tuple(drawings))
    else:
        cells = [cell for cell, _ in named]
        yield "box", Pair("", across=box_drawings(found, figure, cells, anchor))


def _parts(found: Found, figure: Figure, named: Named) -> Iterator[tuple[str, Named]]:
    """The cells by the axes of which each value has a drawing of its own."""
    axes = [found.protocol.axis(name) for name in figure.by]
    groups: dict[str, list[Cell]] = {}
    for cell, _ in named:
        values = [axis.value(cell.values[axis.name]) for axis in axes]
        groups.setdefault(", ".join(v.title or v.name for v in values), []).append(cell)
    own = {cell.id: name for cell, name in named}
    for title, cells in groups.items():
        names = (
            cell_names(found.protocol, cells, figure.by)
            if figure.by and not figure.names
            else [own[cell.id] for cell in cells]
        )
        yield title, list(zip(cells, names, strict=True))


def _longest(found: Found, named: Named) -> list[tuple[Cell, str]]:
    """Of cells that differ in their number of epochs alone, the one that was trained longest."""
    axes = [
        axis.name
        for axis in found.protocol.axes
        if all(set(value.settings) == {"training.epochs"} for value in axis.values)
    ]
    best: dict[tuple[str, ...], Cell] = {}
    for cell, _ in named:
        key = (cell.arm, *(v for axis, v in cell.values.items() if axis not in axes))
        before = best.get(key)
        if before is None or _epochs(cell) > _epochs(before):
            best[key] = cell
    cells = list(best.values())
    if len(cells) == len(named):
        return list(named)
    return list(zip(cells, cell_names(found.protocol, cells, axes), strict=True))


def _epochs(cell: Cell) -> int:
    return int(cell.settings["training.epochs"])


def _of_cell(
    found: Found,
    cell: Cell,
    name: str,
    anchor: str,
    kinds: Sequence[str],
    named: Named = (),
) -> Pair:
    """``named`` are the cells that may be measured on the way of this one's training."""
    columns = []
    for edition in found.editions:
        outcome = found.done(cell.id, edition)
        if outcome is None:
            columns.append(Column(edition, absent=(("", found.reason(cell.id, edition)),)))
            continue
        shown = found.shown(outcome)
        note = found.note(outcome, name)
        tested = tested_at(found, outcome, [*(one for one, _ in named), cell])
        drawn = [
            of_one_run(shown, kind, note, f"{shown.anchor}-{anchor}", tested) for kind in kinds
        ]
        columns.append(
            Column(
                edition,
                tuple(itertools.chain.from_iterable(drawn)),
                _report(found, outcome, name),
            )
        )
    return Pair(name, tuple(columns))


def _joined(first: Pair, second: Pair) -> Pair:
    """The drawings of two figures of one cell, one above the other."""
    columns = tuple(
        replace(a, drawings=a.drawings + b.drawings, report=a.report or b.report)
        for a, b in zip(first.columns, second.columns, strict=True)
    )
    return replace(first, columns=columns, across=first.across + second.across)


def _report(found: Found, outcome: Outcome, name: str) -> Report:
    assert outcome.run is not None
    rows = classification_rows(found.shown(outcome).run.metrics)
    return Report(name, outcome.run.edition, found.data_words(outcome.cell), rows)


def _roc_of_several(
    found: Found, named: Named, title: str, anchor: str, absent: Sequence[tuple[str, str]]
) -> Pair:
    """One curve a system; with more than two classes one drawing a system, one curve a class."""
    columns = []
    for edition in found.editions:
        done = [(one, name) for cell, name in named if (one := found.done(cell.id, edition))]
        if not done:
            reasons = dict.fromkeys(found.reason(cell.id, edition) for cell, _ in named)
            columns.append(Column(edition, absent=tuple(("", reason) for reason in reasons)))
            continue
        drawings = list(roc_drawings(found, done, f"{anchor}-{edition}"))
        missing = [*absent] + [
            (name, found.reason(cell.id, edition))
            for cell, name in named
            if found.done(cell.id, edition) is None
        ]
        columns.append(Column(edition, tuple(drawings), absent=tuple(missing)))
    return Pair(title, tuple(columns))


def _beyond(found: Found) -> Block | None:
    """Cells that the paper does not have and that were asked for by name: curves and matrix."""
    extras = [cell for cell in found.cells if _is_extra(found, cell)]
    run = [c for c in extras if any(found.done(c.id, e) for e in found.editions)]
    if not run:
        return None
    drawn = run[:MOST_EXTRAS]
    names = cell_names(found.protocol, drawn)
    above = {
        (cell.id, figure.kind)
        for figure in found.protocol.figures
        for cell, _ in _cells_of(found, figure)
    }
    pairs = []
    for cell, name in zip(drawn, names, strict=True):
        kinds = [kind for kind in ("curves", "confusion", "roc") if (cell.id, kind) not in above]
        pairs.append(_of_cell(found, cell, name, "beyond", kinds))
    title = "Systems that the paper does not measure, drawn as it draws its own"
    if len(run) > len(drawn):
        title += f": the first {len(drawn)} of {len(run)}"
    return Block(
        "beyond", (Heading(("Beyond the paper",), title, claimed=False),), tuple(pairs), ()
    )


def _is_extra(found: Found, cell: Cell) -> bool:
    if found.protocol.arm(cell.arm).extra:
        return True
    return any(found.protocol.axis(name).value(value).extra for name, value in cell.values.items())
