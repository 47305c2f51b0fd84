"""The smoke budget, its rules in one place: every axis of the grid in an hour, and called so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "SMOKE_IMAGES",
    "SMOKE_MINUTES",
    "SMOKE_SUBJECTS",
    "Candidate",
    "Choice",
    "beyond_smoke",
    "choose",
    "frozen_at_smoke",
    "in_minutes",
    "smoke_rules",
]

SMOKE_IMAGES = 2000
SMOKE_SUBJECTS = 40
SMOKE_MINUTES = 60
"""A paper and edition on two cores, where no other time is asked for."""
FROZEN_GFLOP = 10.0
"""Forward, an image; a multiplication with its addition counts as two operations."""


def in_minutes(minutes: float) -> str:
    """The smoke budget's time as a person says it."""
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def smoke_rules(minutes: float = SMOKE_MINUTES, *, part: bool = False) -> tuple[str, ...]:
    """What the smoke budget does, a sentence each; of a ``part`` of the grid where so is asked."""
    return (
        "of the cells that were asked for every value of every axis is run"
        if part
        else "every axis of the grid is run, with every value",
        f"at least {SMOKE_IMAGES:,} cell images of at least {SMOKE_SUBJECTS} subjects",
        "epochs are divided by the greatest divisor that the paper's counts share (25, 50, 100 → "
        "1, 2, 4)",
        f"of a larger set about {SMOKE_IMAGES:,} images, copies among them, are drawn where the "
        "protocol says so: classes and official parts in their shares, groups in turn, by the seed",
        f"backbones above {FROZEN_GFLOP:g} GFLOP an image are frozen",
        f"an edition takes an estimated {in_minutes(minutes)} on two cores: first every value of "
        "every axis of every arm is met, then trainings of published figures, the cheap before "
        "the dear",
    )


def beyond_smoke(minutes: float = SMOKE_MINUTES) -> str:
    """What is said of the cells that have no place."""
    return f"not run: beyond the {in_minutes(minutes)} of the smoke budget; --budget full runs it"


def frozen_at_smoke(name: str, size: int) -> bool:
    """Whether a backbone is too large to be trained whole at a smoke budget."""
    from ..models import MODELS
    from .costs import forward_gflop, parts_of

    if all(part in MODELS for part in parts_of(name)[0]):
        return False
    known = forward_gflop(name, size)
    return known is not None and known > FROZEN_GFLOP


@dataclass(frozen=True)
class Candidate:
    """A training that may be run."""

    name: str
    seconds: float
    """Without what it shares."""
    values: frozenset[tuple[str, str, str]]
    """(arm, axis, value) that its cells meet."""
    published: bool = False
    """Whether a figure of the paper's tables stands beside one of its cells."""
    after: str = ""
    """The training that it begins with, which is run too."""
    shared: str = ""
    """What it computes and others find again, such as the vectors of a frozen backbone."""
    shared_seconds: float = 0.0


@dataclass
class Choice:
    """Trainings that are run, and what they take."""

    names: list[str] = field(default_factory=list)
    """In the order in which they were chosen."""
    seconds: float = 0.0
    cover_seconds: float = 0.0
    """Of those that are needed to meet every value of every axis."""
    shared: set[str] = field(default_factory=set)

    def added(self, one: Candidate, known: dict[str, Candidate]) -> float:
        """Seconds that a candidate adds, with the training that it begins with."""
        new = [known[name] for name in (one.after, one.name) if name in known]
        new = [other for other in new if other.name not in self.names]
        parts = {
            o.shared: o.shared_seconds for o in new if o.shared and o.shared not in self.shared
        }
        return sum(other.seconds for other in new) + sum(parts.values())

    def add(self, one: Candidate, known: dict[str, Candidate]) -> None:
        """Take a candidate, and before it what it begins with."""
        self.seconds += self.added(one, known)
        for name in (one.after, one.name):
            if name in known and name not in self.names:
                self.names.append(name)
                self.shared |= {known[name].shared} - {""}


def choose(candidates: Sequence[Candidate], limit: float) -> Choice:
    """Choose trainings until ``limit`` seconds are full.

    First every value of every axis of every arm is met, by the candidate with the fewest seconds
    for each value that it adds (Chvátal's greedy set cover, 1979), whatever that takes; among
    equals those of published figures. Then published ones that have room are taken, and then the
    others, the cheap before the dear. The same candidates give the same choice.
    """
    known = {one.name: one for one in candidates}
    choice = Choice()
    missing = {value for one in candidates for value in one.values}
    while missing:
        best = min(
            (one for one in candidates if one.values & missing),
            key=lambda one: (
                choice.added(one, known) / len(one.values & missing),
                not one.published,
            ),
        )
        choice.add(best, known)
        missing -= best.values | _values(known, best.after)
    choice = _without_needless(choice, known)
    choice.cover_seconds = choice.seconds
    rest = [one for one in candidates if one.name not in choice.names]
    while rest:
        # What is shared gets cheaper once it is paid, so the order is found anew each time.
        rest.sort(key=lambda one: (not one.published, choice.added(one, known)))
        one = rest.pop(0)
        if choice.seconds + choice.added(one, known) <= limit:
            choice.add(one, known)
    return choice


def _without_needless(cover: Choice, known: dict[str, Candidate]) -> Choice:
    """Drop, the dearest first, what later choices of the greedy cover have made needless."""
    names = list(cover.names)
    for name in sorted(names, key=lambda name: -known[name].seconds):
        others = [known[other] for other in names if other != name]
        met = {value for one in others for value in one.values}
        if known[name].values <= met and all(one.after != name for one in others):
            names.remove(name)
    choice = Choice()
    for name in names:
        choice.add(known[name], known)
    return choice


def _values(known: dict[str, Candidate], name: str) -> frozenset[tuple[str, str, str]]:
    return known[name].values if name in known else frozenset()
