"""Facts that ship with leukoscope: names, subjects, hashes, and where crops were cut from.

No image is among them. They let a copy of a public set be verified file by file, and say which
images must not be parted even where only some of them are at hand.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Hashable, Iterable
from functools import cache
from importlib import resources
from typing import TypeVar

__all__ = [
    "cnmc_files",
    "cnmc_linked_subjects",
    "components",
    "crop_fields",
    "field_groups",
    "known_hashes",
]

Name = TypeVar("Name", bound=Hashable)


def _table(name: str) -> list[dict[str, str]]:
    data = resources.files(__name__).joinpath(name).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"))))


def components(links: Iterable[Iterable[Name]]) -> dict[Name, Name]:
    """For every name in ``links`` the first-seen name of its connected component.

    >>> components([("a", "b"), ("c",), ("d", "b")])
    {'a': 'a', 'b': 'a', 'c': 'c', 'd': 'a'}
    """
    parent: dict[Name, Name] = {}

    def root(name: Name) -> Name:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    order: dict[Name, int] = {}
    for link in links:
        first: Name | None = None
        for name in link:
            parent.setdefault(name, name)
            order.setdefault(name, len(order))
            if first is not None:
                old, new = sorted((root(first), root(name)), key=order.__getitem__)
                parent[new] = old
            first = name
    return {name: root(name) for name in parent}


@cache
def cnmc_files() -> tuple[dict[str, str], ...]:
    """Every file of C-NMC 2019 as published: ``part, name, subject, sha256``.

    ``part`` is ``fold_0``, ``fold_1``, ``fold_2`` (10,661 files), ``preliminary`` (1,867) or
    ``final`` (2,586); the subject is known for the training folds.
    """
    return tuple(_table("cnmc.csv.gz"))


@cache
def known_hashes(dataset: str) -> dict[tuple[str, str], str]:
    """SHA-256 of each published file by (official split, file name); empty for other sets."""
    if dataset != "cnmc":
        return {}
    return {(file["part"], file["name"]): file["sha256"] for file in cnmc_files()}


@cache
def cnmc_linked_subjects() -> dict[str, str]:
    """For each training subject the first of those that share byte-identical images with it.

    The 73 subject ids of the training folds are 66 independent groups: 104 images occur twice
    under different names.
    """
    holders: dict[str, list[str]] = {}
    links: list[list[str]] = []
    for file in cnmc_files():
        if file["subject"]:
            links.append([file["subject"]])
            holders.setdefault(file["sha256"], []).append(file["subject"])
    return components([*links, *holders.values()])


@cache
def crop_fields() -> dict[str, dict[str, str]]:
    """ALL-IDB2 crop (``Im001_1``) to its ALL-IDB1 field: ``slide, x, y, w, h, slide_group``.

    Found by template matching (NCC of at least 0.968); 175 of the 260 crops.
    """
    return {row["crop"].partition(".")[0]: row for row in _table("allidb2_slides.csv")}


@cache
def field_groups() -> dict[str, str]:
    """ALL-IDB1 field (``Im013_1``) to the group of fields that overlap it, where known."""
    return {row["slide"].partition(".")[0]: row["slide_group"] for row in crop_fields().values()}
