"""The marker ``rendered.toml``: a folder of cells that leukoscope drew, with their truth."""

from __future__ import annotations

import csv
from pathlib import Path

from ...errors import ManifestError
from ...schema import read_toml
from ..manifest import Manifest
from .tree import Tree

__all__ = ["MARKER", "apply_marker"]

MARKER = "rendered.toml"
"""Beside the images: keys ``name``, ``seed``, and ``truth``, a CSV with image and subject."""


def apply_marker(manifest: Manifest, tree: Tree) -> Manifest:
    """The manifest as it is, or, in a folder with the marker, said to be rendered.

    Facts about the real set (its subjects, its groups, its licence) do not hold for drawn cells:
    subjects come from the marker's table and groups from subjects.

    Raises
    ------
    ManifestError
        When the marker or its table is incomplete, or an image is not in the table.
    """
    path = tree.root / MARKER
    if not path.is_file():
        return manifest
    marker = read_toml(path, what="rendered marker", schema=1, error=ManifestError)
    name, seed = marker.get("name"), marker.get("seed")
    if not isinstance(name, str) or not name.startswith("rendered-"):
        raise ManifestError(f"{path}: name is {name!r}; expected one that begins with 'rendered-'.")
    truth = path.parent / str(marker.get("truth", "truth.csv"))
    subjects = _subjects(truth)
    missing = [image for image in manifest.column("image") if image not in subjects]
    if missing:
        raise ManifestError(
            f"{truth}: has no row for {missing[0]!r} ({len(missing)} such images). "
            "Render the set again: leukoscope data render."
        )
    empty = [""] * len(manifest)
    card = manifest.card
    return manifest.with_columns(
        subject=[_own(name, subjects[image]) for image in manifest.column("image")],
        group=empty,
        group_source=empty,
        dataset=[name] * len(manifest),
    ).with_card(
        name=name,
        title=f"rendered cells in the layout of {card.title}",
        licence="drawn by leukoscope, no rights reserved",
        citation="",
        url="",
        subject_is="a rendered subject: a stain, a focus, a magnification, a morphology",
        groups_inferred=False,
        group_note="",
        image_size=None,
        rendered=True,
        notes=(f"Rendered from seed {seed}: no figure from it says anything about patients.",),
    )


def _own(name: str, subject: str) -> str:
    return subject if not subject or ":" in subject else f"{name}:{subject}"


def _subjects(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise ManifestError(f"{path}: the rendered set's table of subjects is missing.")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"image", "subject"} <= set(reader.fieldnames or ()):
            raise ManifestError(
                f"{path}: found the columns {', '.join(reader.fieldnames or ()) or 'none'}; "
                "image and subject were expected."
            )
        return {row["image"]: row["subject"] or "" for row in reader}
