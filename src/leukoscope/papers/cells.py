"""The grid of a paper as cells: each one experiment, with an id that stays what it is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ProtocolError, suggestion
from ..records.experiment import Experiment, with_settings
from ..records.split import Edition
from .protocol import Arm, AxisValue, Protocol, filled, values_of

__all__ = ["Budget", "Cell", "cells", "experiment_of", "meets", "parse_only", "scale_epochs"]

Budget = Literal["smoke", "full"]
Only = tuple[dict[str, tuple[str, ...]], ...]
"""Alternatives; in each all conditions hold: axis (or ``arm``) → allowed names."""


@dataclass(frozen=True)
class Cell:
    """One training and test of the grid."""

    id: str
    """``arm/axis=value,axis=value``: what ``--only`` and the published tables call it."""
    paper: str
    arm: str
    values: dict[str, str] = field(hash=False)
    edition: Edition
    budget: Budget
    data: str
    """Catalogue name of the data set."""
    n: int
    """Test images behind the published figure; 0 where not known."""
    positives: float
    after: str
    """Id of the cell whose weights this one begins with; empty where there is none."""
    settings: dict[str, Any] = field(hash=False)
    """Dotted keys of the experiment."""
    stands_for: str = ""
    """Id of the paper's cell of which this one is another reading; empty where of none."""

    @property
    def folder(self) -> str:
        """A name that every file system takes."""
        return self.id.replace("/", "--").replace("=", "-").replace(",", "_")


def parse_only(protocol: Protocol, conditions: Sequence[str]) -> Only:
    """``--only`` as data: ``approach1,size=32+48`` means that arm at either size.

    Several texts are alternatives. A text may also be the id of a cell.

    Raises
    ------
    ProtocolError
        For an arm, axis or value that the paper does not have; near names are told.
    """
    return tuple(_condition(protocol, text) for text in conditions)


