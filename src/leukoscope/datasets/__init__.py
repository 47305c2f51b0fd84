"""Data sets: manifest, card, one reader a public set, facts, downloads, rendered cells."""

from __future__ import annotations

from .card import DatasetCard, read_card, write_card
from .manifest import COLUMNS, Manifest, join, manifest_from_rows, read_manifest, write_manifest

__all__ = [
    "COLUMNS",
    "DatasetCard",
    "Manifest",
    "join",
    "manifest_from_rows",
    "read_card",
    "read_manifest",
    "write_card",
    "write_manifest",
]
