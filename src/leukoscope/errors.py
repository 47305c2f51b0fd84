"""Every error that leukoscope raises on purpose.

    LeukoscopeError                exit code 2: the call or its input was wrong
    ├── ManifestError              a manifest, a card, or a folder that should become one
    ├── ImageError                 one image that cannot be decoded
    ├── ExperimentError            an experiment file or one of its keys
    ├── SplitError                 a split that is impossible, leaks, or fits another manifest
    ├── RunError                   a run folder: incomplete, changed, of another experiment
    │   └── RunBusyError           another process is training into it
    ├── PredictionsError           a predictions table
    ├── ProtocolError              a paper's protocol, its grid, or a choice from it
    ├── AuditError                 a table of published figures that cannot be read
    ├── ReportError                a report that cannot be written from what is there
    ├── FuzzyError                 a fuzzy system, or values it cannot decide on
    ├── OutputError                a place where a verb cannot or must not write
    ├── MissingExtraError          an optional dependency is not installed
    └── StorageError               exit code 3: disk, memory or network failed
        └── DownloadError

A message says which file and row, what was found, what was expected, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "AuditError",
    "DownloadError",
    "ExperimentError",
    "FuzzyError",
    "ImageError",
    "LeukoscopeError",
    "ManifestError",
    "MissingExtraError",
    "OutputError",
    "PredictionsError",
    "ProtocolError",
    "ReportError",
    "RunBusyError",
    "RunError",
    "SplitError",
    "StorageError",
    "suggestion",
]


class LeukoscopeError(Exception):
    """The root of the tree; ``exit_code`` is what the command line returns."""

    exit_code: ClassVar[int] = 2


class ManifestError(LeukoscopeError):
    """A manifest, its card, or a folder that should become one."""


class ImageError(LeukoscopeError):
    """One image that cannot be decoded or used."""


class ExperimentError(LeukoscopeError):
    """An experiment file or one of its keys."""


class SplitError(LeukoscopeError):
    """A split that is impossible, that leaks, or that belongs to another manifest."""


class RunError(LeukoscopeError):
    """A run folder that is incomplete, altered, or of another experiment."""


class RunBusyError(RunError):
    """A run folder that another process is training into now."""


class PredictionsError(LeukoscopeError):
    """A predictions table that cannot be evaluated."""


class ProtocolError(LeukoscopeError):
    """A paper's protocol, its grid, or a choice from it."""


class AuditError(LeukoscopeError):
    """A table of published figures that cannot be read."""


class ReportError(LeukoscopeError):
    """A report that cannot be written from what is there."""


class FuzzyError(LeukoscopeError):
    """A fuzzy system, or values that it cannot decide on."""


class OutputError(LeukoscopeError):
    """A place for what is written that is another thing's: an input, a folder, a device."""


class MissingExtraError(LeukoscopeError):
    """An optional dependency is needed and absent."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra '{extra}'. Install it with: pip install 'leukoscope[{extra}]'"
        )


class StorageError(LeukoscopeError):
    """Disk, memory or network failed; what was finished before is kept."""

    exit_code: ClassVar[int] = 3


class DownloadError(StorageError):
    """A download failed or its checksum does not match."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The tail of an error about an unknown name: near matches, or all known names.

    >>> suggestion("lerning_rate", ["learning_rate", "momentum"])
    "Did you mean 'learning_rate'?"
    """
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(f"'{folded[match]}'" for match in near) + "?"
    return "Known: " + ", ".join(names) + "." if names else "None is known."
