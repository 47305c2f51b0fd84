"""The marker ``rendered.toml``: a folder of cells that leukoscope drew, with their truth."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import ManifestError
from ...schema import read_toml
from ..card import DatasetCard, read_card
from ..manifest import Manifest
from .texts import table_of

__all__ = ["MARKER", "apply_marker", "find_marker", "marked_name"]

MARKER = "rendered.toml"
"""At the top of a rendered set: ``name``, ``seed``, and ``truth``, a CSV with image and subject."""
LEVELS = 4
"""How far above a folder the marker is looked for: drawn cells are never taken for real ones
because somebody reads a folder inside the set."""


def find_marker(folder: Path) -> Path | None:
    """The marker of the rendered set that ``folder`` is, or lies in."""
    resolved = folder.resolve()
    for above in [resolved, *resolved.parents][: LEVELS + 1]:
        if os.path.isfile(above / MARKER):
            return above / MARKER
    return None


def marked_name(marker: Path) -> str:
    """The rendered set's name.

    Raises
    ------
    ManifestError
        When the marker is no TOML or its name does not begin with ``rendered-``.
    """
    name = read_toml(marker, what="rendered marker", schema=1, error=ManifestError).get("name")
    if not isinstance(name, str) or not name.startswith("rendered-"):
        raise ManifestError(
            f"{marker}: name is {name!r}; expected one that begins with 'rendered-'."
        )
    return name


def apply_marker(manifest: Manifest, marker: Path) -> Manifest:
    """The manifest of a drawn set: said to be rendered, with the subjects of its truth.

    Facts about the real set (its subjects, its groups, its licence) do not hold for drawn cells:
    subjects come from the marker's table, and a group is a subject.

    Raises
    ------
    ManifestError
        When the marker or its table is incomplete, or an image is not in the table.
    """
    name = marked_name(marker)
    table = read_toml(marker, what="rendered marker", schema=1, error=ManifestError)
    truth = marker.parent / str(table.get("truth", "truth.csv"))
    known = _subjects(truth)
    inside = manifest.folder.resolve().relative_to(marker.parent)
    names = [(inside / image).as_posix() for image in manifest.column("image")]
    missing = [image for image in names if image not in known]
    if missing:
        raise ManifestError(
            f"{truth}: has no row for {missing[0]!r} ({len(missing)} such images). "
            "Render the set again: leukoscope data render."
        )
    subjects = [f"{name}:{known[image]}" if known[image] else "" for image in names]
    drawn = manifest.with_columns(
        subject=subjects,
        group=subjects,
        group_source=["published" if subject else "" for subject in subjects],
        dataset=[name] * len(manifest),
    )
    card = _card(marker, name, manifest.card, table.get("seed"))
    return drawn.with_card(**card.model_dump())


def _card(marker: Path, name: str, real: DatasetCard, seed: object) -> DatasetCard:
    """The card that rendering wrote, or where it is gone, what the real set's leaves."""
    own = marker.parent / "manifest.toml"
    if own.is_file():
        return read_card(own).model_copy(update={"name": name, "rendered": True, "root": ""})
    return DatasetCard(
        name=name,
        title=f"rendered cells in the layout of {real.title}",
        classes=real.classes,
        positive=real.positive,
        licence="drawn by leukoscope, no rights reserved",
        subject_is="a rendered subject",
        rendered=True,
        notes=(f"Rendered from seed {seed}: no figure from it says anything about patients.",),
    )


def _subjects(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise ManifestError(
            f"{path}: the rendered set's table of subjects is missing. "
            "Render the set again: leukoscope data render."
        )
    header, *rows = table_of(path) or [[]]
    if not {"image", "subject"} <= set(header):
        raise ManifestError(
            f"{path}: found the columns {', '.join(header) or 'none'}; "
            "image and subject were expected."
        )
    image, subject = header.index("image"), header.index("subject")
    return {row[image]: row[subject] for row in rows if len(row) == len(header)}
