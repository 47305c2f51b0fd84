"""What a check is given, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..datasets.manifest import Manifest
from ..progress import Progress
from ..records.findings import Finding
from ..records.split import Fold, Split
from ..splits.duplicates import identical

__all__ = ["Check", "Context", "shown"]


@dataclass(frozen=True)
class Context:
    """One data set, and the split of it that is checked too where there is one."""

    manifest: Manifest
    split: Split | None = None
    failures: tuple[tuple[str, str], ...] = ()
    """``(image, reason)`` for each image that could not be read when the manifest was made."""
    progress: Progress = field(default_factory=lambda: Progress(quiet=True))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row key → row number."""
        return {key: row for row, key in enumerate(self.manifest.keys)}

    @cached_property
    def identical(self) -> tuple[tuple[int, ...], ...]:
        """Row numbers of each set of rows with identical pixels."""
        return tuple(tuple(self.row_of[key] for key in keys) for keys in identical(self.manifest))

    def parts(self) -> Iterator[tuple[Fold, dict[int, str]]]:
        """Each fold of the split with the part of each row number in it."""
        for fold in self.split.folds if self.split else ():
            yield (
                fold,
                {
                    self.row_of[key]: part
                    for part in ("train", "validation", "test")
                    for key in getattr(fold, part)
                    if key in self.row_of
                },
            )


Check = Callable[[Context], list[Finding]]
"""A check: its first docstring line is its title, its name in ``CHECKS`` is its identity."""


def shown(names: list[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
