"""How figures say numbers: counts, values with their intervals, what a figure stands on."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from ..counting import counted

if TYPE_CHECKING:
    from ..evaluation.curves import Basis
    from ..evaluation.measurement import Estimate

__all__ = [
    "counted",
    "facts",
    "grouped",
    "key",
    "shortened",
    "signed",
    "value",
    "with_interval",
    "wrapped",
]

MINUS = "−"


def grouped(number: int, word: str = "group") -> str:
    """``28 groups``, ``28 inferred groups``, ``248 images as groups``."""
    if number == 1:
        return f"1 {word}"
    return f"{number:,} {word.replace('group', 'groups').replace('image as', 'images as')}"


def facts(basis: Basis, group_word: str = "group") -> str:
    """What a figure stands on: ``1,867 images, 28 groups, 5 models``."""
    words = [counted(basis.n, basis.unit)]
    if basis.unit != "group":
        words.append(grouped(basis.groups, group_word))
    if basis.models > 1:
        words.append(counted(basis.models, "model"))
    return ", ".join(words)


def value(number: float | None, digits: int = 3) -> str:
    """A number with a real minus; a dash where there is none."""
    if number is None:
        return "–"
    text = f"{number:.{digits}f}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", MINUS)


def signed(number: float | None, digits: int = 3) -> str:
    """A difference with its sign."""
    text = value(number, digits)
    return text if text.startswith((MINUS, "–")) or float(text) == 0 else f"+{text}"


def with_interval(estimate: Estimate, digits: int = 3) -> str:
    """``0.861 [0.803, 0.908]``."""
    if estimate.low is None or estimate.high is None:
        return value(estimate.value, digits)
    ends = f"[{value(estimate.low, digits)}, {value(estimate.high, digits)}]"
    return f"{value(estimate.value, digits)} {ends}"


def key(name: str) -> str:
    """A class's name as part of an element's id."""
    return re.sub(r"[^\w.-]+", "-", name)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` characters."""
    return textwrap.wrap(text, width, break_long_words=True) or []


def shortened(text: str, width: int) -> str:
    """The text, its middle left out where it is longer than ``width``."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
