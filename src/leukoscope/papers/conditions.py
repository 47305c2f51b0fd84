"""Cells told shortly: a set of them as the conditions that ``--only`` takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

from .cells import Cell
from .protocol import Protocol, values_of

__all__ = ["conditions_of", "counts_of"]

Box = tuple[frozenset[str], ...]
"""For each axis of an arm the values that are met, in all combinations."""


def conditions_of(protocol: Protocol, cells: Sequence[Cell]) -> list[str]:
    """Conditions that choose these cells and no others: ``approach1,network=2+3,size=48``.

    Axes of which all values are met are not named. Few conditions are looked for, not the fewest.
    """
    found = []
    for arm in protocol.arms:
        mine = [cell for cell in cells if cell.arm == arm.name]
        known = [tuple(one.name for one in values_of(arm, protocol.axis(a))) for a in arm.axes]
        usual = [
            {one.name for one in values_of(arm, protocol.axis(a)) if not one.extra}
            for a in arm.axes
        ]
        for box in _boxes([tuple(cell.values[axis] for axis in arm.axes) for cell in mine]):
            named = [
                f"{axis}={'+'.join(value for value in order if value in values)}"
                for axis, order, all_, values in zip(arm.axes, known, usual, box, strict=True)
                if values != all_
            ]
            found.append(",".join([arm.name, *named]))
    return found


def _boxes(places: Sequence[tuple[str, ...]]) -> list[Box]:
    """Disjoint boxes that hold exactly these places: the fewest of all orders of joining axes."""
    if not places:
        return []
    single = [tuple(frozenset([value]) for value in place) for place in dict.fromkeys(places)]
    orders = permutations(range(len(single[0])))
    return min((_joined(single, order) for order in orders), key=len)


def _joined(boxes: Sequence[Box], order: Sequence[int]) -> list[Box]:
    """Boxes that differ in one axis only become one, an axis after the other."""
    for axis in order:
        groups: dict[Box, frozenset[str]] = {}
        for box in boxes:
            rest = box[:axis] + box[axis + 1 :]
            groups[rest] = groups.get(rest, frozenset()) | box[axis]
        boxes = [(*rest[:axis], values, *rest[axis:]) for rest, values in groups.items()]
    return list(boxes)


def counts_of(protocol: Protocol, cells: Sequence[Cell]) -> list[str]:
    """The same in numbers, where the conditions are many: cells of each arm by their values.

    An axis whose values all have as many of them is not named.
    """
    found = []
    for arm in protocol.arms:
        mine = [cell for cell in cells if cell.arm == arm.name]
        if not mine:
            continue
        parts = []
        for axis in arm.axes:
            counts = Counter(cell.values[axis] for cell in mine)
            names = [one.name for one in values_of(arm, protocol.axis(axis)) if not one.extra]
            if len({counts[name] for name in names}) > 1:
                parts.append(f"{axis} " + ", ".join(f"{name}: {counts[name]}" for name in names))
        found.append(f"{len(mine)} of {arm.name}" + f" ({'; '.join(parts)})" * bool(parts))
    return found
