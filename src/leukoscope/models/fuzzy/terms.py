"""Conditions of rules as people write them: ``probability is high and not (ratio is low)``.

The words are those of fuzzy control's standard (IEC 61131-7, Fuzzy Control Language): ``is``,
``and``, ``or``, ``not``; ``and`` binds closer than ``or``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["And", "Condition", "Is", "Not", "Or", "condition", "leaves"]

WORDS = ("is", "and", "or", "not")
TOKEN = re.compile(r"\s*([()]|[^\s()]+)")


@dataclass(frozen=True)
class Is:
    """A value belongs to a set of its input."""

    input: str
    set: str


@dataclass(frozen=True)
class Not:
    """1 − membership."""

    inner: Condition


@dataclass(frozen=True)
class And:
    """The smaller of two memberships."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Or:
    """The larger of two memberships."""

    left: Condition
    right: Condition


Condition = Is | Not | And | Or


def condition(text: str) -> Condition:
    """What a condition says.

    >>> condition("a is low or not b is high")
    Or(left=Is(input='a', set='low'), right=Not(inner=Is(input='b', set='high')))

    Raises
    ------
    ValueError
        With what was found and what was expected.
    """
    words = TOKEN.findall(text.strip())
    found, rest = _either(words, text)
    if rest:
        raise ValueError(f"'{text}': expected 'and', 'or' or the end, found '{rest[0]}'")
    return found


def leaves(one: Condition) -> Iterator[Is]:
    """Every ``INPUT is SET`` of a condition, from left to right."""
    if isinstance(one, Is):
        yield one
    elif isinstance(one, Not):
        yield from leaves(one.inner)
    else:
        yield from leaves(one.left)
        yield from leaves(one.right)


def _either(words: list[str], text: str) -> tuple[Condition, list[str]]:
    left, words = _both(words, text)
    while words and words[0] == "or":
        right, words = _both(words[1:], text)
        left = Or(left, right)
    return left, words


def _both(words: list[str], text: str) -> tuple[Condition, list[str]]:
    left, words = _one(words, text)
    while words and words[0] == "and":
        right, words = _one(words[1:], text)
        left = And(left, right)
    return left, words


def _one(words: list[str], text: str) -> tuple[Condition, list[str]]:
    if words[:1] == ["not"]:
        inner, rest = _one(words[1:], text)
        return Not(inner), rest
    if words[:1] == ["("]:
        inner, rest = _either(words[1:], text)
        if rest[:1] != [")"]:
            raise ValueError(f"'{text}': a bracket is not closed")
        return inner, rest[1:]
    if len(words) < 3 or words[1] != "is":
        found = " ".join(words[:3]) or "the end"
        raise ValueError(f"'{text}': expected 'INPUT is SET', found '{found}'")
    if words[2] == "not":
        if len(words) < 4:
            raise ValueError(f"'{text}': expected a set after 'is not', found the end")
        name, negated, rest = words[3], True, words[4:]
    else:
        name, negated, rest = words[2], False, words[3:]
    for word in (words[0], name):
        if word in WORDS or word in "()":
            raise ValueError(f"'{text}': expected 'INPUT is SET', found '{' '.join(words[:3])}'")
    leaf = Is(words[0], name)
    return (Not(leaf) if negated else leaf), rest
