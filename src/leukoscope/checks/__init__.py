"""What is wrong with this data, before anything is trained.

One check a file; ``CHECKS`` is all of them. A check takes a ``Context`` and returns findings, none
where nothing is wrong. Adding one is a file and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from ..errors import LeukoscopeError, suggestion
from ..progress import Progress
from . import (
    badly_exposed_images,
    blank_images,
    blurred_images,
    burnt_in_marks,
    chosen_on_test,
    class_imbalance,
    copies_before_split,
    crops_of_fields,
    cut_groups,
    doubtful_labels,
    enough_groups,
    fitted_on_test,
    foreign_split,
    identical_images,
    identical_labels,
    identical_parts,
    identical_subjects,
    inferred_groups,
    near_identical_images,
    near_identical_labels,
    near_identical_parts,
    odd_magnification,
    one_class_sources,
    shortcuts,
    small_images,
    test_part,
    tested_pretraining,
    transductive,
    unreadable_images,
    unusual_images,
    upscaled_images,
    vignetted_images,
)
from .context import Check, Context
from .coverage import coverage
from .examination import Examination, examine_records, examined
from .leakage import Known

if TYPE_CHECKING:
    from ..datasets.manifest import Manifest
    from ..records.findings import Finding
    from ..records.run import Run
    from ..records.split import Split

__all__ = [
    "CHECKS",
    "RECORD_CHECKS",
    "Check",
    "Context",
    "Examination",
    "check_records",
    "examine",
    "examine_records",
    "run_checks",
    "title",
]

CHECKS: dict[str, Check] = {
    "unreadable-images": unreadable_images.check,
    "identical-images": identical_images.check,
    "identical-labels": identical_labels.check,
    "identical-subjects": identical_subjects.check,
    "identical-parts": identical_parts.check,
    "near-identical-images": near_identical_images.check,
    "near-identical-labels": near_identical_labels.check,
    "near-identical-parts": near_identical_parts.check,
    "crops-of-fields": crops_of_fields.check,
    "foreign-split": foreign_split.check,
    "test-part": test_part.check,
    "cut-groups": cut_groups.check,
    "copies-before-split": copies_before_split.check,
    "fitted-on-test": fitted_on_test.check,
    "chosen-on-test": chosen_on_test.check,
    "tested-pretraining": tested_pretraining.check,
    "transductive": transductive.check,
    "enough-groups": enough_groups.check,
    "inferred-groups": inferred_groups.check,
    "class-imbalance": class_imbalance.check,
    "one-class-sources": one_class_sources.check,
    "shortcuts": shortcuts.check,
    "burnt-in-marks": burnt_in_marks.check,
    "blank-images": blank_images.check,
    "blurred-images": blurred_images.check,
    "badly-exposed-images": badly_exposed_images.check,
    "vignetted-images": vignetted_images.check,
    "odd-magnification": odd_magnification.check,
    "small-images": small_images.check,
    "upscaled-images": upscaled_images.check,
    "unusual-images": unusual_images.check,
    "doubtful-labels": doubtful_labels.check,
}
RECORD_CHECKS: dict[str, Callable[[Run], list[Finding]]] = {
    "copies-before-split": copies_before_split.of_run,
    "fitted-on-test": fitted_on_test.of_run,
    "chosen-on-test": chosen_on_test.of_run,
    "tested-pretraining": tested_pretraining.of_run,
    "transductive": transductive.of_run,
}
"""What a finished run's records tell without its data at hand."""
SEVERITIES = ("error", "warning", "note")


def title(name: str) -> str:
    """What a check looks for, in one line: the first line of its docstring."""
    return (CHECKS[name].__doc__ or name).strip().splitlines()[0]


def examine(
    manifest: Manifest,
    *,
    split: Split | None = None,
    failures: Sequence[tuple[str, str]] = (),
    only: Collection[str] | None = None,
    run: Run | None = None,
    pixels: bool = True,
    progress: Progress | None = None,
) -> Examination:
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
    run
        Its records are checked too: what was fitted, chosen or copied with test rows in sight.
    pixels
        False leaves out what looks at all pixels, as a training does.

    Returns
    -------
    Examination
        Findings, errors first, in the order of ``CHECKS`` within a severity; what was checked and
        what could not be; the eight kinds of leakage; a verdict.

    Raises
    ------
    LeukoscopeError
        For a name that is no check.
    """
    for name in only or ():
        if name not in CHECKS:
            raise LeukoscopeError(f"check: there is no check {name!r}. {suggestion(name, CHECKS)}")
    context = Context(
        manifest, split, tuple(failures), progress or Progress(quiet=True), run, pixels
    )
    names = [name for name in CHECKS if only is None or name in only]
    findings = _ordered([finding for name in names for finding in CHECKS[name](context)])
    checked = coverage(names, findings, context)
    titles = {name: title(name) for name in CHECKS}
    return examined(findings, checked, titles, Known.of(findings, checked, split, run))


def run_checks(
    manifest: Manifest,
    *,
    split: Split | None = None,
    failures: Sequence[tuple[str, str]] = (),
    only: Collection[str] | None = None,
    run: Run | None = None,
    pixels: bool = True,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """The findings of ``examine`` alone."""
    return examine(
        manifest,
        split=split,
        failures=failures,
        only=only,
        run=run,
        pixels=pixels,
        progress=progress,
    ).findings


def check_records(run: Run) -> tuple[Finding, ...]:
    """What the records of a finished run tell by themselves, errors first.

    Raises
    ------
    RunError
        When a record is damaged.
    """
    return _ordered([finding for of_run in RECORD_CHECKS.values() for finding in of_run(run)])


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
