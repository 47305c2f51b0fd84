"""What the data was, and what was left out of it and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..numbers import sentence
from ..study import Study

__all__ = ["ClassRow", "Data", "DataSection", "build"]


@dataclass(frozen=True)
class ClassRow:
    """One class of the used rows."""

    name: str
    meaning: str
    """What the card maps the class to: blast, normal, or neither."""
    images: int
    groups: int | None


@dataclass(frozen=True)
class Data:
    """One data set of the report and the runs that used it."""

    runs: tuple[str, ...]
    card: Mapping[str, Any]
    facts: tuple[tuple[str, str, str], ...]
    """Field, title and text of what the card knows."""
    rows: int
    used: int
    excluded: tuple[tuple[str, int], ...]
    failures: tuple[str, ...]
    classes: tuple[ClassRow, ...]
    subjects: int
    groups: int
    inferred: bool
    rendered: bool
    group_note: str
    notes: tuple[str, ...]
    manifest_sha256: str


@dataclass(frozen=True)
class DataSection:
    """All data sets; nearly always one."""

    sets: tuple[Data, ...]
    several: bool
    """Whether more than one run is in the report."""


FACTS = (
    ("title", "Data set"),
    ("normal_means", "What “normal” means here"),
    ("subject_is", "One subject is"),
    ("image_size", "Image size"),
    ("um_per_pixel", "Scale"),
    ("licence", "Licence"),
    ("citation", "Cite as"),
    ("url", "Published at"),
)


def build(study: Study) -> DataSection:
    """One entry for each distinct data summary."""
    found: dict[str, list[int]] = {}
    for place, shown in enumerate(study.shown):
        key = shown.run.data.model_dump_json()
        found.setdefault(key, []).append(place)
    return DataSection(
        tuple(_data(study, places) for places in found.values()), several=study.several
    )


def _data(study: Study, places: list[int]) -> Data:
    summary = study.shown[places[0]].run.data
    card = summary.card
    meanings: Mapping[str, str] = {"blast": "blast", "normal": "normal", **card.get("classes", {})}
    classes = tuple(
        ClassRow(name, meanings.get(name) or "neither", images, summary.groups.get(name))
        for name, images in summary.classes.items()
    )
    return Data(
        runs=tuple(study.shown[place].name for place in places),
        card=card,
        facts=tuple((field, title, text) for field, title in FACTS if (text := _fact(field, card))),
        rows=summary.rows,
        used=summary.used,
        excluded=tuple((reason, n) for reason, n in summary.excluded.items() if n),
        failures=summary.failures,
        classes=classes,
        subjects=summary.subjects,
        groups=summary.groups_total,
        inferred=summary.groups_inferred,
        rendered=summary.rendered,
        group_note=sentence(str(card.get("group_note") or "")),
        notes=tuple(card.get("notes") or ()),
        manifest_sha256=summary.manifest_sha256,
    )


def _fact(field: str, card: Mapping[str, Any]) -> str:
    value = card.get(field)
    if field == "title":
        return str(value or card.get("name") or "unnamed")
    if field == "normal_means":
        return str(value or "not said by the card: the authors must say it")
    if field == "licence":
        return str(value or "unknown")
    if value in (None, "", []):
        return ""
    if field == "image_size":
        return f"{value[0]} × {value[1]} pixels" if value else ""
    if field == "um_per_pixel":
        return f"{value:g} µm a pixel"
    return str(value)
