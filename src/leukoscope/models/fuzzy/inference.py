"""Mamdani's inference, for many cells at once.

Rules fire with the minimum (``and``), the maximum (``or``) and the complement (``not``) of
memberships, times their weight; a verdict's set is cut off at the strength of its strongest rule
(minimum implication), the cut sets are joined by their maximum, and the score is the centroid of
the area under them (Mamdani & Assilian 1975, Int. J. Man-Mach. Stud. 7:1; Ross 2010, Fuzzy Logic
with Engineering Applications, sections 4 and 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FuzzyError, suggestion
from .system import VERDICTS, Floats, FuzzySystem, Output
from .terms import And, Condition, Is, Not, leaves

__all__ = ["Inference", "centroid", "fuzzify", "infer", "reasons", "verdicts"]

BLOCK = 1 << 18
"""Values that are worked on at a time: as many as the processor's cache holds."""
Texts = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True)
class Inference:
    """What the rules made of some cells."""

    score: Floats
    """(cells,), from the output's low end (normal) to its high one (blast); NaN where an input is
    not known or no rule applies."""
    strength: Floats
    """(cells, rules): how far each rule applies, its weight included."""
    activation: Floats
    """(cells, 3): the strongest rule of each verdict, in the order of ``VERDICTS``."""


Memberships = Mapping[str, Mapping[str, Floats]]


def fuzzify(system: FuzzySystem, values: Mapping[str, Floats]) -> Memberships:
    """Membership of each cell in each set of each input: input → set → (cells,).

    Raises
    ------
    FuzzyError
        When an input has no values, or the inputs are of different lengths.
    """
    lengths = {len(values[one.name]) for one in system.inputs if one.name in values}
    for one in system.inputs:
        if one.name not in values:
            raise FuzzyError(
                f"{system.name}: no values of '{one.name}'. {suggestion(one.name, values)}"
            )
    if len(lengths) > 1:
        raise FuzzyError(f"{system.name}: inputs of {sorted(lengths)} cells; all must be as many.")
    found = {}
    for one in system.inputs:
        x = np.clip(np.asarray(values[one.name], dtype=np.float64), *one.range)
        found[one.name] = {name: function(x) for name, function in one.sets.items()}
    return found


def infer(system: FuzzySystem, values: Mapping[str, Floats]) -> Inference:
    """Score of each cell.

    Parameters
    ----------
    system
        Sets and rules.
    values
        Input name → value of each cell, shape (cells,); NaN where it is not known. The
        probability is taken as calibrated already.

    Raises
    ------
    FuzzyError
        As ``fuzzify``.
    """
    memberships = fuzzify(system, values)
    strength = np.stack(
        [rule.weight * _truth(rule.condition, memberships) for rule in system.rules], axis=1
    )
    known = np.isfinite(
        np.stack([np.asarray(values[one.name], dtype=np.float64) for one in system.inputs])
    ).all(axis=0)
    strength[~known] = np.nan
    activation = np.zeros((len(strength), len(VERDICTS)))
    for place, verdict in enumerate(VERDICTS):
        chosen = [rule.then == verdict for rule in system.rules]
        if any(chosen):
            activation[:, place] = strength[:, chosen].max(axis=1)
    score = np.full(len(strength), np.nan)
    score[known] = defuzzify(system.output, activation[known])
    return Inference(score, strength, activation)


def _truth(one: Condition, memberships: Memberships) -> Floats:
    if isinstance(one, Is):
        return memberships[one.input][one.set]
    if isinstance(one, Not):
        return 1 - _truth(one.inner, memberships)
    left, right = _truth(one.left, memberships), _truth(one.right, memberships)
    return np.minimum(left, right) if isinstance(one, And) else np.maximum(left, right)


def defuzzify(output: Output, activation: Floats) -> Floats:
    """The centroid under the sets, each cut off at its activation (cells, 3), and joined."""
    grid = output.places
    sets = np.stack([output.sets[verdict](grid) for verdict in VERDICTS])
    score = np.empty(len(activation))
    step = max(1, BLOCK // len(grid))
    joined = np.empty((min(step, len(activation)), len(grid)))
    cut = np.empty_like(joined)
    for start in range(0, len(activation), step):
        block = activation[start : start + step]
        all_of, one_of = joined[: len(block)], cut[: len(block)]
        np.minimum(sets[0], block[:, :1], out=all_of)
        for place in range(1, len(sets)):
            np.minimum(sets[place], block[:, place : place + 1], out=one_of)
            np.maximum(all_of, one_of, out=all_of)
        score[start : start + step] = centroid(grid, all_of)
    return score


def centroid(grid: Floats, membership: Floats) -> Floats:
    """∫ x μ(x) dx / ∫ μ(x) dx of the straight lines between the grid's points.

    Parameters
    ----------
    grid
        Rising places, shape (points,).
    membership
        μ at these places, shape (cells, points).

    Returns
    -------
    numpy.ndarray
        (cells,); NaN where μ is 0 everywhere.
    """
    width = np.diff(grid)
    left, right = grid[:-1], grid[1:]
    area, moment = np.zeros(len(grid)), np.zeros(len(grid))
    area[:-1] += width / 2
    area[1:] += width / 2
    moment[:-1] += width * (2 * left + right) / 6
    moment[1:] += width * (left + 2 * right) / 6
    whole, first = membership @ area, membership @ moment
    found = np.full(len(whole), np.nan)
    return np.asarray(np.divide(first, whole, out=found, where=whole > 0))


def verdicts(system: FuzzySystem, score: Floats) -> Texts:
    """``normal``, ``refer`` or ``blast`` of each score; ``refer`` where there is none."""
    low, high = system.output.cuts
    answer = np.where(score < low, "normal", np.where(score >= high, "blast", "refer"))
    return np.where(np.isnan(score), "refer", answer)


def reasons(
    system: FuzzySystem, values: Mapping[str, Floats], found: Inference, verdict: Texts
) -> list[str]:
    """The strongest rule behind each verdict in words, with the values it looked at."""
    return [_why(system, values, found, row, str(name)) for row, name in enumerate(verdict)]


def _why(
    system: FuzzySystem, values: Mapping[str, Floats], found: Inference, row: int, verdict: str
) -> str:
    unknown = [one.title for one in system.inputs if not np.isfinite(values[one.name][row])]
    if unknown:
        return f"not known: {', '.join(unknown)}"
    strength = found.strength[row]
    if not strength.any():
        return "no rule applies to this cell"
    own = np.array([rule.then == verdict for rule in system.rules])
    if strength[own].any():
        return _told(system, values, row, int(np.where(own, strength, -1.0).argmax()), strength)
    # The verdict lies between those that the rules speak for: both sides are named.
    first, second = (
        int(np.where([rule.then == side for rule in system.rules], strength, -1.0).argmax())
        for side in ("normal", "blast")
    )
    both = [_told(system, values, row, n, strength) for n in (first, second) if strength[n] > 0]
    return "rules disagree: " + "; but ".join(both)


def _told(
    system: FuzzySystem, values: Mapping[str, Floats], row: int, number: int, strength: Floats
) -> str:
    rule = system.rules[number]
    names = dict.fromkeys(leaf.input for leaf in leaves(rule.condition))
    stated = ", ".join(
        f"{system.input(name).title} {float(values[name][row]):.3g}" for name in names
    )
    return f"{rule.reason} ({stated}; rule {number + 1}, {float(strength[number]):.2f})"
