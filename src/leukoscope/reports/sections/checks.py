"""What the checks found before training: severity, evidence in words, and the mend."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...records.findings import Finding
from ...records.images import find_images
from ..evidence import FindingShown, severity_counts, show_findings
from ..study import Study

__all__ = ["ChecksSection", "build"]


@dataclass(frozen=True)
class ChecksSection:
    """Findings of all runs, each once."""

    findings: tuple[FindingShown, ...]
    counts: tuple[tuple[str, int], ...]
    """Severity and number of findings, the gravest first."""


def build(study: Study) -> ChecksSection:
    """Findings in order of severity; which runs have one is said where not all do."""
    runs: dict[str, list[str]] = {}
    first: dict[str, tuple[Finding, int]] = {}
    for place, shown in enumerate(study.shown):
        for finding in shown.run.findings:
            key = finding.model_dump_json()
            first.setdefault(key, (finding, place))
            runs.setdefault(key, []).append(shown.name)
    galleries = [find_images(shown.run) for shown in study.shown]
    found = [
        show_findings(
            [finding],
            galleries[place].folder,
            runs=tuple(runs[key]) if len(runs[key]) < len(study.shown) else (),
        )[0]
        for key, (finding, place) in first.items()
    ]
    findings = tuple(sorted(found, key=lambda shown: shown.rank))
    return ChecksSection(findings, severity_counts(Counter(f.severity for f in findings)))
