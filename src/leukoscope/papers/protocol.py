"""A paper as data: its grid, what it leaves open, what it printed, where it fails.

``papers/<id>.toml`` is written by a person who read the paper; ``papers/<id>.csv`` beside it has
every cell of its tables as printed. Nothing of a paper stands in code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, model_validator

from ..errors import ProtocolError, suggestion
from ..evaluation.printed import Averaging, Rounding
from ..records.split import Edition
from ..schema import Record, parse, read_toml

__all__ = [
    "Arm",
    "Axis",
    "AxisValue",
    "Fault",
    "Figure",
    "FigureKind",
    "FuzzyStage",
    "OperatingStage",
    "Protocol",
    "Reading",
    "Source",
    "TableFacts",
    "Unpublished",
    "read_protocol",
]

SCHEMA = 1
Settings = dict[str, Any]
"""Dotted keys of an experiment and their values; ``{axis}`` in a text is that axis's value."""


class Source(Record):
    """A data set of the paper, by its catalogue name (the key of its table)."""

    title: str
    rendered: str
    """The rendered set in the same layout."""
    substitute: str = ""
    """The nearest real set that may stand in, labelled as a substitute."""
    images: dict[str, int]
    """Images of each class as published; draws are scaled by it where there are fewer."""
    smoke: int = Field(default=0, ge=0)
    """Images that are drawn of it at the smoke budget (``data.sample``), where there are more; 0
    takes all."""
    without_test: Settings = Field(default_factory=dict)
    """How it is divided where the data that is here has no official test part."""


class AxisValue(Record):
    """One value of an axis of the grid."""

    name: str = Field(pattern=r"^[^,=/+\s]+$")
    title: str = ""
    extra: bool = False
    """Not measured in the paper; part of the grid only where it is asked for by name."""
    data: str = ""
    n: int = 0
    """Test images behind the paper's figures; 0 where they are not known."""
    positives: float = 0
    """Positive ones among them: a count, or a share below 1 where only that is known."""
    settings: Settings = Field(default_factory=dict)
    as_published: Settings = Field(default_factory=dict)
    leak_free: Settings = Field(default_factory=dict)


class Axis(Record):
    """One axis of the grid."""

    name: str
    title: str
    where: str = ""
    """The place in the paper."""
    values: tuple[AxisValue, ...]

    def value(self, name: str) -> AxisValue:
        """The value of that name; raises ProtocolError with near names."""
        for value in self.values:
            if value.name == name:
                return value
        known = [value.name for value in self.values]
        raise ProtocolError(f"axis '{self.name}' has no value '{name}'. {suggestion(name, known)}")


