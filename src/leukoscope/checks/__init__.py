"""What is wrong with this data, before anything is trained.

One check a file; ``CHECKS`` is all of them. A check takes a ``Context`` and returns findings, none
where nothing is wrong. Adding one is a file and a line here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ..errors import LeukoscopeError, suggestion
from ..progress import Progress
from . import (
    class_imbalance,
    cut_groups,
    enough_groups,
    foreign_split,
    identical_images,
    identical_labels,
    identical_parts,
    identical_subjects,
    inferred_groups,
    one_class_sources,
    unreadable_images,
)
from .context import Check, Context

if TYPE_CHECKING:
    from ..datasets.manifest import Manifest
    from ..records.findings import Finding
    from ..records.split import Split

__all__ = ["CHECKS", "Check", "Context", "run_checks", "title"]

CHECKS: dict[str, Check] = {
    "unreadable-images": unreadable_images.check,
    "identical-images": identical_images.check,
    "identical-labels": identical_labels.check,
    "identical-subjects": identical_subjects.check,
    "identical-parts": identical_parts.check,
    "foreign-split": foreign_split.check,
    "cut-groups": cut_groups.check,
    "enough-groups": enough_groups.check,
    "inferred-groups": inferred_groups.check,
    "class-imbalance": class_imbalance.check,
    "one-class-sources": one_class_sources.check,
}
SEVERITIES = ("error", "warning", "note")


def title(name: str) -> str:
    """What a check looks for, in one line: the first line of its docstring."""
    return (CHECKS[name].__doc__ or name).strip().splitlines()[0]


def run_checks(
    manifest: Manifest,
    *,
    split: Split | None = None,
    failures: Sequence[tuple[str, str]] = (),
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Run all checks, or those named in ``only``.

    Parameters
    ----------
    manifest
        With groups filled where there are any (``splits.grouping``). The images need not be at
        hand: what can be told from names and hashes is told, and what cannot is said.
    split
        Checked too: what lies in two of its parts.
    failures
        ``(image, reason)`` for each image that could not be read.
    only
        Names of checks; all of them where not given.

    Returns
    -------
    tuple
        Findings, errors first, in the order of ``CHECKS`` within a severity.

    Raises
    ------
    LeukoscopeError
        For a name that is no check.
    """
    for name in only or ():
        if name not in CHECKS:
            raise LeukoscopeError(f"check: there is no check {name!r}. {suggestion(name, CHECKS)}")
    context = Context(manifest, split, tuple(failures), progress or Progress(quiet=True))
    findings = [
        finding
        for name, check in CHECKS.items()
        if only is None or name in only
        for finding in check(context)
    ]
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