def _condition(protocol: Protocol, text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for part in text.replace("/", ",").split(","):
        key, mark, names = part.strip().partition("=")
        if not mark:
            arms = [arm.name for arm in protocol.arms]
            axes = [axis.name for axis in protocol.axes]
            if key not in arms:
                raise ProtocolError(
                    f"--only {text}: {protocol.id} has no arm '{key}'. "
                    f"{suggestion(key, arms)} Or name an axis: {', '.join(axes)} (as in "
                    f"{axes[0]}={protocol.axes[0].values[0].name})."
                )
            found["arm"] = (*found.get("arm", ()), key)
            continue
        axis = protocol.axis(key)
        found[key] = tuple(axis.value(name).name for name in names.split("+"))
    return found


def meets(protocol: Protocol, cell: Cell, condition: str) -> bool:
    """Whether a cell is all that a condition says.

    Raises
    ------
    ProtocolError
        For an arm, axis or value that the paper does not have; near names are told.
    """
    wanted = _condition(protocol, condition)
    return all(
        (cell.arm if key == "arm" else cell.values.get(key)) in names
        for key, names in wanted.items()
    )


def cells(
    protocol: Protocol,
    edition: Edition,
    budget: Budget = "full",
    only: Sequence[str] = (),
    *,
    reading: str = "full",
) -> tuple[Cell, ...]:
    """The cells of a paper's grid, in the order of its file.

    Parameters
    ----------
    protocol
        The paper.
    edition
        One that the paper has (``cnmc2019`` has no as-published one).
    budget
        ``full``: as published. ``smoke``: every axis, epochs divided, see ``budget``.
    only
        Conditions as ``--only`` takes them; extra arms, and extras of an axis, are cells only where
        they are named here.
    reading
        Which of the paper's counts of trainings; ``full`` is everything its tables need.

    Raises
    ------
    ProtocolError
        When the edition is not one of the paper's, a name is unknown, or nothing is left.
    """
    if edition not in protocol.editions:
        raise ProtocolError(
            f"{protocol.id} has no edition '{edition}', only {', '.join(protocol.editions)}."
        )
    wanted, read = parse_only(protocol, only), protocol.reading(reading)
    found = tuple(
        cell
        for arm in protocol.arms
        if not read.arms or arm.name in read.arms
        for cell in _of_arm(protocol, arm, edition, budget, wanted, read.only)
    )
    if not found:
        raise ProtocolError(
            f"--only {' '.join(only)}: no cell of {protocol.id} is all of that. Loosen one of the "
            "conditions."
        )
    return found


def _of_arm(
    protocol: Protocol,
    arm: Arm,
    edition: Edition,
    budget: Budget,
    wanted: Only,
    read_only: Mapping[str, tuple[str, ...]],
) -> Iterator[Cell]:
    choices = [values_of(arm, protocol.axis(name)) for name in arm.axes]
    for combination in itertools.product(*choices):
        chosen = dict(zip(arm.axes, (value.name for value in combination), strict=True))
        if any(chosen.get(axis) not in names for axis, names in read_only.items()):
            continue
        if not _is_wanted(protocol, arm, chosen, combination, wanted):
            continue
        yield _cell(protocol, arm, chosen, combination, edition, budget)


def _is_wanted(
    protocol: Protocol,
    arm: Arm,
    chosen: dict[str, str],
    combination: Sequence[AxisValue],
    wanted: Only,
) -> bool:
    extras = {axis for axis, value in zip(arm.axes, combination, strict=True) if value.extra}
    if not wanted:
        return not extras and not arm.extra
    for condition in wanted:
        if arm.extra and not condition.keys() & {"arm", *protocol.own_axes(arm)}:
            continue
        named = all(
            (arm.name if key == "arm" else chosen.get(key)) in names
            for key, names in condition.items()
        )
        if named and extras <= condition.keys():
            return True
    return False


def _cell(
    protocol: Protocol,
    arm: Arm,
    chosen: dict[str, str],
    combination: Sequence[AxisValue],
    edition: Edition,
    budget: Budget,
) -> Cell:
    published = edition == "as-published"
    parts: tuple[Arm | AxisValue, ...] = (arm, *combination)
    settings: dict[str, Any] = {**protocol.settings, **protocol.edition.get(edition, {})}
    for part in parts:
        settings |= part.settings
    for part in parts:
        settings |= part.as_published if published else part.leak_free
    identity = f"{arm.name}/" + ",".join(f"{axis}={name}" for axis, name in chosen.items())
    data = next((part.data for part in reversed(parts) if part.data), "")
    settings = filled(settings, chosen)
    settings |= {"name": f"{protocol.id}: {identity}", "edition": edition}
    if budget == "smoke":
        settings |= _smoke(protocol, settings, data)
    return Cell(
        id=identity,
        paper=protocol.id,
        arm=arm.name,
        values=chosen,
        edition=edition,
        budget=budget,
        data=data,
        n=next((value.n for value in combination if value.n), arm.n),
        positives=next(
            (value.positives for value in combination if value.positives), arm.positives
        ),
        after=filled({"after": arm.after}, chosen)["after"],
        settings=settings,
        stands_for=next(
            (
                filled({"id": text}, chosen)["id"]
                for name, text in arm.stands_for.items()
                if name in chosen.values()
            ),
            "",
        ),
    )


def _smoke(protocol: Protocol, settings: Mapping[str, Any], data: str) -> dict[str, Any]:
    """What a smoke budget changes: fewer epochs, fewer images, and large backbones frozen."""
    from .budget import frozen_at_smoke

    changes: dict[str, Any] = {
        "training.epochs": scale_epochs(protocol, int(settings["training.epochs"]))
    }
    if data and protocol.data[data].smoke:
        changes["data.sample"] = protocol.data[data].smoke
    if frozen_at_smoke(str(settings["model.name"]), int(settings.get("preprocess.size", 32))):
        changes["model.trainable"] = "head"
    return changes


def scale_epochs(protocol: Protocol, epochs: int) -> int:
    """Epochs of a smoke run: divided by the greatest divisor that all the paper's counts share.

    25, 50 and 100 become 1, 2 and 4; 10, 20, … 100 become 1, 2, … 10; a single count becomes 1.
    """
    parts = [protocol.settings, *(arm.settings for arm in protocol.arms)]
    parts += [value.settings for axis in protocol.axes for value in axis.values]
    counts = [int(part["training.epochs"]) for part in parts if "training.epochs" in part]
    return epochs // math.gcd(*counts)


def experiment_of(cell: Cell, changes: Mapping[str, Any] | None = None) -> Experiment:
    """The experiment of a cell, every key validated.

    Raises
    ------
    ExperimentError
        When a key of the protocol (or of ``changes``) is none that an experiment has.
    """
    settings = {**cell.settings, **(changes or {})}
    return with_settings(Experiment(), settings, where=f"{cell.paper}, {cell.id}")
