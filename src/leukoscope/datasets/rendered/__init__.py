"""Rendered cells and fields: drawn from a seed, with exact truth. Never real images.

``render_cell`` draws one segmented cell, ``render_field`` a whole field, ``render_dataset`` a set
in the layout of a real one. Whatever is made of them says *rendered*.
"""

from __future__ import annotations

from .dataset import LAYOUTS, render_dataset
from .fields import FieldCell, RenderedField, render_field
from .forms import KINDS
from .single import RenderedCell, render_cell
from .subjects import STYLES, Subject, draw_subject

__all__ = [
    "KINDS",
    "LAYOUTS",
    "STYLES",
    "FieldCell",
    "RenderedCell",
    "RenderedField",
    "Subject",
    "draw_subject",
    "render_cell",
    "render_dataset",
    "render_field",
]