class Arm(Record):
    """A part of the grid: the product of some of its axes."""

    name: str
    title: str
    axes: tuple[str, ...]
    cells: int
    """How many there are, extras not counted; held to the product when the file is read."""
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Axis → the values that this arm has, where not all."""
    data: str = ""
    n: int = 0
    positives: float = 0
    extra: bool = False
    """Not in the paper; part of the grid only where it, or an axis that no other arm has, is asked
    for by name."""
    stands_for: dict[str, str] = Field(default_factory=dict)
    """Value of one of its axes → the paper's cell, in whose place its own stands in the tables
    where that was not run: another reading of the same figures."""
    after: str = ""
    """The cell whose trained weights this one begins with (chained transfer)."""
    settings: Settings = Field(default_factory=dict)
    as_published: Settings = Field(default_factory=dict)
    leak_free: Settings = Field(default_factory=dict)


class Reading(Record):
    """How many trainings the paper claims, and which."""

    name: str
    cells: int
    reason: str
    arms: tuple[str, ...] = ()
    """Empty: all."""
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class FuzzyStage(Record):
    """A fuzzy decision behind some of the networks; made after the grid (``fuzzy_stage``)."""

    system: str
    """A packaged system (``models.fuzzy.SYSTEMS``)."""
    cells: dict[str, tuple[str, ...]]
    """Axis → values: the cells that are decided."""
    where: str
    """The place in the paper."""
    reason: str


class OperatingStage(Record):
    """Calibration and threshold found on validation groups, applied unchanged to the test part."""

    reason: str


class Unpublished(Record):
    """Something that the paper leaves open and a reproduction must choose."""

    what: str
    chosen: str
    reason: str
    alternatives: tuple[str, ...] = ()
    setting: str = ""
    """The key of the experiment that changes it; empty where none does."""


class TableFacts(Record):
    """What must be known of a published table to read and audit it."""

    name: str
    cells: int
    """How many the CSV beside this file holds of it."""
    title: str = ""
    averaging: Averaging = "any"
    measured_as: Literal["positive", "macro", "weighted"] = "positive"
    """Averaging of the measured figures that stand beside."""
    truly: dict[str, str] = Field(default_factory=dict)
    """Printed metric → what its figures are in truth, which is measured beside them."""
    rounding: Rounding = "either"
    rounding_of: dict[str, Rounding] = Field(default_factory=dict)
    best_of: int = 0
    """Of how many test results each figure is the best; 0 where nothing was chosen on the test."""
    test_images: int = 0
    """Behind each figure, as far as the paper says or its fractions tell; 0 where not known."""
    described: str = ""
    """Why its cells that are no result, count or setting have no twin here."""
    digits: dict[str, int] = Field(default_factory=dict)
    """Metric → digits that carry meaning, where the print shows more (0.820 for 0.82) or fewer."""


FigureKind = Literal["curves", "roc", "confusion", "bars", "box", "classification-report"]


class Figure(Record):
    """Result figures of the paper that have one measured twin."""

    numbers: tuple[str, ...]
    """As printed (``Figure 5.1``); the place in the text where a figure has none."""
    title: str
    """What it shows."""
    kind: FigureKind
    cells: tuple[str, ...]
    """Conditions as ``--only`` takes them: the cells that it is of, in its own order."""
    names: tuple[str, ...] = ()
    """Of the cells, one for each condition; without them the axes' titles tell them apart."""
    by: tuple[str, ...] = ()
    """Axes of which each value has a drawing of its own."""
    over: str = ""
    """Of a box plot: the axis over whose values a box stands."""
    metrics: tuple[str, ...] = ("accuracy",)
    """Of bars and boxes, as the published tables call them."""
    literature: str = ""
    """Of bars: the table whose accuracies of other works stand beside."""
    told: dict[str, float] = Field(default_factory=dict)
    """Of bars: cell → its first metric as a fraction, where the text tells it and no table has
    it."""
    claimed: bool = False
    """Announced in the text, and not shown."""


class Fault(Record):
    """Something wrong in the paper, and where."""

    id: str
    where: str
    kind: Literal["numeric", "textual", "design"]
    text: str


class Note(Record):
    """A remark."""

    text: str


