"""Where nobody published who the patients were."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Subjects unknown, groups inferred or absent"""
    manifest = context.manifest
    rows = len(manifest)
    unknown = int((manifest.column("subject") == "").sum())
    inferred = int((manifest.column("group_source") == "inferred").sum())
    absent = int((manifest.column("group") == "").sum())
    findings = []
    if absent:
        findings.append(
            Finding(
                check="inferred-groups",
                severity="warning",
                summary=(
                    f"{absent:,} of {counted(rows, 'row')} without a group: nothing says what a "
                    "split must not cut."
                ),
                evidence={"rows": rows, "without_group": absent, "without_subject": unknown},
                mend="Read the folder again (leukoscope data read), which groups the rows.",
            )
        )
    if inferred:
        note = manifest.card.group_note.rstrip(".")
        findings.append(
            Finding(
                check="inferred-groups",
                severity="note",
                summary=(
                    f"{unknown:,} of {counted(rows, 'row')} without a published subject. The "
                    f"groups of {counted(inferred, 'row')} are inferred, so images of one patient "
                    "may lie in different groups, and a leak-free figure may still be too good"
                    + (f" ({note})." if note else ".")
                ),
                evidence={"rows": rows, "without_subject": unknown, "inferred": inferred},
                mend="Ask the source for patient ids. Until then say 'inferred groups' beside "
                "every figure.",
            )
        )
    elif unknown and not absent:
        findings.append(
            Finding(
                check="inferred-groups",
                severity="note",
                summary=f"{unknown:,} of {counted(rows, 'row')} with a group but no subject: "
                "results by subject leave them out.",
                evidence={"rows": rows, "without_subject": unknown},
                mend="Ask the source for patient ids.",
            )
        )
    return findings
