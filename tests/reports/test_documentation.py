"""Every field of a report is documented, and every documented field exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from leukoscope.figures import FIGURES
from leukoscope.reports import write_report
from leukoscope.reports.limits import ORDER
from leukoscope.reports.sections import SECTIONS
from leukoscope.reports.sections.checklist import guidelines, slug
from leukoscope.reports.sections.data import FACTS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "src" / "leukoscope" / "reports" / "templates"
NOT_RESULTS = {
    "learning_curves", "gallery", "editions", "comparison", "memberships", "decision_surface",
    "bars", "box", "by_class", "pairs",
}  # fmt: skip
"""Figures that stand elsewhere: with the model, with the errors, side by side, with a fuzzy
system, in a reproduction, in a check."""


@pytest.fixture(scope="module")
def documented() -> set[str]:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    fields = re.findall(r"^\| `([a-z0-9_.-]+)` \|", text, re.MULTILINE)
    assert len(fields) == len(set(fields))
    return set(fields)


def in_templates() -> set[str]:
    """Field names in the templates; those that are made while filling are spelt out."""
    places = "|".join(("page", *SECTIONS))
    found: set[str] = set()
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(rf'"((?:{places})\.[a-z0-9_.-]*)(?:"|\{{)', text))
    made = {
        "data.": [field for field, _ in FACTS],
        "limits.": list(ORDER),
        "results.figures.": sorted(set(FIGURES) - NOT_RESULTS),
        "fuzzy.figures.": ["memberships", "decision_surface"],
        "checklist.": [slug(guideline["name"]) for guideline in guidelines()],
    }
    assert {name for name in found if name.endswith(".")} == set(made)
    names = {name for name in found if not name.endswith(".")}
    return names | {prefix + name for prefix, ends in made.items() for name in ends}


def test_documentation_and_templates_name_the_same_fields(documented: set[str]) -> None:
    assert documented == in_templates()


def test_fields_of_real_pages_are_documented(
    documented: set[str], make_run: Any, parse: Any, tmp_path: Path
) -> None:
    four = ("early", "benign", "pre", "pro")
    runs = [
        make_run("a", edition="as-published", groups="inferred", classes=four, subjects=32),
        make_run("b", groups="inferred", classes=four, subjects=32, histories=False),
        make_run("c", groups="inferred", classes=four, subjects=32, keep_manifest=False),
    ]
    write_report(runs, tmp_path / "report.html")
    fields = set(parse(tmp_path / "report.html").fields)
    assert fields <= documented
    assert len(fields) > 60
