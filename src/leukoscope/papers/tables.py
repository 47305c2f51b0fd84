"""The paper's tables as the page shows them: each printed cell with its twin, or why none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..evaluation.cautions import ENOUGH_GROUPS
from ..reports.numbers import counted, decimal, interval, signed
from .counts import Count
from .literature import Context, described, literature
from .measuring import Measured
from .network_cost import CellCost
from .optimism import expected_maximum, optimism
from .planner import Plan
from .protocol import TableFacts
from .reasons import Legend, Mark
from .reproduction import Line, audited, metric_title

__all__ = ["Counted", "Row", "Shown", "ShownCost", "ShownTable", "shown", "shown_cost", "tables"]

INFERRED = "Subjects are not published: the groups are inferred, and so are the intervals"
FEW = f"A class has fewer than {ENOUGH_GROUPS} groups: its intervals cannot be trusted"


@dataclass(frozen=True)
class Shown:
    """A measured figure as the page prints it; ``mark`` where it or its interval is absent."""

    value: str = ""
    ends: str = ""
    basis: str = ""
    """Its images and groups."""
    cautions: tuple[Mark, ...] = ()
    """What weakens its interval: groups that are inferred, or a class with few of them."""
    mark: Mark | None = None


@dataclass(frozen=True)
class ShownCost:
    """What a cell cost, as the page prints it."""

    parameters: str
    gflop: str
    vector: str
    epochs: str
    """As many as it was trained, which a smoke budget makes fewer than the paper's."""
    seconds: tuple[str, ...]
    """For each edition."""


@dataclass(frozen=True)
class Row:
    """One figure as the page shows it."""

    line: str
    """Its name, on the first figure of the line only."""
    figures: int
    """How many the line has."""
    setting: str
    """What the grid calls it."""
    metric: str
    published: str
    impossible: bool
    measured: tuple[Shown, ...]
    """For each edition."""
    gap: str
    cost: ShownCost | None
    """On the first figure of the line."""


@dataclass(frozen=True)
class Counted:
    """One count as the page shows it."""

    line: str
    """The row's name, on its first count only."""
    counts: int
    """How many the row has."""
    column: str
    published: str
    here: tuple[Shown, ...]
    """For each edition, or one for both where they are equal in the whole table."""
    differs: bool
    """From the printed one, where arithmetic alone decides."""


@dataclass(frozen=True)
class ShownTable:
    """One table of the paper."""

    name: str
    title: str
    chosen: str
    """What choosing the best on the test part brings."""
    rows: tuple[Row, ...]
    counts: tuple[Counted, ...]
    described: Context | None
    reason: str
    """Why what only describes has no twin."""
    context: Context | None

    @property
    def called(self) -> str:
        """``Table 5.2``, ``Text of §4.4``."""
        return self.name.replace("text ", "Text of §", 1).replace("challenge", "Challenge")

    @property
    def costed(self) -> bool:
        """Whether anything of it was run."""
        return any(row.cost for row in self.rows)

    @property
    def same(self) -> bool:
        """Whether the counts are the same in all editions."""
        return all(len(count.here) == 1 for count in self.counts)


def tables(
    plan: Plan, lines: Sequence[Line], counts: Sequence[Count], legend: Legend
) -> tuple[ShownTable, ...]:
    """Every table that the paper prints, in its order."""
    protocol = plan.protocol
    others = {one.table: one for one in literature(protocol, audited(protocol))}
    telling = {one.table: one for one in described(protocol)}
    found = []
    for table in protocol.tables:
        mine = [line for line in lines if line.published.table == table.name]
        mine_counted = [count for count in counts if count.published.table == table.name]
        found.append(
            ShownTable(
                name=table.name,
                title=table.title,
                chosen=_chosen(table, mine),
                rows=_rows(plan, mine, legend),
                counts=_counted(plan, mine_counted, legend),
                described=telling.get(table.name),
                reason=table.described,
                context=others.get(table.name),
            )
        )
    return tuple(found)


