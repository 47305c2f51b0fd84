"""The subject whose images were told worst: what a mean over images hides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Worst", "worst_subject"]


@dataclass(frozen=True)
class Worst:
    """One subject (or group, where no subjects are known) of the test part."""

    name: str
    label: str
    right: float
    """Share of its images that is right."""
    unit: str
    """``subject`` or ``group``."""
    of: int
    """How many of them were tested."""


def worst_subject(metrics: Mapping[str, Any]) -> Worst | None:
    """From ``metrics.json``; None where neither subjects nor groups were known."""
    table = metrics.get("subjects") or {}
    if not table.get("unit"):
        return None
    found = [
        Worst(str(one["worst_subject"]), label, float(one["worst"]), table["unit"], table["count"])
        for label, one in table["share_right"].items()
    ]
    return min(found, key=lambda one: one.right, default=None)
