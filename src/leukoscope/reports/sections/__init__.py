"""The sections of a report in their order: one file and one template each.

A section builds a frozen value from the study, or None where it has nothing to say; its template
``templates/sections/<name>.html`` prints that value as ``it``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..study import Study
from . import (
    checklist,
    checks,
    data,
    editions,
    errors,
    fuzzy,
    headline,
    leakage,
    limits,
    model,
    results,
    split,
)  # fmt: skip

__all__ = ["SECTIONS", "Section"]


@dataclass(frozen=True)
class Section:
    """A title for the table of contents and the function that fills the template."""

    title: str
    build: Callable[[Study], Any]


SECTIONS: dict[str, Section] = {
    "headline": Section("What was found", headline.build),
    "data": Section("Data and exclusions", data.build),
    "checks": Section("Checks", checks.build),
    "leakage": Section("Eight kinds of leakage", leakage.build),
    "split": Section("Split", split.build),
    "model": Section("Model and training", model.build),
    "results": Section("Results", results.build),
    "editions": Section("Runs side by side", editions.build),
    "errors": Section("Errors shown", errors.build),
    "fuzzy": Section("Fuzzy decision", fuzzy.build),
    "limits": Section("Limits", limits.build),
    "checklist": Section("Reporting checklist", checklist.build),
}
