"""What a check is given, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..datasets.manifest import Manifest
from ..progress import Progress
from ..records.findings import Finding
from ..records.run import Run
from ..records.split import Fold, Split
from ..splits.duplicates import Comparison, identical
from ..splits.grouping import MOST_COMPARED
from ..splits.remembered import compare_once, recall
from .measuring import Measurements, measure

__all__ = ["Check", "Context", "keys_of", "shown"]


@dataclass(frozen=True)
class Context:
    """One data set, and the split of it, or the run on it, that is checked too."""

    manifest: Manifest
    split: Split | None = None
    failures: tuple[tuple[str, str], ...] = ()
    """``(image, reason)`` for each image that could not be read when the manifest was made."""
    progress: Progress = field(default_factory=lambda: Progress(quiet=True))
    run: Run | None = None
    """The run whose records are checked too; ``split`` is then its own."""
    pixels: bool = True
    """Whether checks may look at all pixels; a training looks at names and hashes alone."""
    unable: dict[str, str] = field(default_factory=dict)
    """Check → why it could say nothing, where that shows only when it tries."""

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row key → row number."""
        return {key: row for row, key in enumerate(self.manifest.keys)}

    @cached_property
    def identical(self) -> tuple[tuple[int, ...], ...]:
        """Row numbers of each set of rows with identical pixels."""
        return tuple(tuple(self.row_of[key] for key in keys) for keys in identical(self.manifest))

    @cached_property
    def measurements(self) -> Measurements | None:
        """Of every row's image, what checks share; None where pixels are not looked at."""
        return measure(self.manifest, self.progress) if self.pixels else None

    @cached_property
    def compared(self) -> Comparison | None:
        """Near-identical images, found in the pixels; None where ``not_compared`` says why."""
        if not self.pixels:
            return recall(self.manifest)
        if len(self.manifest) > MOST_COMPARED:
            return None
        found = compare_once(self.manifest, self.progress)
        return None if found.skipped and len(found.skipped) == found.looked else found

    @property
    def not_compared(self) -> str:
        """Why near-identical images are not known; empty where they are."""
        if self.compared is not None:
            return ""
        if not self.pixels:
            return "a training looks at no pixels, and no earlier comparison is kept"
        if len(self.manifest) > MOST_COMPARED:
            return f"more than {MOST_COMPARED:,} rows are not compared pixel by pixel"
        return "no image is at hand"

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


def keys_of(context: Context, rows: Iterable[int], most: int = 200) -> tuple[str, ...]:
    """The keys of the first rows: enough to look at."""
    return tuple(context.manifest.keys[row] for _, row in zip(range(most), rows, strict=False))
