"""How far the best of many test results lies above the truth where all models are equal."""

from __future__ import annotations

import math

__all__ = ["expected_maximum", "optimism"]


def expected_maximum(count: int) -> float:
    """The expected largest of so many independent standard normal numbers.

    Their trainings share a test set, so that the true figure is smaller: this is an upper bound
    of what choosing alone can bring.
    """
    from scipy.integrate import quad
    from scipy.stats import norm

    if count < 2:
        return 0.0
    value, _ = quad(
        lambda x: x * count * norm.pdf(x) * norm.cdf(x) ** (count - 1), -10, 10, limit=200
    )
    return float(value)


def optimism(share: float, images: int, count: int) -> float:
    """The same for a share of so many test images: in units of the share."""
    return expected_maximum(count) * math.sqrt(share * (1 - share) / images)
