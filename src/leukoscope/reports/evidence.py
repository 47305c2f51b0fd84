"""A finding as a person reads it: evidence in words, and the images in question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..records.findings import Finding
from .drawings import Drawn
from .evidence_figures import Looked, figures_of
from .numbers import number
from .pictures import thumbnail
from .words import value_words

__all__ = [
    "EvidenceTable",
    "FindingShown",
    "Picture",
    "evidence_words",
    "severity_counts",
    "show_findings",
    "show_whole",
]

SEVERITIES = ("error", "warning", "note")
GROUPS_SHOWN = 8
NAMES_SHOWN = 6
PICTURES_SHOWN = 12
ROWS_SHOWN = 4
TABLE_ROWS = 24
COLUMNS_SHOWN = 8
UNSAID = ("plot",)
"""Evidence that is drawn, or nothing."""
NAMES = {
    "accuracy_of_largest": "right by always answering the largest class",
    "accuracy_by_source": "right by the source alone",
    "one_class": "sources of one class",
    "worst_share_of_test": "share of a test part, at worst",
}
"""Pieces of evidence whose key says too little; the others are named as they are called."""


@dataclass(frozen=True)
class Picture:
    """An image by name, with its thumbnail where the file is at hand."""

    name: str
    uri: str | None
    label: str = ""
    """As the data have it; empty where it is not shown."""


@dataclass(frozen=True)
class EvidenceTable:
    """Evidence that is a table: a row a class, a site, a group, …"""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    more: int
    """Rows that are not shown."""


@dataclass(frozen=True)
class FindingShown:
    """One finding ready to be printed."""

    check: str
    severity: str
    rank: int
    summary: str
    evidence: tuple[tuple[str, str], ...]
    mend: str
    pictures: tuple[Picture, ...]
    more: int
    """Images that are concerned and not shown."""
    runs: tuple[str, ...]
    """The runs that have the finding; empty where all do."""
    tables: tuple[EvidenceTable, ...] = ()
    figures: tuple[Drawn, ...] = ()


def show_findings(
    findings: Sequence[Finding], folder: Path | None, runs: tuple[str, ...] = ()
) -> tuple[FindingShown, ...]:
    """Findings in order of severity; ``folder`` holds the images where they are at hand."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return tuple(_show(finding, folder, runs) for finding in ordered)


def show_whole(findings: Sequence[Finding], looked: Looked) -> tuple[FindingShown, ...]:
    """Findings with all that one can look at: tables, pairs side by side, pictures and labels."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return tuple(
        _show_whole(finding, looked, number) for number, finding in enumerate(ordered, start=1)
    )


def _show_whole(finding: Finding, looked: Looked, number: int) -> FindingShown:
    figures = figures_of(finding, looked, f"finding-{number}")
    tables = {
        key: table
        for key, value in finding.evidence.items()
        if (table := _table(key, value)) is not None
    }
    drawn = {"groups", "least_alike"} if figures else set[str]()
    words = {
        key: value
        for key, value in finding.evidence.items()
        if key not in tables and key not in drawn and key not in UNSAID and value is not None
    }
    # What stands side by side in a figure needs no second picture.
    left = finding.model_copy(
        update={"evidence": words, "images": () if figures else finding.images}
    )
    shown = _show(left, looked.manifest.folder, ())
    pictures = tuple(
        replace(picture, label=looked.label(picture.name)) for picture in shown.pictures
    )
    if "groups" in words and not any(picture.uri for picture in pictures):
        # Their names stand in the evidence, side by side.
        shown, pictures = replace(shown, more=0), ()
    return replace(shown, tables=tuple(tables.values()), figures=figures, pictures=pictures)


def _table(key: str, value: Any) -> EvidenceTable | None:
    """Evidence of equal rows as a table; None where it is none."""
    if not isinstance(value, Mapping) or not value:
        return None
    if not all(isinstance(row, Mapping) for row in value.values()):
        return None
    columns = list(dict.fromkeys(name for row in value.values() for name in row))
    if not 0 < len(columns) <= COLUMNS_SHOWN:
        return None
    rows = tuple(
        (str(name), tuple(_words(row.get(column, "")) for column in columns))
        for name, row in list(value.items())[:TABLE_ROWS]
    )
    return EvidenceTable(
        NAMES.get(key, key.replace("_", " ")),
        tuple(str(column).replace("_", " ") for column in columns),
        rows,
        max(0, len(value) - TABLE_ROWS),
    )


def _show(finding: Finding, folder: Path | None, runs: tuple[str, ...]) -> FindingShown:
    names = finding.images[:PICTURES_SHOWN]
    return FindingShown(
        check=finding.check,
        severity=finding.severity,
        rank=SEVERITIES.index(finding.severity),
        summary=finding.summary,
        evidence=evidence_words(finding.evidence),
        mend=finding.mend,
        pictures=tuple(
            Picture(name, thumbnail(folder, name) if folder is not None else None) for name in names
        ),
        more=len(finding.images) - len(names),
        runs=runs,
    )


def evidence_words(evidence: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Each piece of evidence as a name and a text; long lists are cut with a count."""
    return tuple(
        (NAMES.get(key, key.replace("_", " ")), _words(value)) for key, value in evidence.items()
    )


def _words(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, Mapping):
        # Of a table of tables a few rows show what is meant; findings.json has more.
        nested = any(isinstance(inner, Mapping) for inner in value.values())
        most = ROWS_SHOWN if nested else NAMES_SHOWN * 2
        return _cut([_entry(k, inner) for k, inner in value.items()], most, "; ")
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(inner, (list, tuple)) for inner in value):
            return _cut([_together(inner) for inner in value], GROUPS_SHOWN, "; ")
        return _cut([_words(inner) for inner in value], NAMES_SHOWN * 2, ", ") or "none"
    return value_words(value)


def _together(names: Sequence[Any]) -> str:
    """``a = b = c``; a number behind names is what is known of them: ``a = b (71)``."""
    *before, last = names
    counted_last = bool(before) and isinstance(last, (int, float)) and isinstance(before[-1], str)
    if not counted_last:
        return _cut([_words(name) for name in names], NAMES_SHOWN, " = ")
    return f"{_cut([_words(name) for name in before], NAMES_SHOWN, ' = ')} ({_words(last)})"


def _entry(key: str, value: Any) -> str:
    """``blast: 3``, or ``Im001_1 (blast 6, normal 0)`` for what is itself a table.

    Keys inside of evidence may be names from the data, and names are printed as they are.
    """
    if not isinstance(value, Mapping):
        return f"{key}: {_words(value)}"
    inner = [f"{name} {_words(cell)}" for name, cell in value.items()]
    return f"{key} ({_cut(inner, NAMES_SHOWN * 2, ', ')})"


def _cut(pieces: list[str], most: int, separator: str) -> str:
    """The first pieces, and how many more there are."""
    text = separator.join(pieces[:most])
    left = len(pieces) - most
    return f"{text}{separator}and {number(left)} more" if left > 0 else text


def severity_counts(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Severities that occur, the gravest first."""
    return tuple((severity, counts[severity]) for severity in SEVERITIES if counts[severity])
