"""The check's own page: a verdict, findings to look at, the kinds of leakage, what is clean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..checks import CHECKS, Examination, title
from ..datasets.manifest import Manifest
from ..errors import ReportError
from ..files import write_atomic
from ..records.findings import Checked
from ..records.split import Split
from .evidence import severity_counts, show_whole
from .evidence_figures import Looked
from .report import refuse_folder
from .templating import render

__all__ = ["write_check_report"]


def write_check_report(
    manifest: Manifest,
    outcome: Examination,
    out: Path,
    *,
    split: Split | None = None,
    next_step: str = "",
) -> None:
    """Write what the checks found in a data set as one HTML file.

    Parameters
    ----------
    manifest
        The rows that were checked; images of a finding are shown where their files are at hand.
    outcome
        What ``checks.examine`` returned; no finding at all is a result too.
    out
        The HTML file to write, atomically.
    split
        The split that was checked, so that pairs across it show their parts.
    next_step
        The command to go on with; nothing is said where it is empty.

    Raises
    ------
    ReportError
        The manifest has no rows, or ``out`` is a folder.
    StorageError
        The file cannot be written.
    """
    out = Path(out)
    refuse_folder(out)
    if not len(manifest):
        raise ReportError(
            f"{manifest.card.name}: the manifest has no rows, so nothing was checked. "
            "Read the folder again: leukoscope data read."
        )
    table = manifest.table
    counts = Counter(label or "no label" for label in table["label"])
    grave = [finding for finding in outcome.findings if finding.severity != "note"]
    page = render(
        "check.html",
        title=f"Checks of {manifest.card.title or manifest.card.name}",
        card=manifest.card,
        rows=len(manifest),
        classes=sorted(counts.items()),
        subjects=len(set(table["subject"]) - {""}),
        groups=len(set(table["group"]) - {""}),
        inferred=manifest.card.groups_inferred or bool((table["group_source"] == "inferred").any()),
        verdict=outcome.verdict,
        grade=outcome.grade,
        first=grave[0].mend if grave else "",
        next_step=next_step,
        findings=show_whole(outcome.findings, Looked(manifest, split)),
        counts=severity_counts(Counter(finding.severity for finding in outcome.findings)),
        leakage=[("Answer", outcome.leakage)],
        missed=outcome.missed,
        clean=[_title(one.check) for one in outcome.checked if one.state == "clean"],
        unchecked=_by_reason(outcome.checked),
        manifest_sha256=manifest.sha256,
    )
    write_atomic(out, page)


def _by_reason(checked: Sequence[Checked]) -> list[tuple[str, list[str]]]:
    """Each reason why something could not be checked, with the checks that it kept from looking."""
    reasons: dict[str, list[str]] = {}
    for one in checked:
        if one.state == "not checked":
            reasons.setdefault(one.reason, []).append(_title(one.check))
    return [(f"{reason[0].upper()}{reason[1:]}", names) for reason, names in reasons.items()]


def _title(name: str) -> str:
    return title(name) if name in CHECKS else name
