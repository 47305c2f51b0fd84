"""What the result cannot say."""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import Limit, limits_of
from ..study import Study

__all__ = ["LimitsSection", "build"]


@dataclass(frozen=True)
class LimitsSection:
    """Limits, the gravest first."""

    limits: tuple[Limit, ...]


def build(study: Study) -> LimitsSection:
    """Every limit that follows from the runs."""
    return LimitsSection(limits_of(study))
