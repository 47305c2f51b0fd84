"""Predictions as arrays: one level (images or subjects), groups numbered, models numbered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..errors import PredictionsError

if TYPE_CHECKING:
    from ..records.predictions import Predictions

__all__ = ["Bools", "Floats", "Integers", "Sample", "image_sample", "numbered"]

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Bools: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Unit = Literal["image", "subject", "group"]


@dataclass(frozen=True)
class Sample:
    """What is measured: one entry an item, a fold and a repeat.

    Every array has the shape (entries,) except ``probabilities`` (entries, classes). A *model* is
    one fold of one repeat: scores are ranked within a model only.
    """

    classes: tuple[str, ...]
    positive: int | None
    """Number of the positive class; None with more than two classes."""
    label: Integers
    predicted: Integers
    probabilities: Floats
    item: Integers
    """Number of the image (or subject); the same in every repeat."""
    group: Integers
    groups: tuple[str, ...]
    model: Integers
    repeat: Integers
    unit: Unit = "image"
    right: Floats | None = None
    """Subject level: share of the subject's cells that is right."""

    def __len__(self) -> int:
        return len(self.label)

    @cached_property
    def repeats(self) -> int:
        """How many times everything was repeated."""
        return int(self.repeat.max()) + 1 if len(self) else 0

    @cached_property
    def models(self) -> tuple[Integers, ...]:
        """Entries of each model."""
        order = np.argsort(self.model, kind="stable")
        ends = np.cumsum(np.bincount(self.model))[:-1]
        return tuple(part for part in np.split(order, ends) if len(part))

    @cached_property
    def present(self) -> Bools:
        """Which classes (columns) each group (rows) has."""
        found = np.zeros((len(self.groups), len(self.classes)), dtype=bool)
        found[self.group, self.label] = True
        return found

    def items(self, chosen: Bools | None = None) -> int:
        """How many different items there are among the chosen entries."""
        return len(np.unique(self.item if chosen is None else self.item[chosen]))

    def group_count(self, chosen: Bools | None = None) -> int:
        """How many different groups the chosen entries belong to."""
        return len(np.unique(self.group if chosen is None else self.group[chosen]))

    def groups_by_class(self) -> dict[str, int]:
        """How many groups have each class."""
        counts = self.present.sum(axis=0)
        return {name: int(count) for name, count in zip(self.classes, counts, strict=True)}

    def group_sums(self, values: np.ndarray[Any, Any], width: int | None = None) -> Floats:
        """Sums over the entries of each group and repeat.

        Without ``width``, ``values`` are numbers and the shape is (groups, repeats). With it they
        are cell numbers in [0, width), which are counted: (groups, repeats, width).
        """
        place = self.group * self.repeats + self.repeat
        size = len(self.groups) * self.repeats
        if width is None:
            sums = np.bincount(place, weights=values, minlength=size)
            return np.asarray(sums.reshape(len(self.groups), self.repeats), dtype=np.float64)
        counts = np.bincount(place * width + values, minlength=size * width)
        return counts.reshape(len(self.groups), self.repeats, width).astype(np.float64)

    def cell_sums(self, cell: Integers, values: Floats, width: int) -> Floats:
        """Sums of ``values`` over each group, repeat and cell: (groups, repeats, width)."""
        place = (self.group * self.repeats + self.repeat) * width + cell
        size = len(self.groups) * self.repeats * width
        sums = np.bincount(place, weights=values, minlength=size)
        shape = (len(self.groups), self.repeats, width)
        return np.asarray(sums.reshape(shape), dtype=np.float64)


def numbered(names: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    """Each name's number, and the names in the order of their numbers (sorted)."""
    found, numbers = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
    return numbers.astype(np.int64).ravel(), tuple(str(name) for name in found)


def image_sample(predictions: Predictions) -> Sample:
    """The predictions as they are, an entry each.

    Raises
    ------
    PredictionsError
        When there is nothing, or when the rows are of several parts: training rows beside test
        rows would make every figure meaningless.
    """
    table = predictions.table
    if not len(table):
        raise PredictionsError(
            "predictions: no rows to evaluate. Choose a part that has some (train, validation, "
            "test)."
        )
    parts = sorted(set(table["part"]))
    if len(parts) > 1:
        raise PredictionsError(
            f"predictions: rows of {', '.join(parts)} together; one part is evaluated at a time. "
            "Choose it: predictions.part('test')."
        )
    place = {name: number for number, name in enumerate(predictions.classes)}
    repeat, _ = numbered(table["repeat"].astype(str).tolist())
    fold, folds = numbered(table["fold"].astype(str).tolist())
    group, groups = numbered(table["group"].tolist())
    item, _ = numbered(table["row"].tolist())
    positive = None if predictions.positive is None else place[predictions.positive]
    return Sample(
        classes=predictions.classes,
        positive=positive,
        label=np.array([place[name] for name in table["label"]], dtype=np.int64),
        predicted=np.array([place[name] for name in table["predicted"]], dtype=np.int64),
        probabilities=predictions.probabilities,
        item=item,
        group=group,
        groups=groups,
        model=repeat * len(folds) + fold,
        repeat=repeat,
    )
