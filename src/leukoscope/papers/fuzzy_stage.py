"""The fuzzy decision that a paper puts behind its networks: made after the grid, run by run.

Verdicts lie in the run's own folder (``runs/EDITION/CELL/SYSTEM``), so that the run's report shows
them too; a decision that is there already is read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..decision import decide_run
from ..errors import FuzzyError
from ..models.fuzzy import read_system
from ..progress import Progress
from ..records.run import Run
from ..records.verdicts import (
    Verdicts,
    find_verdicts,
    of_these_predictions,
    read_curves,
    read_verdicts,
)
from ..reports.drawings import Drawn, fuzzy_figures
from ..reports.numbers import counted, listed, signed
from .cells import Cell
from .planner import Plan
from .protocol import FuzzyStage
from .runner import Outcome
from .sources import DataUsed

__all__ = ["StageShown", "Staged", "fuzzy_stage", "stage_shown"]


@dataclass(frozen=True)
class Staged:
    """The fuzzy decision of one cell, or why there is none."""

    cell: Cell
    edition: str
    folder: Path
    verdicts: Verdicts | None
    reason: str = ""


def fuzzy_stage(
    plan: Plan, outcomes: Sequence[Outcome], sources: Mapping[str, DataUsed], progress: Progress
) -> tuple[Staged, ...]:
    """Decide every cell that the protocol's ``[fuzzy]`` names and that was run."""
    stage = plan.protocol.fuzzy
    if stage is None:
        return ()
    found = []
    for one in outcomes:
        if one.run is None or one.folder != one.run.folder or not _named(stage, one.cell):
            continue
        folder = one.run.folder / stage.system
        try:
            images = sources[one.cell.data].manifest.folder
            verdicts = _verdicts(stage, one.run, images, folder, progress)
            found.append(Staged(one.cell, one.run.edition, folder, verdicts))
        except FuzzyError as reason:
            found.append(Staged(one.cell, one.run.edition, folder, None, str(reason)))
    return tuple(found)


def _named(stage: FuzzyStage, cell: Cell) -> bool:
    return all(cell.values.get(axis) in values for axis, values in stage.cells.items())


def _verdicts(
    stage: FuzzyStage, run: Run, images: Path, folder: Path, progress: Progress
) -> Verdicts:
    if folder in find_verdicts(run.folder):
        before = read_verdicts(folder)
        if of_these_predictions(before, run.folder):
            return before
    return decide_run(run, read_system(stage.system), images, folder, progress=progress)


@dataclass(frozen=True)
class StageRow:
    """One cell as the page shows it."""

    cell: str
    edition: str
    referred: str
    fuzzy: str
    plain: str
    difference: str
    ends: str
    groups: int
    told: str
    """Who wins."""


@dataclass(frozen=True)
class StageShown:
    """The section of the reproduction's page."""

    where: str
    reason: str
    summary: str
    rows: tuple[StageRow, ...]
    undecided: tuple[tuple[str, tuple[str, ...]], ...]
    """Reason → the cells that have it."""
    notes: tuple[str, ...]
    first: str
    """The cell whose system is drawn."""
    figures: tuple[Drawn, ...]


def stage_shown(plan: Plan, staged: Sequence[Staged]) -> StageShown | None:
    """What the page says of the fuzzy stage; None where the paper has none, or nothing was run."""
    stage = plan.protocol.fuzzy
    if stage is None or not staged:
        return None
    decided = [(one, one.verdicts) for one in staged if one.verdicts is not None]
    undecided: dict[str, list[str]] = {}
    for one in staged:
        if one.verdicts is None:
            undecided.setdefault(one.reason, []).append(f"{one.edition}: {one.cell.id}")
    rows = tuple(_row(one, verdicts) for one, verdicts in decided)
    notes = dict.fromkeys(note for _, verdicts in decided for note in verdicts.notes)
    return StageShown(
        where=stage.where,
        reason=stage.reason,
        summary=_summary([verdicts for _, verdicts in decided]),
        rows=rows,
        undecided=tuple((reason, tuple(ids)) for reason, ids in undecided.items()),
        notes=tuple(notes),
        first=decided[0][0].cell.id if decided else "",
        figures=fuzzy_figures(read_curves(decided[0][0].folder), "stage") if decided else (),
    )


def _told(verdicts: Verdicts) -> str:
    """Who wins: the interval decides, as in ``evaluation.referral``."""
    difference = verdicts.comparison.difference
    value, low, high = difference.value, difference.low, difference.high
    if value is None:
        return "cannot be judged, as it answers no cell"
    if low is None or high is None:
        return "loses, without an interval" if value > 0 else "no difference is shown"
    if low > 0:
        return "loses"
    return "wins" if high < 0 else "no difference is shown"


def _summary(decided: Sequence[Verdicts]) -> str:
    if not decided:
        return "No cell could be decided on."
    told = [_told(verdicts) for verdicts in decided]
    parts = [f"{name} in {told.count(name)}" for name in dict.fromkeys(told)]
    cells = counted(len(told), "cell")
    return (
        "At the same referral rate as a plain band on the calibrated probability, of "
        f"{cells} the fuzzy system {listed(parts)}."
    )


def _row(one: Staged, verdicts: Verdicts) -> StageRow:
    found = verdicts.comparison
    low, high = found.difference.low, found.difference.high
    return StageRow(
        cell=one.cell.id,
        edition=one.edition,
        referred=f"{found.a.referred:,} of {found.cells:,}",
        fuzzy=f"{found.a.errors:,} of {found.a.answered:,}",
        plain=f"{found.b.errors:,} of {found.b.answered:,}",
        difference=signed(found.difference.value),
        ends=f"{signed(low)} to {signed(high)}" if low is not None else found.difference.reason,
        groups=found.difference.groups,
        told=_told(verdicts),
    )
