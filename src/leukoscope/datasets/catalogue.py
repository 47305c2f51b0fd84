"""Every data set that the five papers name: what it is, who may have it, whether it is here."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ManifestError, suggestion
from .entries import PUBLISHED, Entry

__all__ = ["CATALOGUE", "entry_named", "is_here", "listing", "locate", "render_listing"]

VARIABLE = "LEUKOSCOPE_DATA"
UNKNOWN = "unknown"

DRAWN = {
    "rendered-cnmc": "cells on black, as C-NMC",
    "rendered-allidb1": "whole fields with centres, as ALL-IDB1",
    "rendered-allidb2": "single cells, as ALL-IDB2",
    "rendered-taleghani": "small fields of four classes, as Taleghani",
    "rendered-pcam": "tissue patches in HDF5, as PCam",
    "rendered-snam": "marrow fields with masks, as SN-AM",
}
CATALOGUE: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        *PUBLISHED,
        *(
            Entry(
                name,
                f"rendered: {title}",
                shows="drawn from a seed; says nothing about patients",
                subject="a rendered subject (as many as asked for)",
                licence="drawn by leukoscope, no rights reserved",
                how="render",
                reader=name.removeprefix("rendered-"),
                checked="drawn here",
            )
            for name, title in DRAWN.items()
        ),
    )
}
"""By name; the sets of the papers first, then what leukoscope draws itself."""


def entry_named(name: str) -> Entry:
    """The entry of that name.

    Raises
    ------
    ManifestError
        When there is none; near names are suggested.
    """
    if name not in CATALOGUE:
        raise ManifestError(
            f"'{name}' is no data set of the catalogue. {suggestion(name, CATALOGUE)}"
        )
    return CATALOGUE[name]


def locate(folder: Path) -> dict[str, Path]:
    """Where the catalogue's data sets lie in a data folder: each in a folder of its own.

    Every reader is asked about every folder in ``folder``, and about ``folder`` itself where none
    in it is known. Rendered sets are told from real ones by their marker.

    Raises
    ------
    ManifestError
        When the folder does not exist or may not be listed.
    """
    if not folder.is_dir():
        raise ManifestError(f"{folder}: there is no such folder. Name another with --folder.")
    try:
        inside = sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        raise ManifestError(
            f"{folder}: cannot be listed ({error.strerror}). Name another with --folder."
        ) from error
    found: dict[str, Path] = {}
    for place in inside:
        for name in _sets_in(place):
            found.setdefault(name, place)
    if not found:
        found = dict.fromkeys(_sets_in(folder), folder)
    return found


def _sets_in(place: Path) -> list[str]:
    """Names of the entries that one folder holds."""
    from . import READERS
    from .readers.rendered import find_marker, marked_name
    from .readers.tree import list_tree

    try:
        marker = find_marker(place)
        if marker is not None:
            return [marked_name(marker)]
        tree = list_tree(place)
    except ManifestError:  # a neighbour that cannot be listed hides nothing else
        return []
    answers = {
        name: recognised.seen
        for name, reader in READERS.items()
        if not reader.generic and (recognised := reader.recognise(tree)) is not None
    }
    return [
        entry.name
        for entry in PUBLISHED
        if entry.reader in answers and re.search(entry.seen, answers[entry.reader])
    ]


def is_here(entry: Entry, folder: Path) -> Path | None:
    """Where in a data folder the entry's reader recognises the set; None where it does not.

    Raises
    ------
    ManifestError
        When the folder does not exist or may not be listed.
    """
    return locate(folder).get(entry.name)


def listing(folder: Path | None = None) -> list[dict[str, Any]]:
    """All entries as plain values, each with ``here``: its folder, or None.

    ``folder`` is where data sets lie; without it ``$LEUKOSCOPE_DATA``; without that nothing is
    looked for.

    Raises
    ------
    ManifestError
        When the folder does not exist or may not be listed.
    """
    named = folder if folder is not None else os.environ.get(VARIABLE)
    found = locate(Path(named)) if named else {}
    return [
        {**asdict(entry), "here": str(found[entry.name]) if entry.name in found else None}
        for entry in CATALOGUE.values()
    ]


WAYS = {
    "http": "leukoscope data get {name}",
    "kaggle": "leukoscope data get {name} (a Kaggle account)",
    "ask": "on request",
    "render": "leukoscope data render {name}",
    "none": "no way known",
}


def render_listing(entries: Sequence[Mapping[str, Any]]) -> str:
    """The listing as text for people; what is unknown says so."""
    here = [entry for entry in entries if entry["here"]]
    lines = [f"{len(entries)} data sets, {len(here)} of them here."]
    if not here:
        lines[0] += f" Say where yours lie with --folder, or in ${VARIABLE}."
    for entry in entries:
        lines += ["", f"{entry['name']}: {entry['title']}", *_paragraph(entry)]
    return "\n".join(lines)


def _paragraph(entry: Mapping[str, Any]) -> list[str]:
    images = f"{entry['images']:,} images" if entry["images"] is not None else "size unknown"
    if entry["megabytes"] is not None:
        images += f", {entry['megabytes']:,} MB"
    facts = {
        "shows": f"{images}; {entry['shows'] or 'content unknown'}",
        "subject": entry["subject"],
        "licence": entry["licence"] or UNKNOWN,
        "used by": ", ".join(entry["papers"]) or "none of the five papers",
        "from": " ".join(part for part in (_way(entry), entry["url"]) if part),
        "checked": entry["checked"] or "not verified",
        "note": entry["note"],
        "here": entry["here"] or "",
    }
    lines = []
    for label, text in facts.items():
        if text:
            lines += textwrap.wrap(
                text, 96, initial_indent=f"  {label + ':':9}", subsequent_indent=" " * 11
            )
    return lines


def _way(entry: Mapping[str, Any]) -> str:
    return WAYS[entry["how"]].format(name=entry["name"])
