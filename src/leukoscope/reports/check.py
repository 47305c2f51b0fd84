"""The check's own page: findings with their evidence and their images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..datasets.manifest import Manifest
from ..errors import ReportError
from ..files import write_atomic
from ..records.findings import Finding
from .evidence import severity_counts, show_findings
from .report import refuse_folder
from .templating import render

__all__ = ["write_check_report"]


def write_check_report(manifest: Manifest, findings: Sequence[Finding], out: Path) -> None:
    """Write what the checks found in a data set as one HTML file.

    Parameters
    ----------
    manifest
        The rows that were checked; images of a finding are shown where their files are at hand.
    findings
        What ``checks.run_checks`` returned; none at all is a result too.
    out
        The HTML file to write, atomically.

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
    page = render(
        "check.html",
        title=f"Checks of {manifest.card.title or manifest.card.name}",
        card=manifest.card,
        rows=len(manifest),
        classes=sorted(counts.items()),
        subjects=len(set(table["subject"]) - {""}),
        groups=len(set(table["group"]) - {""}),
        inferred=manifest.card.groups_inferred or bool((table["group_source"] == "inferred").any()),
        findings=show_findings(findings, manifest.folder),
        counts=severity_counts(Counter(finding.severity for finding in findings)),
        manifest_sha256=manifest.sha256,
    )
    write_atomic(out, page)
