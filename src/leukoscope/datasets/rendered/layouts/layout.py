"""What every layout has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..fields import FieldCell
from ..plan import CellTruth, Picture, Plan

__all__ = ["Layout", "truth_of"]


@dataclass(frozen=True)
class Layout:
    """One data set that can be rendered.

    ``draw`` yields its pictures in order. ``size`` is the real width and height; another width
    asked for scales the whole picture.
    """

    title: str
    like: str
    """The real set whose layout it is."""
    classes: dict[str, str]
    normal_means: str
    size: tuple[int, int]
    draw: Callable[[Plan], Iterator[Picture]]
    fewest_subjects: int = 2
    cells: int = 1
    """Of its classes on a picture, at least and on average."""
    um_per_pixel: float | None = None
    positive: str = "blast"
    finish: Callable[[Path, Sequence[tuple[str, str]]], None] | None = None
    """Called with the folder and (path, subject) of every picture, once all are written."""
    notes: tuple[str, ...] = ()


def truth_of(cells: tuple[FieldCell, ...]) -> tuple[CellTruth, ...]:
    """The part of a field's truth that is written."""
    return tuple(CellTruth(cell.number, cell.kind, cell.box) for cell in cells)