def _rows(plan: Plan, lines: Sequence[Line], legend: Legend) -> tuple[Row, ...]:
    together: dict[str, list[Line]] = {}
    for line in lines:
        together.setdefault(line.published.line, []).append(line)
    return tuple(
        Row(
            line=name if not number else "",
            figures=len(some),
            setting="" if number else line.ran.partition("/")[2].replace(",", ", "),
            metric=metric_title(plan.protocol.table(line.published.table), line.published.metric),
            published=line.published.value,
            impossible=line.audit == "impossible" and not number,
            measured=tuple(shown(line.measured[e], legend) for e in plan.protocol.editions),
            gap=signed(line.gap) if line.gap is not None else "—",
            cost=None if number else shown_cost(plan, line.costs, line.epochs),
        )
        for name, some in together.items()
        for number, line in enumerate(some)
    )


def shown(measured: Measured, legend: Legend) -> Shown:
    """A measured figure with what it stands on, or the letter of its reason."""
    if measured.value is None:
        return Shown(mark=legend.mark(measured.reason))
    ends = interval(measured.low, measured.high) if measured.low is not None else ""
    why = measured.reason or "too few groups for an interval"
    return Shown(
        decimal(measured.value),
        ends,
        _basis(measured),
        _cautions(measured, legend) if ends else (),
        None if ends else legend.mark(why, "no interval"),
    )


def _basis(measured: Measured) -> str:
    """``n = 280, 68 groups``: what a figure stands on."""
    words = [f"n = {measured.n:,}"] if measured.n else []
    if measured.groups:
        words.append(counted(measured.groups, "group"))
    return ", ".join(words)


def _cautions(measured: Measured, legend: Legend) -> tuple[Mark, ...]:
    inferred = [legend.mark(INFERRED, "inferred")] if measured.inferred else []
    few = [legend.mark(FEW, "few groups")] if measured.few else []
    return (*inferred, *few)


def _counted(plan: Plan, counts: Sequence[Count], legend: Legend) -> tuple[Counted, ...]:
    editions = plan.protocol.editions
    same = all(
        len({table.get(edition) for edition in editions}) == 1
        for count in counts
        for table in (count.here, count.reasons)
    )
    together: dict[str, list[Count]] = {}
    for count in counts:
        together.setdefault(count.published.row, []).append(count)
    return tuple(
        Counted(
            line=name if not number else "",
            counts=len(some),
            column=count.published.column,
            published=count.published.value,
            here=tuple(_here(count, e, legend) for e in (editions[:1] if same else editions)),
            differs=count.published.kind == "layers" and _differs(count),
        )
        for name, some in together.items()
        for number, count in enumerate(some)
    )


def _here(count: Count, edition: str, legend: Legend) -> Shown:
    if edition in count.reasons:
        return Shown(mark=legend.mark(count.reasons[edition]))
    return Shown(count.here.get(edition, "—"))


def _differs(count: Count) -> bool:
    cell, here = count.published, next(iter(count.here.values()), "")
    if not here:
        return False
    if cell.number is not None:
        return f"{cell.number:,.0f}" != here
    return cell.value != here


def shown_cost(plan: Plan, costs: Mapping[str, CellCost], epochs: int) -> ShownCost | None:
    """What stands beside an accuracy; None where nothing was run."""
    from ..progress import duration

    if not costs:
        return None
    one = list(costs.values())[-1]
    return ShownCost(
        parameters="—" if one.parameters is None else f"{one.parameters:,}",
        gflop="—" if one.gflop is None else f"{one.gflop:.3g}",
        vector="—" if one.vector_length is None else f"{one.vector_length:,}",
        epochs=counted(epochs, "epoch"),
        seconds=tuple(
            duration(costs[e].seconds) if e in costs else "—" for e in plan.protocol.editions
        ),
    )


def _chosen(table: TableFacts, lines: Sequence[Line]) -> str:
    """What choosing the best on the test part brings by chance alone."""
    if table.best_of < 2:
        return ""
    text = (
        f"Each published figure is the best of {table.best_of} test results. Were all equally "
        f"good, the best would lie {expected_maximum(table.best_of):.1f} standard errors above the "
        "truth by chance"
    )
    accuracies = [
        line.value
        for line in lines
        if line.published.metric == "accuracy" and line.value is not None
    ]
    if table.test_images and accuracies:
        best = max(accuracies)
        by_chance = optimism(best, table.test_images, table.best_of)
        text += f": {by_chance:.3f} at {best:.3f} of {table.test_images:,} images"
    return text + "."
