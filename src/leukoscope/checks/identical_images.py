"""The same picture more than once."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context
from .identical_sets import images_of, named, pairs

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Identical pixels under different names"""
    manifest = context.manifest
    hashed = (manifest.column("sha256") != "") | (manifest.column("pixels_sha256") != "")
    findings = []
    if not hashed.all():
        missing = int((~hashed).sum())
        findings.append(
            Finding(
                check="identical-images",
                severity="note",
                summary=(
                    f"{counted(missing, 'row')} of {len(manifest):,} carry no hash, so identical "
                    "pixels among them are not found."
                ),
                evidence={"rows_without_hash": missing, "rows": len(manifest)},
                mend="Read the folder again: leukoscope data read writes the hashes.",
            )
        )
    sets = context.identical
    if sets:
        found = sum(len(pairs(rows)) for rows in sets)
        findings.append(
            Finding(
                check="identical-images",
                severity="note",
                summary=(
                    f"{counted(found, 'pair')} of images with identical pixels under different "
                    f"names, in {counted(len(sets), 'set')} of {sum(map(len, sets)):,} images."
                ),
                evidence={"pairs": found, "sets": len(sets), "groups": named(context, sets)},
                images=images_of(context, sets),
                mend="Leave one image of each set in; until then no split may separate them.",
            )
        )
    return findings
