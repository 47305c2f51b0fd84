"""Who is drawn, how often and with which random numbers: the plan of one rendered data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from ...errors import ManifestError
from .subjects import Subject, draw_subject, slide_measures

__all__ = ["CellTruth", "Person", "Picture", "Plan", "share_out"]

ALLOTMENTS = 10_000
"""Ways of dealing the slides to the classes, of which the most even is taken."""


@dataclass(frozen=True)
class CellTruth:
    """One nucleated cell in a picture; ``number`` is its value in the masks."""

    number: int
    kind: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """One image to be written, with its truth."""

    path: str
    """Below the data set's folder, with ``/``."""
    pixels: npt.NDArray[np.uint8]
    label: str
    source_label: str
    subject: str
    """The subject's id within the set."""
    official_split: str = ""
    cells: npt.NDArray[np.uint16] | None = None
    nuclei: npt.NDArray[np.uint16] | None = None
    truth: tuple[CellTruth, ...] = ()
    stem: str = ""
    """What its masks are called, where file names repeat in several folders."""
    beside: dict[str, npt.NDArray[np.uint8] | str] = field(default_factory=dict)
    """Further files of the layout: images as arrays, anything else as text."""

    @property
    def masks(self) -> str:
        """Where its masks lie: to be followed by ``.cells.png`` or ``.nuclei.png``."""
        return f"truth/{self.stem or PurePosixPath(self.path).stem}"


@dataclass(frozen=True)
class Person:
    """A subject and the number of images of them."""

    subject: Subject
    images: int
    index: int


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    name: str
    seed: int
    subjects: int
    images: int
    size: int | None = None

    def rng(self, *numbers: int) -> np.random.Generator:
        """A generator for one purpose: the same numbers give the same stream, others another.

        Every image has its own, so that drawing more of them changes none of the others.
        """
        return np.random.default_rng([self.seed, *self.name.encode("ascii"), *numbers])

    def people(
        self, style: str, names: Mapping[str, Sequence[str]], shares: Mapping[str, float]
    ) -> list[Person]:
        """Subjects of each label and how many images each gets.

        Parameters
        ----------
        names
            For each label its subjects' ids: as many as there are subjects of it.
        shares
            For each label its share of the images; every subject has at least one.
        """
        totals = share_out(list(shares.values()), self.images)
        people: list[Person] = []
        for label, total in zip(shares, totals, strict=True):
            ids = names[label]
            if total < len(ids):
                raise ManifestError(
                    f"{self.name}: {self.images} images for {self.subjects} subjects leave "
                    f"{total} for the {len(ids)} subjects of class '{label}'; every subject "
                    "needs one. Ask for more images or fewer subjects."
                )
            weights = self.rng(1, len(people)).uniform(0.5, 1.5, len(ids))
            counts = 1 + np.array(share_out(weights.tolist(), total - len(ids)))
            for name, count in zip(ids, counts, strict=True):
                index = len(people)
                subject = draw_subject(self.rng(2, index), name, label, style)
                people.append(Person(subject, int(count), index))
        return self._evenly_dealt(people)

    def _evenly_dealt(self, people: list[Person]) -> list[Person]:
        """Deal the slides to the people anew, so that no class has the darker or bluer ones.

        Among 40 subjects chance alone often lets a class have the paler slides, and colour would
        then tell the classes apart. Of many random allotments the one with the smallest
        Mahalanobis distance between the classes' means is taken (rerandomisation: Morgan & Rubin
        2012, Annals of Statistics 40, 1263).
        """
        labels = np.array([one.subject.label for one in people])
        measures = np.array([slide_measures(one.subject) for one in people])
        spread = np.linalg.pinv(np.atleast_2d(np.cov(measures.T)))
        members = (labels == np.unique(labels)[:, None]).astype(float)
        members /= members.sum(axis=1, keepdims=True)
        rng = self.rng(3)

        def unevenness(order: npt.NDArray[np.int64]) -> float:
            shifts = members @ (measures[order] - measures.mean(axis=0))
            return float(((shifts @ spread) * shifts).sum())

        orders = [rng.permutation(len(people)) for _ in range(ALLOTMENTS)]
        best = min(orders, key=unevenness)
        return [
            replace(
                one,
                subject=replace(
                    people[slide].subject, name=one.subject.name, label=one.subject.label
                ),
            )
            for one, slide in zip(people, best, strict=True)
        ]


def share_out(weights: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to ``weights`` that add up to ``total`` (largest remainders)."""
    exact = np.array(weights, float) / sum(weights) * total
    counts = np.floor(exact).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]:
        counts[index] += 1
    return [int(count) for count in counts]


def halves(subjects: int) -> tuple[int, int]:
    """How many subjects are patients and how many are healthy."""
    return (subjects + 1) // 2, subjects // 2
