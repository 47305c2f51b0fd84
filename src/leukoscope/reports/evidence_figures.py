"""What a finding looks like: pairs of images side by side, a measurement by class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..datasets.manifest import Manifest
from ..figures import FIGURES
from ..figures.by_class import MeasuredByClass
from ..figures.pairs import Pair, Side
from ..records.findings import Finding
from ..records.split import Split
from .drawings import Drawn, placed
from .pictures import small_pixels

__all__ = ["Looked", "figures_of"]

PAIRS_SHOWN = 6
SIDE_PX = 150
CAPTION = "Under each image what the data say of it, coloured where the two differ."
SAID = {"identical-subjects": "subject", "identical-labels": "label"}
"""The column that tells why a pair is a finding; else its part, or its label."""


@dataclass(frozen=True)
class Looked:
    """The data that findings are about, and the split that was checked."""

    manifest: Manifest
    split: Split | None = None

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row key → row number."""
        return {key: row for row, key in enumerate(self.manifest.keys)}

    @cached_property
    def parts(self) -> tuple[dict[str, str], ...]:
        """For each fold the part of each row key."""
        return tuple(
            {key: part for part in ("train", "validation", "test") for key in getattr(fold, part)}
            for fold in (self.split.folds if self.split else ())
        )

    @cached_property
    def _labels(self) -> dict[str, str]:
        """Image or row key → label; of an image with several boxes that of the last."""
        labels = [str(label) for label in self.manifest.column("label")]
        images = [str(image) for image in self.manifest.column("image")]
        both = zip((*images, *self.manifest.keys), (*labels, *labels), strict=True)
        return dict(both)

    def label(self, name: str) -> str:
        """The label of an image or a row key; empty where neither is known."""
        return self._labels.get(name, "")

    def column(self, key: str, name: str) -> str:
        """A row's value, without its data set's name before it."""
        return str(self.manifest.column(name)[self.row_of[key]]).rpartition(":")[2]


def figures_of(finding: Finding, looked: Looked, anchor: str) -> tuple[Drawn, ...]:
    """The figures of a finding; none where it has no plot and no pairs whose images are at hand."""
    note = "rendered data" if looked.manifest.card.rendered else ""
    if plot := finding.evidence.get("plot"):
        return (placed(FIGURES["by_class"](MeasuredByClass(**plot), note=note), anchor),)
    shown: list[Pair] = []
    number = 0
    for first, second, fit in _pairs(finding, looked):
        number += 1
        if len(shown) == PAIRS_SHOWN:
            continue
        sides = [small_pixels(looked.manifest.folder, key, SIDE_PX) for key in (first, second)]
        if sides[0] is None or sides[1] is None:
            continue
        said = _said(finding, looked, first, second)
        shown.append(Pair(Side(first, sides[0], said[0]), Side(second, sides[1], said[1]), fit))
    if not shown:
        return ()
    identical = finding.evidence.get("least_alike") is None
    title = "Identical images" if identical else "Near-identical, the least alike first"
    drawn = placed(FIGURES["pairs"](shown, title, of=number, note=note), anchor)
    return (replace(drawn, caption=CAPTION),)


def _pairs(finding: Finding, looked: Looked) -> Iterator[tuple[str, str, float | None]]:
    """Two row keys and their fit; of a set of identical images one pair that tells the most."""
    known = looked.row_of
    near: Sequence[Any] | None = finding.evidence.get("least_alike")
    if near is not None:
        for first, second, fit in near:
            if first in known and second in known:
                yield first, second, float(fit)
        return
    if not finding.check.startswith("identical-"):
        return
    for keys in finding.evidence.get("groups") or ():
        there = [key for key in keys if key in known]
        couples = [(a, b) for i, a in enumerate(there) for b in there[i + 1 :]]
        if couples:
            first, second = max(couples, key=lambda pair: len(set(_said(finding, looked, *pair))))
            yield first, second, None


def _said(finding: Finding, looked: Looked, first: str, second: str) -> tuple[str, str]:
    """What the data say of two images, in the words that the finding is about."""
    if finding.check.endswith("-parts"):
        if finding.evidence.get("split") == "official":
            return _both(looked, first, second, "official_split")
        for parts in looked.parts:
            if parts.get(first, "") != parts.get(second, ""):
                return parts.get(first, ""), parts.get(second, "")
    return _both(looked, first, second, SAID.get(finding.check, "label"))


def _both(looked: Looked, first: str, second: str, column: str) -> tuple[str, str]:
    return looked.column(first, column), looked.column(second, column)
