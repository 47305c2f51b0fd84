"""How a report prints numbers: the same everywhere, and never without what they stand on."""

from __future__ import annotations

import math

from ..counting import counted

__all__ = [
    "counted",
    "decimal",
    "interval",
    "listed",
    "number",
    "operations",
    "plain",
    "sentence",
    "share",
    "signed",
]

MINUS = "\u2212"
MISSING = "\u2014"


def number(value: int) -> str:
    """A count with thousands set apart: ``12,140``."""
    return f"{value:,}".replace("-", MINUS)


def operations(value: int) -> str:
    """Operations of one image, in thousands of millions: ``0.601 GFLOP``."""
    return f"{value / 1e9:.3g} GFLOP"


def decimal(value: float | None, digits: int = 3) -> str:
    """A measured value with a fixed number of decimals; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign: ``+0.041``, ``−0.002``."""
    text = decimal(value, digits)
    positive = value is not None and text != MISSING and not text.startswith(MINUS)
    return f"+{text}" if positive and float(text) != 0 else text


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """The two ends of an interval: ``0.803 to 0.908`` (with "to", as ends may be negative)."""
    if low is None or high is None:
        return MISSING
    return f"{decimal(low, digits)} to {decimal(high, digits)}"


def share(part: int, whole: int) -> str:
    """A share in per cent with one decimal: ``47.9 %``; a dash of nothing."""
    return f"{100 * part / whole:.1f}\u00a0%" if whole else MISSING


def plain(value: float) -> str:
    """A setting as a person writes it: ``0.001``, ``25``, ``1e-06``."""
    return f"{value:.6g}".replace("-", MINUS) if "e" not in f"{value:.6g}" else f"{value:.6g}"


def listed(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Words as a sentence lists them: ``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def sentence(text: str) -> str:
    """A note as a sentence: a capital at its start, a full stop at its end."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
