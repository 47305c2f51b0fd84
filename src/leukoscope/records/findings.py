"""``findings.json``: what the checks found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from ..errors import LeukoscopeError
from ..files import read_json, write_json
from ..schema import Record, parse

__all__ = [
    "SCHEMA",
    "Checked",
    "Finding",
    "Severity",
    "read_checked",
    "read_findings",
    "write_findings",
]

SCHEMA = 1
Severity = Literal["error", "warning", "note"]


class Finding(Record):
    """One finding with its evidence and its mend."""

    check: str
    severity: Severity
    summary: str
    """One sentence with the numbers in it."""
    evidence: dict[str, Any] = Field(default_factory=dict)
    """JSON values; duplicates carry ``groups``: a list of lists of images."""
    images: tuple[str, ...] = ()
    """Images that one can look at."""
    mend: str = ""
    """What to do about it."""

    @field_validator("evidence", mode="before")
    @classmethod
    def _plain(cls, evidence: Any) -> Any:
        """As it comes back from a file: lists for tuples, plain numbers for NumPy's, no NaN."""
        return json.loads(json.dumps(evidence, default=_number, allow_nan=False))


def _number(value: Any) -> Any:
    """A NumPy number as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise ValueError(f"evidence holds JSON values, found {type(value).__name__}")


class Checked(Record):
    """What became of one check."""

    check: str
    state: Literal["found", "clean", "not checked"]
    reason: str = ""
    """Why it could not be checked."""


class _Findings(Record):
    schema_: int = Field(default=SCHEMA, alias="schema")
    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...] = ()


def read_findings(path: Path) -> tuple[Finding, ...]:
    """Read ``findings.json``."""
    return _read(path).findings


def read_checked(path: Path) -> tuple[Checked, ...]:
    """What ``findings.json`` says was checked; nothing in a file from before it said so."""
    return _read(path).checked


def _read(path: Path) -> _Findings:
    table = read_json(path, what="findings", schema=SCHEMA, error=LeukoscopeError)
    return parse(_Findings, table, where=str(path), error=LeukoscopeError)


def write_findings(
    findings: Sequence[Finding], path: Path, checked: Sequence[Checked] = ()
) -> None:
    """Write ``findings.json``, atomically."""
    record = _Findings(findings=tuple(findings), checked=tuple(checked))
    write_json(path, record.model_dump(mode="json", by_alias=True))
