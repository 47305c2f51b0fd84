"""What can be measured of an image without knowing what it shows, once for all checks.

A measurement is one ``Column`` of ``columns``; ``file``, ``light``, ``detail`` and ``marks``
measure one image, ``table`` all rows of a manifest, ``cache`` keeps what was measured.
"""

from __future__ import annotations

from .columns import COLUMNS, Column
from .table import Measurements, measure

__all__ = ["COLUMNS", "Column", "Measurements", "measure"]
