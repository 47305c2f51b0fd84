"""The fuzzy decision of bhavsar2023: Mamdani inference over what is known of a cell.

Knows no torch: a decision is made from ``predictions.csv``, a table of measurements and a file.
"""

from __future__ import annotations

from .inference import Inference, infer, reasons, verdicts
from .system import SYSTEMS, FuzzySystem, read_system, write_system

__all__ = [
    "SYSTEMS",
    "FuzzySystem",
    "Inference",
    "infer",
    "read_system",
    "reasons",
    "verdicts",
    "write_system",
]
