"""Why a figure is absent: a few words, told once under a letter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["NOT_ASKED", "Legend", "Mark", "short"]

NOT_ASKED = "not among the cells that were asked for"
NOT_RUN = "not run: "
NOT_MEASURED = "not measured: "
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 180
"""Characters of a reason; no sentence of ours is longer, but those of a library may be."""


def short(reason: str) -> str:
    """The first sentence, and of a file or folder its last name only.

    What to do about it, and where on this machine, stands in ``state.json`` and on the terminal.
    """
    for prefix in (NOT_RUN, NOT_MEASURED):
        reason = reason.removeprefix(prefix)
    reason = re.sub(r"(?<![\w.)])~?/(?:[^\s/:,;'\"]+/)*([^\s/:,;'\"]+)", r"\1", reason)
    first = re.split(r"(?<=[.?!])\s+(?=[A-Z])", reason.strip(), maxsplit=1)[0].rstrip(".")
    return first if len(first) <= LONGEST else first[:LONGEST].rsplit(" ", 1)[0] + " …"


@dataclass(frozen=True)
class Mark:
    """What stands where a figure, or its interval, is absent."""

    words: str
    """``not run``, ``not measured`` or ``no interval``."""
    letter: str


@dataclass(frozen=True)
class Legend:
    """Letters of the reasons, in the order in which the page meets them."""

    _letters: dict[str, str] = field(default_factory=dict)

    def mark(self, reason: str, words: str = "") -> Mark:
        """The mark of a reason; a new one gets the next letter.

        Parameters
        ----------
        words
            What stands before the letter; without it the reason's own beginning says.
        """
        if not words:
            words = "not run" if reason.startswith(NOT_RUN) else "not measured"
        text = short(reason)
        return Mark(words, self._letters.setdefault(text, _letter(len(self._letters))))

    def letter(self, text: str) -> str:
        """Of a reason that is short already."""
        return self.mark(text).letter

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Letter and reason."""
        return tuple((letter, text) for text, letter in self._letters.items())


def _letter(number: int) -> str:
    """``a`` to ``z``, then ``aa``, ``ab``, …"""
    before, last = divmod(number, len(LETTERS))
    return (_letter(before - 1) if before else "") + LETTERS[last]
