"""The page that every figure is drawn on: one width, one type, one palette, two formats.

Pages are 270 points (360 CSS pixels) wide, so that their type is readable on a phone. Text stays
text in the SVG, which is the same, byte for byte, for the same input.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, ParamSpec

from ..files import write_atomic
from .words import wrapped

__all__ = ["GREY", "PALETTE", "WIDTH", "Drawing", "Page", "colour", "page", "save", "styled"]

P = ParamSpec("P")
WIDTH = 270.0
"""Points; 72 to the inch, where CSS pixels are 96."""
CSS = 96 / 72
PNG_DPI = 192
FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', Arial, sans-serif"
INK, GREY, FAINT = "#222222", "#5f5f5f", "#d9d9d9"
PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Okabe & Ito's colours, apart for colour-blind eyes; the positive class takes the first."""
TITLE_CHARACTERS, FACT_CHARACTERS = 42, 58
TITLE_LINE, FACT_LINE, FOOT = 13.0, 10.5, 13.0
RESEARCH = "research use only"
SETTINGS: Any = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.edgecolor": "none",
    "legend.facecolor": "white",
    "legend.fancybox": False,
    "legend.framealpha": 0.85,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.8,
    "path.simplify": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "leukoscope",
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.0,
}


@dataclass(frozen=True)
class Drawing:
    """A finished figure."""

    name: str
    title: str
    description: str
    """What it shows, in a sentence with its numbers: for captions and for screen readers."""
    figure: Any
    """The matplotlib figure."""

    @cached_property
    def svg(self) -> str:
        """SVG text: no script, nothing from outside, ids that no other figure has."""
        import matplotlib

        buffer = io.StringIO()
        with matplotlib.rc_context(SETTINGS):
            self.figure.savefig(buffer, format="svg", metadata={"Date": None})
        return _own(buffer.getvalue(), self.name, self.title, self.description)

    @cached_property
    def png(self) -> bytes:
        """PNG, two pixels for each of CSS."""
        import matplotlib

        buffer = io.BytesIO()
        with matplotlib.rc_context(SETTINGS):
            self.figure.savefig(
                buffer, format="png", dpi=PNG_DPI, metadata={"Title": self.title, "Software": None}
            )
        return buffer.getvalue()


def save(drawing: Drawing, folder: Path) -> tuple[Path, Path]:
    """Write ``NAME.svg`` and ``NAME.png``, atomically; returns where they lie."""
    svg, png = folder / f"{drawing.name}.svg", folder / f"{drawing.name}.png"
    write_atomic(svg, drawing.svg + "\n")
    write_atomic(png, drawing.png)
    return svg, png


@dataclass(frozen=True)
class Page:
    """A page with its heading and its foot; places are in points, from the left and from the
    lower end of what lies between the two."""

    name: str
    title: str
    figure: Any
    height: float
    """Of the whole page."""
    body: float
    """Where the heading begins."""

    def axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Axes at a place."""
        return self.figure.add_axes(
            (left / WIDTH, (bottom + FOOT) / self.height, width / WIDTH, height / self.height)
        )

    def text(self, x: float, y: float, text: str, **style: Any) -> Any:
        """Text at a place, as it is: names of files may hold dollar signs."""
        place = (x / WIDTH, (y + FOOT) / self.height)
        return self.figure.text(*place, text, parse_math=False, **style)

    def finish(self, description: str) -> Drawing:
        """The drawing."""
        return Drawing(self.name, self.title, description, self.figure)


def page(
    name: str, title: str, facts: str, *, height: float, note: str = "", more: Sequence[str] = ()
) -> Page:
    """A page with a heading: title, what it stands on, note; ``height`` is that of the rest."""
    from matplotlib.figure import Figure

    titles = wrapped(title, TITLE_CHARACTERS)
    under = [line for text in (facts, *more, note) for line in wrapped(text, FACT_CHARACTERS)]
    heading = 8 + TITLE_LINE * len(titles) + FACT_LINE * len(under) + 9
    whole = height + heading + FOOT
    made = Page(name, title, Figure(figsize=(WIDTH / 72, whole / 72)), whole, height)
    y = height + heading - 8
    for line in titles:
        y -= TITLE_LINE
        made.text(8, y + 3, line, fontsize=9.5, fontweight="bold")
    for line in under:
        y -= FACT_LINE
        made.text(8, y + 2, line, fontsize=7.5, color=GREY)
    made.text(WIDTH - 6, 4 - FOOT, RESEARCH, fontsize=6.5, color=GREY, ha="right", style="italic")
    return made


def styled(draw: Callable[P, Drawing]) -> Callable[P, Drawing]:
    """Draw with the page's settings, whatever the caller's own are."""

    @functools.wraps(draw)
    def drawn(*arguments: P.args, **named: P.kwargs) -> Drawing:
        import matplotlib

        with matplotlib.rc_context(SETTINGS):
            return draw(*arguments, **named)

    return drawn


def colour(number: int) -> str:
    """The palette's colour of a class or series."""
    return PALETTE[number % len(PALETTE)]


def _own(svg: str, name: str, title: str, description: str) -> str:
    """matplotlib's SVG made fit to stand inside an HTML page beside others."""
    start = re.search(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', svg)
    if start is None:
        raise ValueError("matplotlib wrote no SVG root")
    width, height = float(start.group(1)), float(start.group(2))
    body = svg[start.end() : svg.rindex("</svg>")]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    prefix = f"{name}-{hashlib.sha256(body.encode()).hexdigest()[:8]}"
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'xlink:href="#', f'xlink:href="#{prefix}-', body)
    body = body.replace("url(#", f"url(#{prefix}-").replace("*{stroke", f"#{prefix} *{{stroke")
    body = body.replace("'DejaVu Sans'", FONTS)
    return (
        f'<svg id="{prefix}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width * CSS:g}" height="{height * CSS:g}">\n'
        f'<title id="{prefix}-title">{escape(title)}</title>\n'
        f'<desc id="{prefix}-desc">{escape(description)} Research use only.</desc>'
        f"{body.rstrip()}\n</svg>"
    )
