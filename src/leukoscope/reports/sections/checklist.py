"""The reporting checklists: filled where the run knows, open where a person must answer."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from ..answers import ANSWERS
from ..study import Study

__all__ = ["ChecklistSection", "Guideline", "Item", "build", "guidelines", "slug"]

Status = Literal["answered", "partly", "open"]


@dataclass(frozen=True)
class Item:
    """One item of a checklist."""

    number: str
    section: str
    text: str
    status: Status
    answer: str
    """What the run says; empty where it says nothing."""
    link: str
    """The section of the report that shows more; empty where none does."""
    authors: str
    """What a person must add; empty where nothing is missing."""


@dataclass(frozen=True)
class Guideline:
    """One checklist with its items."""

    name: str
    slug: str
    """The name as an identifier: ``claim-2024``."""
    title: str
    citation: str
    items: tuple[Item, ...]
    answered: int
    partly: int
    open: int


@dataclass(frozen=True)
class ChecklistSection:
    """All checklists."""

    guidelines: tuple[Guideline, ...]


@lru_cache(maxsize=1)
def guidelines() -> tuple[dict[str, Any], ...]:
    """The checklists as ``checklist.toml`` holds them."""
    text = (resources.files("leukoscope.reports") / "checklist.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["guideline"])


def slug(name: str) -> str:
    """A guideline's name as an identifier: ``claim-2024``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def build(study: Study) -> ChecklistSection:
    """Every item with the run's answer, or with what the authors must write."""
    return ChecklistSection(tuple(_guideline(study, guideline) for guideline in guidelines()))


def _guideline(study: Study, guideline: dict[str, Any]) -> Guideline:
    items = tuple(_item(study, entry) for entry in guideline["items"])
    counts = {status: sum(item.status == status for item in items) for status in STATUSES}
    return Guideline(
        name=guideline["name"],
        slug=slug(guideline["name"]),
        title=guideline["title"],
        citation=guideline["citation"],
        items=items,
        **counts,
    )


STATUSES: tuple[Status, ...] = ("answered", "partly", "open")


def _item(study: Study, entry: dict[str, Any]) -> Item:
    answer, link = "", ""
    if key := entry.get("answer"):
        function, link = ANSWERS[key]
        answer = function(study)
    authors = entry.get("authors", "")
    if not answer:
        link = ""
        authors = authors or "The run does not tell; please answer."
    status: Status = "open" if not answer else "partly" if authors else "answered"
    return Item(
        number=entry["number"],
        section=entry["section"],
        text=entry["text"],
        status=status,
        answer=answer,
        link=link,
        authors=authors,
    )
