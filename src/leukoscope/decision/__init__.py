"""From a run to verdicts: normal, refer or blast, each with a reason, beside a plain band.

A room above ``models`` because it reads runs and images, draws, and writes; ``models.fuzzy`` only
infers and fits. Knows no torch: a decision is made from ``predictions.csv``, measurements of the
cells and a system that is a file.
"""

from __future__ import annotations

from .deciding import Decision, against_band, decide
from .outcome import decide_run

__all__ = ["Decision", "against_band", "decide", "decide_run"]
