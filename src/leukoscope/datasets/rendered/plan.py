"""Who is drawn, how often and with which random numbers: the plan of one rendered data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from ...errors import ManifestError
from .subjects import Subject, draw_subject

__all__ = ["CellTruth", "Person", "Picture", "Plan", "share_out"]


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
        return people


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
