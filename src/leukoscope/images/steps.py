"""Preprocessing steps as data."""

from __future__ import annotations

from typing import Literal

from ..schema import Record


class Step(Record):
    """A named step."""

    name: Literal["median"]
    size: int = 3