class Protocol(Record):
    """One paper."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    id: str
    citation: str
    task: str
    positive: str = ""
    """The positive class; empty where there are more than two."""
    editions: tuple[Edition, ...]
    settings: Settings
    """Of every cell."""
    edition: dict[Edition, Settings]
    data: dict[str, Source]
    axes: tuple[Axis, ...]
    arms: tuple[Arm, ...]
    readings: tuple[Reading, ...]
    fuzzy: FuzzyStage | None = None
    operating: OperatingStage | None = None
    unpublished: tuple[Unpublished, ...]
    tables: tuple[TableFacts, ...]
    figures: tuple[Figure, ...] = ()
    """The paper's result figures, in its order."""
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Protocol:
        """Every name that is used is defined, and the arms are as large as they say."""
        for arm in self.arms:
            for name in (*arm.axes, *arm.values):
                self.axis(name)
            count = 1
            for axis in arm.axes:
                allowed = values_of(arm, self.axis(axis))
                count *= sum(not value.extra for value in allowed)
                for value in allowed:
                    self._known_data(value.data)
            self._known_data(arm.data)
            if count != arm.cells:
                raise ValueError(f"arm '{arm.name}' has {count} cells and says {arm.cells}")
        for axis, names in (self.fuzzy.cells if self.fuzzy else {}).items():
            for name in names:
                self.axis(axis).value(name)
        for reading in self.readings:
            for name in reading.arms:
                self.arm(name)
            for axis, names in reading.only.items():
                for name in names:
                    self.axis(axis).value(name)
        for figure in self.figures:
            self._figure_fits(figure)
        return self

    def _figure_fits(self, figure: Figure) -> None:
        for name in (*figure.by, *([figure.over] if figure.over else ())):
            self.axis(name)
        if figure.literature:
            self.table(figure.literature)
        if figure.names and len(figure.names) != len(figure.cells):
            raise ValueError(
                f"{', '.join(figure.numbers)}: {len(figure.names)} names for "
                f"{len(figure.cells)} conditions"
            )
        if (figure.kind == "box") != bool(figure.over):
            raise ValueError(f"{', '.join(figure.numbers)}: 'over' belongs to a box plot")

    def _known_data(self, name: str) -> None:
        if name and name not in self.data:
            raise ValueError(f"data set '{name}' has no table [data.{name}]")

    def axis(self, name: str) -> Axis:
        """The axis of that name; raises ProtocolError with near names."""
        return _named(self.axes, name, f"{self.id}: no axis of the grid is called")

    def arm(self, name: str) -> Arm:
        """The arm of that name; raises ProtocolError with near names."""
        return _named(self.arms, name, f"{self.id}: no arm of the grid is called")

    def own_axes(self, arm: Arm) -> frozenset[str]:
        """Axes that only this arm has, or only arms that are extra as it is."""
        others = {axis for one in self.arms if not one.extra for axis in one.axes}
        return frozenset(arm.axes) - others

    @property
    def own_data(self) -> frozenset[str]:
        """The data sets of arms that are not extra."""
        arms = [arm for arm in self.arms if not arm.extra]
        names = {arm.data for arm in arms}
        for arm in arms:
            names |= {v.data for axis in arm.axes for v in values_of(arm, self.axis(axis))}
        return frozenset(names - {""})

    def reading(self, name: str) -> Reading:
        """The reading of that name; raises ProtocolError with near names."""
        return _named(self.readings, name, f"{self.id}: no reading of the grid is called")

    def table(self, name: str) -> TableFacts:
        """Facts of a published table; raises ProtocolError with near names."""
        return _named(self.tables, name, f"{self.id}: no table is called")


N = TypeVar("N", Axis, Arm, Reading, TableFacts)


def _named(items: Sequence[N], name: str, words: str) -> N:
    for item in items:
        if item.name == name:
            return item
    raise ProtocolError(f"{words} '{name}'. {suggestion(name, [item.name for item in items])}")


def values_of(arm: Arm, axis: Axis) -> tuple[AxisValue, ...]:
    """The values of an axis that an arm has, extras among them."""
    if axis.name not in arm.values:
        return axis.values
    return tuple(axis.value(name) for name in arm.values[axis.name])


def filled(settings: Settings, chosen: dict[str, str]) -> Settings:
    """Settings with ``{axis}`` replaced by the name of the chosen value."""
    return {key: _filled(value, chosen) for key, value in settings.items()}


def _filled(value: Any, chosen: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: chosen[match[1]], value)
    return value


@lru_cache(maxsize=16)
def read_protocol(paper: str) -> Protocol:
    """The protocol of a paper by its id, or of a TOML file by its path.

    Raises
    ------
    ProtocolError
        When there is no such paper (near names are told), a key is unknown, or the parts of the
        file do not fit each other.
    """
    from . import PAPERS

    if paper.endswith(".toml"):
        path = Path(paper)
    else:
        if paper not in PAPERS:
            raise ProtocolError(f"'{paper}' is no paper. {suggestion(paper, PAPERS)}")
        path = Path(str(resources.files("leukoscope.papers") / f"{paper}.toml"))
    table = read_toml(path, what="protocol", schema=SCHEMA, error=ProtocolError)
    return parse(Protocol, table, where=path.name, error=ProtocolError)
