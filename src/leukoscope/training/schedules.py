"""How the learning rate falls: Keras's ExponentialDecay and CosineDecay, and none."""

from __future__ import annotations

import math

from ..records.experiment import Schedule

__all__ = ["rate_at"]


def rate_at(schedule: Schedule, initial: float, step: int, steps: int) -> float:
    """The learning rate of one step.

    Parameters
    ----------
    schedule
        ``constant``; ``exponential``: ``initial · rate^(step / decay_steps)`` (fata2023: 900 and
        0.95); ``staircase``: the same with whole divisions; ``cosine``: half a cosine over all
        steps of the training, so that it depends on the number of epochs.
    initial
        The rate that it begins with.
    step
        Steps made before this one.
    steps
        Steps of the whole training; only ``cosine`` looks at it.
    """
    match schedule.kind:
        case "constant":
            return initial
        case "exponential":
            return initial * math.pow(schedule.decay_rate, step / schedule.decay_steps)
        case "staircase":
            return initial * math.pow(schedule.decay_rate, step // schedule.decay_steps)
        case "cosine":
            return initial * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))
