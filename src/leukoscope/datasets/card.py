"""The DatasetCard: what a reader of a figure must know about the images behind it."""

from __future__ import annotations

import os
from pathlib import Path

import tomli_w
from pydantic import Field, field_validator

from ..errors import ManifestError
from ..files import write_atomic
from ..schema import Record, parse, read_toml

__all__ = [
    "RENDERED_DATA",
    "SCHEMA",
    "DatasetCard",
    "read_card",
    "verify_replaceable",
    "write_card",
]

SCHEMA = 1
MEANINGS = ("blast", "normal", "")
RENDERED_DATA = "rendered data: drawn cells, nothing here says anything about patients"
"""What a terminal says of whatever comes from a card that is ``rendered``."""


class DatasetCard(Record):
    """Facts about one data set, beside its manifest as ``NAME.toml``.

    ``classes`` maps each label of the manifest to ``blast``, ``normal``, or the empty string
    where the class is neither (it is left out of binary tasks).
    """

    schema_: int = Field(default=SCHEMA, alias="schema")
    name: str
    """Short name, lower case, as in the manifest's ``dataset`` column."""
    title: str = ""
    classes: dict[str, str] = Field(default_factory=dict)
    positive: str = "blast"
    normal_means: str = ""
    """What *normal* is in this set: hematogones, mixed leukocytes, …"""
    licence: str = "unknown"
    citation: str = ""
    url: str = ""
    subject_is: str = ""
    """What one subject is (a patient, a donor), or why none is known."""
    groups_inferred: bool = False
    group_note: str = ""
    """How groups were made where subjects are not published; stands beside every figure."""
    image_size: tuple[int, int] | None = None
    """Width and height in pixels where all images share them."""
    um_per_pixel: float | None = None
    rendered: bool = False
    """Drawn by leukoscope: no figure from it says anything about patients."""
    root: str = ""
    """The folder that image paths are relative to where it is not the manifest's own (images on
    a read-only disk, say); relative to the card or absolute."""
    notes: tuple[str, ...] = ()
    """Known traps: slide and label coincide, incomplete boxes, …"""

    @field_validator("classes")
    @classmethod
    def _known_meanings(cls, classes: dict[str, str]) -> dict[str, str]:
        for label, meaning in classes.items():
            if meaning not in MEANINGS:
                raise ValueError(
                    f"class {label!r} means {meaning!r}; expected 'blast', 'normal' or '' (neither)"
                )
        return classes


def read_card(path: Path) -> DatasetCard:
    """Read a card from TOML.

    Raises
    ------
    ManifestError
        When the file is missing, is no TOML, or has a wrong or unknown key.
    """
    table = read_toml(path, what="data set card", schema=SCHEMA, error=ManifestError)
    return parse(DatasetCard, table, where=str(path), error=ManifestError)


def verify_replaceable(path: Path) -> None:
    """Refuse to write a manifest over what is none: nobody could bring it back.

    Raises
    ------
    ManifestError
        When ``NAME.toml`` beside ``path`` is there and no card (an experiment, say), or ``path``
        is there without a card (predictions, or a table that is read).
    """
    card = path.with_suffix(".toml")
    if not os.path.exists(card):
        if os.path.exists(path):
            raise ManifestError(
                f"{path}: is there and has no card {card.name} beside it, so it may be another "
                "table than a manifest that was written here. Choose another name, or remove it."
            )
        return
    try:
        read_card(card)
    except ManifestError:
        raise ManifestError(
            f"{card}: is no data set card, and the manifest's card would replace it. Choose "
            f"another name than {path.name}; a damaged card is removed first."
        ) from None


def write_card(card: DatasetCard, path: Path) -> None:
    """Write a card as TOML, atomically; keys without a value are left out."""
    table = card.model_dump(mode="json", by_alias=True, exclude_none=True)
    write_atomic(path, tomli_w.dumps(table, multiline_strings=True))
