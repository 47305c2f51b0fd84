"""Draws in proportion to the data that is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["DataSize", "Scale", "scale_of"]

FEWEST = 4
"""Images of a class in a draw, however few are here."""


@dataclass(frozen=True)
class DataSize:
    """How many images of each class there are to be used."""

    images: Mapping[str, int]
    own: bool = False
    """Of the paper's own data set: not drawn, and no other in its place."""

    def sampled(self, count: int) -> DataSize:
        """What is left of it where ``count`` images are drawn (``data.sample``); 0 takes all."""
        if not 0 < count < sum(self.images.values()):
            return self
        from ..datasets.rendered.plan import share_out

        names = sorted(self.images)
        counts = share_out([self.images[name] for name in names], count)
        return replace(self, images=dict(zip(names, counts, strict=True)))

    def scale(self, published: Mapping[str, int]) -> float:
        """Part of the published images that is here: that of the class with the smallest part."""
        if not self.images or len(self.images) != len(published):
            return min(1.0, sum(self.images.values()) / sum(published.values()))
        here, there = sorted(self.images.values()), sorted(published.values())
        if set(self.images) == set(published):
            pairs = [(self.images[name], published[name]) for name in published]
        else:
            pairs = list(zip(here, there, strict=True))
        return min(1.0, *(a / b for a, b in pairs))

    def balanced_scale(self, published: Mapping[str, int]) -> float:
        """The same for draws of as many images of each class: the smallest class limits them."""
        if not self.images:
            return 1.0
        return min(1.0, min(self.images.values()) / min(published.values()))

    def more(self, published: Mapping[str, int]) -> float:
        """How many times the published images are here, where there are more of them."""
        return max(1.0, sum(self.images.values()) / sum(published.values()))


@dataclass(frozen=True)
class Scale:
    """Parts of the published draws that are made of the images here."""

    per_class: float = 1.0
    """Of expansions to a number of images of each class (``expand.per_class``)."""
    balance: float = 1.0
    """Of draws of as many images of each class (``data.balance``)."""
    more: float = 1.0
    """How many times the published images are here."""

    def settings(self, published: Mapping[str, Any], *, smoke: bool) -> dict[str, Any]:
        """Keys that are another number here than in a cell's ``published`` settings."""
        found: dict[str, Any] = {}
        parts = {"data.balance": self.balance, "expand.per_class": self.per_class}
        for key, part in parts.items():
            if part < 1 and published.get(key):
                found[key] = max(FEWEST, int(published[key] * part))
        if smoke and self.more > 1 and "expand.factor" in published:
            # As many images as the paper's; two of each at least, so that copies can leak.
            found["expand.factor"] = max(2, round(published["expand.factor"] / self.more))
        return found


def scale_of(
    size: DataSize, published: Mapping[str, int], draws: Iterable[int], *, full: bool
) -> Scale:
    """What the draws of a data set are multiplied by.

    The paper's own data set at the full budget is drawn from as published; only where its
    smallest class here is smaller than one of the balanced ``draws``, all of those shrink.
    """
    balance = size.balanced_scale(published)
    if full and size.own:
        smallest = min(size.images.values(), default=0)
        return Scale(balance=balance if max(draws, default=0) > smallest else 1.0)
    return Scale(size.scale(published), balance, size.more(published))
