"""A fuzzy system drawn: its sets as curves, its score over two inputs."""

from __future__ import annotations

import numpy as np

from ..errors import FuzzyError
from ..figures.decision_surface import Surface
from ..figures.memberships import Panel
from ..models.fuzzy import infer
from ..models.fuzzy.system import VERDICTS, Floats, FuzzySystem, Input
from ..records.verdicts import Curves, Plane, Variable

__all__ = ["curves_of", "panels", "surface"]

CURVE_POINTS = 401
SURFACE_POINTS = 61
DIGITS = 4
"""Finer than a printed figure shows."""


def panels(system: FuzzySystem) -> list[Panel]:
    """Every input's sets as curves, and the verdict's, for ``figures.memberships``."""
    made = []
    for one in system.inputs:
        x = np.linspace(*one.range, CURVE_POINTS)
        made.append(Panel(one.name, one.title, x, {n: f(x) for n, f in one.sets.items()}))
    x = system.output.places
    sets = {name: system.output.sets[name](x) for name in VERDICTS}
    made.append(Panel("score", "score (verdict)", x, sets, system.output.cuts))
    return made


def surface(system: FuzzySystem, across: str = "", up: str = "") -> Surface:
    """The score over two inputs (the first two by default), the others where they decide least.

    Raises
    ------
    FuzzyError
        When there are fewer than two inputs, or no such input.
    """
    if len(system.inputs) < 2:
        raise FuzzyError(f"{system.name}: a surface needs two inputs, found one.")
    first = system.input(across) if across else system.inputs[0]
    rest = [one for one in system.inputs if one.name != first.name]
    second = system.input(up) if up else rest[0]
    if first.name == second.name:
        raise FuzzyError(f"{system.name}: a surface needs two inputs, found '{first.name}' twice.")
    x, y = np.linspace(*first.range, SURFACE_POINTS), np.linspace(*second.range, SURFACE_POINTS)
    grid = np.meshgrid(x, y)
    values = {one.name: np.full(grid[0].size, _undecided(one)) for one in system.inputs}
    values[first.name], values[second.name] = grid[0].ravel(), grid[1].ravel()
    score = infer(system, values).score.reshape(grid[0].shape)
    held = {
        one.title: _undecided(one)
        for one in system.inputs
        if one.name not in (first.name, second.name)
    }
    return Surface(x, y, score, first.title, second.title, system.output.cuts, held)


def _undecided(one: Input) -> float:
    """Where an input says neither one nor the other, or no harm: the peak of its middle set.

    Of an even number of sets (poor, good) it is that of the last, from where it is full on.
    """
    sets = list(one.sets.values())
    chosen = sets[len(sets) // 2]
    x = np.linspace(*one.range, CURVE_POINTS)
    return round(float(x[np.argmax(chosen(x))]), DIGITS)


def curves_of(system: FuzzySystem, note: str) -> Curves:
    """Both figures as the numbers that they are drawn from, for whoever cannot infer."""
    return Curves(
        note=note,
        memberships=tuple(
            Variable(
                name=one.name,
                title=one.title,
                x=_numbers(one.x),
                sets={name: _numbers(curve) for name, curve in one.sets.items()},
                cuts=one.cuts,
            )
            for one in panels(system)
        ),
        surface=_plane(surface(system)) if len(system.inputs) > 1 else None,
    )


def _plane(shown: Surface) -> Plane:
    return Plane(
        x=_numbers(shown.x),
        y=_numbers(shown.y),
        score=tuple(
            tuple(None if np.isnan(value) else round(float(value), DIGITS) for value in row)
            for row in shown.score
        ),
        x_title=shown.x_title,
        y_title=shown.y_title,
        cuts=shown.cuts,
        held=dict(shown.held),
    )


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)
