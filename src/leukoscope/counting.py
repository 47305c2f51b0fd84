"""A count with its noun, so that no sentence says ``1 groups``."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: ``1 group``, ``1,867 images``, ``3 classes``.

    Parameters
    ----------
    number
        How many; thousands are set apart.
    noun
        In the singular.
    plural
        Where it is not made with ``s`` (``es`` after an ``s``).
    """
    several = plural or noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else several}"
