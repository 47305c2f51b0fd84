"""Augmentation as data: what may be drawn."""

from __future__ import annotations

from ..schema import Record


class Augmentation(Record):
    """Ranges to draw from; the default changes nothing."""
