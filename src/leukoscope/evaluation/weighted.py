"""A sample under many weightings of its groups at once: what every metric is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rankings import Ranking, auroc, rankings, sweep
from .sample import Floats, Sample

__all__ = ["Metric", "Source", "Weighted", "ratio"]


@dataclass(frozen=True)
class Metric:
    """One metric: its name, what it says, and how it is computed."""

    name: str
    title: str
    short: str
    """One sentence that says what it is."""
    formula: str
    source: str
    compute: Callable[[Weighted], Floats]
    """Values of shape (weightings,), NaN where it is not defined."""
    undefined: str
    """Why it may not be defined; ``{positive}`` and ``{negative}`` are filled in."""
    bounds: tuple[float, float] = (0.0, 1.0)
    better: str = "high"
    """``high``, ``low``, ``one`` or ``zero``: which values are good."""
    binary: bool = False
    """Only with two classes of which one is positive."""
    of: str = "all"
    """Which items it stands on: ``all``, ``positive`` or ``negative``."""
    level: str = "both"
    """``both``, or ``subject`` where it says nothing of images."""


def ratio(part: Floats, whole: Floats) -> Floats:
    """``part / whole``, NaN where ``whole`` is 0."""
    quotient = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    return np.asarray(np.divide(part, whole, out=quotient, where=whole > 0))


class Source:
    """A sample and what is computed once for all its weightings."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    @cached_property
    def confusion(self) -> Floats:
        """Counts by group, repeat, label and predicted class."""
        classes = len(self.sample.classes)
        counts = self.sample.group_sums(
            self.sample.label * classes + self.sample.predicted, classes * classes
        )
        return counts.reshape(*counts.shape[:2], classes, classes)

    @cached_property
    def rankings(self) -> dict[int, tuple[Ranking, ...]]:
        """Class → one ranking a model, by the class's probability."""
        return {number: rankings(self.sample, number) for number in range(len(self.sample.classes))}


class Weighted:
    """A sample with its groups weighted; ``weights`` has the shape (weightings, groups)."""

    def __init__(self, source: Source, weights: Floats) -> None:
        self.source = source
        self.sample = source.sample
        self.weights = weights
        self._ranked: dict[int, Floats] = {}
        self._swept: dict[int, Floats] = {}

    def total(self, by_group: Floats) -> Floats:
        """Weighted sums over groups: (groups, …) becomes (weightings, …)."""
        flat = self.weights @ by_group.reshape(len(by_group), -1)
        return flat.reshape(len(self.weights), *by_group.shape[1:])

    @cached_property
    def confusion(self) -> Floats:
        """Weighted counts by weighting, repeat, label and predicted class."""
        return self.total(self.source.confusion)

    def binary(self) -> tuple[Floats, Floats, Floats, Floats]:
        """True positives, false negatives, false positives, true negatives, by repeat."""
        return self.against_rest(self.positive)

    def against_rest(self, number: int) -> tuple[Floats, Floats, Floats, Floats]:
        """The same four counts with class ``number`` as the positive one."""
        counts = self.confusion
        hit = counts[..., number, number]
        missed = counts[..., number, :].sum(axis=-1) - hit
        false = counts[..., :, number].sum(axis=-1) - hit
        return hit, missed, false, counts.sum(axis=(-2, -1)) - hit - missed - false

    @property
    def positive(self) -> int:
        """Number of the positive class of a binary task."""
        if self.sample.positive is None:
            raise ValueError("a binary metric was asked of more than two classes")
        return self.sample.positive

    def auroc(self, number: int) -> Floats:
        """AUROC of class ``number`` against the rest, shape (weightings,)."""
        if number not in self._ranked:
            self._ranked[number] = self.over_rankings(
                number, lambda ranking, weights: auroc(ranking, weights)[:, None]
            )
        return self._ranked[number][:, 0]

    def sweep(self, number: int) -> Floats:
        """What ``rankings.sweep`` gives for class ``number``."""
        if number not in self._swept:
            self._swept[number] = self.over_rankings(number, sweep)
        return self._swept[number]

    def over_rankings(self, number: int, measure: Callable[[Ranking, Floats], Floats]) -> Floats:
        """Rank metrics of class ``number``, each measured within models and then averaged.

        ``measure`` gives shape (weightings, values). A model whose items are of one class says
        nothing about ranks and is left out.
        """

        def models() -> Iterator[tuple[int, Floats, Floats]]:
            for ranking in self.source.rankings[number]:
                weights = self.weights[:, ranking.groups]
                yield ranking.repeat, weights @ ranking.sizes, measure(ranking, weights)

        return self.over_models(models())

    def over_models(self, models: Iterable[tuple[int, Floats, Floats]]) -> Floats:
        """The size-weighted mean over the models of a repeat, then the mean over repeats.

        Takes each model's repeat, its weighted size (weightings,) and its values (weightings, …):
        scores of different models are never ranked together.
        """
        sums: list[Floats | float] = [0.0] * self.sample.repeats
        sizes: list[Floats | float] = [0.0] * self.sample.repeats
        for repeat, size, values in models:
            counted = np.where(np.isfinite(values), size[:, None], 0.0)
            sums[repeat] += counted * np.where(counted > 0, values, 0.0)
            sizes[repeat] += counted
        return np.asarray(ratio(np.array(sums), np.array(sizes)).mean(axis=0))
