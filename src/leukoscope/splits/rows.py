"""Rows on their way into parts, and one fold of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["LEFT_OUT", "TEST", "TRAIN", "VALIDATION", "Division", "Ints", "Rows", "Texts"]

LEFT_OUT, TRAIN, VALIDATION, TEST = -1, 0, 1, 2
Ints = np.ndarray[Any, np.dtype[np.int64]]
Texts = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rows:
    """The rows to be divided, sorted by key so that their order in a file never matters."""

    keys: Texts
    labels: Texts
    units: Texts
    """What is never cut: the row's group, or under ``as-published`` its own key."""
    datasets: Texts
    official: Texts
    images: Texts
    whole: bool
    """Whether units are groups (leak-free) and not single images (as published)."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def word(self) -> str:
        """What a unit is called in a message."""
        return "groups" if self.whole else "images"


@dataclass(frozen=True)
class Division:
    """One fold: its name, its repeat, the part of each row, and what a reader must know."""

    name: str
    repeat: int
    parts: Ints
    notes: tuple[str, ...] = field(default=())
