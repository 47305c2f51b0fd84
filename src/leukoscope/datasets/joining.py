"""Several manifests as one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..errors import ManifestError
from .card import DatasetCard
from .manifest import Manifest, folder_below, typed, verify_rows, with_prefix

__all__ = ["join"]


def join(manifests: Sequence[Manifest], name: str = "joined") -> Manifest:
    """Several manifests as one, relative to the folder that all their images share.

    Subjects and groups get their data set's name in front where they have none, so that two
    sets never share a subject by accident; ALL-IDB1 and ALL-IDB2 share groups on purpose
    (``allidb:…``), for the crops of one lie on the fields of the other.

    Raises
    ------
    ManifestError
        When nothing is given, or a class means blast in one set and normal in another.
    """
    if not manifests:
        raise ManifestError("join: at least one manifest is needed.")
    folder = Path(os.path.commonpath([manifest.folder.resolve() for manifest in manifests]))
    tables, classes = [], dict[str, str]()
    for manifest in manifests:
        for label, meaning in manifest.card.classes.items():
            if classes.setdefault(label, meaning) != meaning:
                raise ManifestError(
                    f"join: class {label!r} means {classes[label]!r} in one set and {meaning!r} "
                    f"in {manifest.card.name}. Map one of them in its card first."
                )
        prefix = folder_below(manifest.folder, folder)
        table = with_prefix(manifest.table, prefix) if prefix else manifest.table.copy()
        for column in ("subject", "group"):
            table[column] = [
                value if not value or ":" in value else f"{source}:{value}"
                for value, source in zip(
                    manifest.column(column), manifest.column("dataset"), strict=True
                )
            ]
        tables.append(table)
    cards = [manifest.card for manifest in manifests]
    card = DatasetCard(
        name=name,
        positive=cards[0].positive if len({c.positive for c in cards}) == 1 else "blast",
        title=" + ".join(card.title or card.name for card in cards),
        classes=classes,
        normal_means="; ".join(f"{c.name}: {c.normal_means}" for c in cards if c.normal_means),
        licence="; ".join(f"{c.name}: {c.licence}" for c in cards),
        citation="; ".join(c.citation for c in cards if c.citation),
        subject_is="; ".join(f"{c.name}: {c.subject_is}" for c in cards if c.subject_is),
        groups_inferred=any(c.groups_inferred for c in cards),
        group_note=" ".join(f"{c.name}: {c.group_note}" for c in cards if c.group_note),
        rendered=any(c.rendered for c in cards),
        notes=tuple(f"{c.name}: {note}" for c in cards for note in c.notes),
    )
    table = typed(pd.concat(tables, ignore_index=True))
    verify_rows(table, where="join")
    return Manifest(table, card, folder)
