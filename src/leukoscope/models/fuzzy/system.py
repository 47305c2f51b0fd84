"""A fuzzy system as data: inputs with their sets, the verdict's sets, rules with their reasons.

bhavsar2023 (III-A, Figure 7) says that a fuzzy inference system "may be incorporated to handle
uncertain or ambiguous cases" and publishes no input, set or rule: the systems in this folder
are a reconstruction, and every rule says why it is there.
"""

from __future__ import annotations

from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from pydantic import Field, model_validator

from ...errors import FuzzyError, suggestion
from ...files import write_atomic
from ...schema import Record, parse, read_toml
from .terms import Condition, condition, leaves

__all__ = [
    "SCHEMA",
    "SYSTEMS",
    "VERDICTS",
    "Calibration",
    "Floats",
    "FuzzySystem",
    "Gaussian",
    "Input",
    "MembershipFunction",
    "Output",
    "Rule",
    "Trapezoidal",
    "Triangular",
    "read_system",
    "write_system",
]

SCHEMA = 1
VERDICTS = ("normal", "refer", "blast")
SYSTEMS = ("three", "five")
"""The packaged systems, each a file ``NAME.toml`` beside this one."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


def _rising(points: tuple[float, ...]) -> None:
    if list(points) != sorted(points) or points[0] == points[-1]:
        raise ValueError(f"points are {list(points)}: they rise from left to right")


class Triangular(Record):
    """Rises from the first point to 1 at the second and falls to the third."""

    shape: Literal["triangular"] = "triangular"
    points: tuple[float, float, float]

    @model_validator(mode="after")
    def _in_order(self) -> Triangular:
        _rising(self.points)
        return self

    def __call__(self, x: Floats) -> Floats:
        """Membership of each value."""
        left, peak, right = self.points
        return _ramps(x, (left, peak, peak, right))


class Trapezoidal(Record):
    """1 between the second and third point, falling to 0 at the first and fourth."""

    shape: Literal["trapezoidal"] = "trapezoidal"
    points: tuple[float, float, float, float]

    @model_validator(mode="after")
    def _in_order(self) -> Trapezoidal:
        _rising(self.points)
        return self

    def __call__(self, x: Floats) -> Floats:
        """Membership of each value."""
        return _ramps(x, self.points)


class Gaussian(Record):
    """exp(−(x − mean)² / 2 sigma²)."""

    shape: Literal["gaussian"] = "gaussian"
    mean: float
    sigma: float = Field(gt=0)

    def __call__(self, x: Floats) -> Floats:
        """Membership of each value."""
        return np.asarray(np.exp(-((x - self.mean) ** 2) / (2 * self.sigma**2)))


def _ramps(x: Floats, points: tuple[float, float, float, float]) -> Floats:
    """A trapezium; a side of no width is a step, and the step's own place is inside."""
    a, b, c, d = points
    inside = ((x >= b) & (x <= c)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((x > a) & (x < b), (x - a) / (b - a), 0.0)
        falling = np.where((x > c) & (x < d), (d - x) / (d - c), 0.0)
    return np.where(np.isnan(x), np.nan, inside + rising + falling)


MembershipFunction = Annotated[Triangular | Trapezoidal | Gaussian, Field(discriminator="shape")]


class Input(Record):
    """One thing that is known of a cell."""

    name: str
    """``probability`` (calibrated, of the positive class) or a column of the measurements."""
    title: str
    """In words, for reasons and figures."""
    range: tuple[float, float]
    """Values beyond are taken as the nearer end."""
    fit: Literal["class", "pooled", "none"] = "none"
    """How the sets are fitted: see ``fitting``."""
    sets: dict[str, MembershipFunction]

    @model_validator(mode="after")
    def _has_room(self) -> Input:
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range of '{self.name}' is {list(self.range)}: low, then high")
        if not self.sets:
            raise ValueError(f"input '{self.name}' has no sets")
        if self.fit != "none" and (wanted := FITTED[self.fit]) != tuple(self.sets):
            raise ValueError(
                f"input '{self.name}' with fit = '{self.fit}' has the sets {', '.join(wanted)} in "
                f"this order, found {', '.join(self.sets)}"
            )
        return self


FITTED = {"class": ("low", "middle", "high"), "pooled": ("poor", "good")}
"""Which sets a rule of fitting makes."""


class Output(Record):
    """The score from 0 (normal) to 1 (blast), and where its verdicts lie."""

    range: tuple[float, float] = (0.0, 1.0)
    sets: dict[str, MembershipFunction]
    """Those of the three verdicts, in their order."""
    cuts: tuple[float, float]
    """Below the first the verdict is normal, from the second on it is blast, between it is
    refer."""
    grid: int = Field(default=2001, ge=11, le=100_001)
    """Points at which the joined sets are known; between them they are straight lines."""

    @model_validator(mode="after")
    def _three_verdicts(self) -> Output:
        low, high = self.range
        if tuple(self.sets) != VERDICTS:
            raise ValueError(
                f"the output has the sets {', '.join(VERDICTS)} in this order, found "
                f"{', '.join(self.sets)}"
            )
        if not low < self.cuts[0] <= self.cuts[1] < high:
            raise ValueError(f"cuts are {list(self.cuts)}: they rise, inside {[low, high]}")
        return self

    @property
    def places(self) -> Floats:
        """The grid, shape (grid,)."""
        return np.linspace(*self.range, self.grid)


class Rule(Record):
    """If this holds, then that verdict; and why."""

    if_: str = Field(alias="if")
    then: Literal["normal", "refer", "blast"]
    weight: float = Field(default=1.0, gt=0, le=1)
    """The strength of the rule is multiplied by it."""
    reason: str = Field(min_length=1)

    @cached_property
    def condition(self) -> Condition:
        """What ``if`` says."""
        return condition(self.if_)


class Calibration(Record):
    """Platt's scaling of the probability: σ(intercept + slope · logit p)."""

    intercept: float = 0.0
    slope: float = 1.0


class FuzzySystem(Record):
    """Everything that a fuzzy decision is."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    name: str
    title: str = ""
    source: str = ""
    fitted_on: str = ""
    """Which rows the sets and the calibration come from, in words; empty where none."""
    calibration: Calibration = Calibration()
    inputs: tuple[Input, ...]
    output: Output
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _rules_fit(self) -> FuzzySystem:
        sets = {one.name: one.sets for one in self.inputs}
        if not self.rules or not self.inputs:
            raise ValueError("a system has inputs and rules")
        if len(sets) < len(self.inputs):
            raise ValueError("two inputs have the same name")
        for number, rule in enumerate(self.rules, start=1):
            for leaf in leaves(rule.condition):
                if leaf.input not in sets:
                    raise ValueError(
                        f"rule {number}: no input '{leaf.input}'. {suggestion(leaf.input, sets)}"
                    )
                if leaf.set not in sets[leaf.input]:
                    raise ValueError(
                        f"rule {number}: '{leaf.input}' has no set '{leaf.set}'. "
                        f"{suggestion(leaf.set, sets[leaf.input])}"
                    )
        return self

    def input(self, name: str) -> Input:
        """The input of this name."""
        for one in self.inputs:
            if one.name == name:
                return one
        names = [one.name for one in self.inputs]
        raise FuzzyError(f"{self.name}: no input '{name}'. {suggestion(name, names)}")


def read_system(source: Path | str) -> FuzzySystem:
    """A packaged system by its name (``three``, ``five``), or one from a TOML file.

    Raises
    ------
    FuzzyError
        With the file and the key: unknown keys, points out of order, a rule about an input or a
        set that is not there.
    """
    if str(source) in SYSTEMS:
        with resources.as_file(resources.files(__package__) / f"{source}.toml") as path:
            return _read(path)
    path = Path(source)
    if not path.exists() and path.suffix != ".toml":
        raise FuzzyError(
            f"{source}: no such fuzzy system. {suggestion(str(source), SYSTEMS)} "
            "Or name a TOML file."
        )
    return _read(path)


def _read(path: Path) -> FuzzySystem:
    table = read_toml(path, what="fuzzy system", schema=SCHEMA, error=FuzzyError)
    return parse(FuzzySystem, table, where=str(path), error=FuzzyError)


def write_system(system: FuzzySystem, path: Path) -> None:
    """Write a system as TOML, atomically; the same file decides the same."""
    write_atomic(path, tomli_w.dumps(system.model_dump(mode="json", by_alias=True)))
