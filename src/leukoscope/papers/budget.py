"""The smoke budget, its rules in one place: the whole grid in an hour, and called so."""

from __future__ import annotations

__all__ = [
    "SMOKE_IMAGES",
    "SMOKE_MINUTES",
    "SMOKE_RULES",
    "SMOKE_SUBJECTS",
    "frozen_at_smoke",
]

SMOKE_IMAGES = 2000
SMOKE_SUBJECTS = 40
SMOKE_MINUTES = 60
"""A paper and edition on two cores."""
FROZEN_GFLOP = 10.0
"""Forward, an image; a multiplication with its addition counts as two operations."""
SMOKE_RULES = (
    "every axis of the grid is run",
    f"at least {SMOKE_IMAGES:,} cell images of at least {SMOKE_SUBJECTS} subjects",
    "epochs are divided by the greatest divisor that the paper's counts share (25, 50, 100 → "
    "1, 2, 4)",
    f"backbones above {FROZEN_GFLOP:g} GFLOP an image are frozen",
)


def frozen_at_smoke(name: str, size: int) -> bool:
    """Whether a backbone is too large to be trained whole at a smoke budget."""
    from ..models import MODELS
    from .costs import forward_gflop, parts_of

    if all(part in MODELS for part in parts_of(name)[0]):
        return False
    known = forward_gflop(name, size)
    return known is not None and known > FROZEN_GFLOP
