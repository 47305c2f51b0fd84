"""Data sets: manifest, card, one reader a public set, facts, downloads, rendered cells.

A new reader is one file in ``readers`` and one line in ``READERS``.
"""

from __future__ import annotations

from .card import DatasetCard, read_card, write_card
from .joining import join
from .manifest import COLUMNS, Manifest, manifest_from_rows, read_manifest, write_manifest
from .readers import (
    allidb1,
    allidb2,
    bccd,
    class_folders,
    cnmc,
    pbc,
    pcam,
    snam,
    table,
    taleghani,
    wbc_seg,
)
from .readers.reader import Reader, Recognised

READERS: dict[str, Reader] = {
    "cnmc": cnmc.READER,
    "allidb1": allidb1.READER,
    "allidb2": allidb2.READER,
    "taleghani": taleghani.READER,
    "snam": snam.READER,
    "pcam": pcam.READER,
    "pbc": pbc.READER,
    "bccd": bccd.READER,
    "wbc-seg": wbc_seg.READER,
    "class-folders": class_folders.READER,
    "csv": table.READER,
}
"""What ``data read --as`` takes; the last two are asked only when no other knows a folder."""

__all__ = [
    "COLUMNS",
    "READERS",
    "DatasetCard",
    "Manifest",
    "Reader",
    "Recognised",
    "join",
    "manifest_from_rows",
    "read_card",
    "read_manifest",
    "write_card",
    "write_manifest",
]
