"""Groups: what no split may cut.

A group is a connected component of: same subject, an augmented copy and its parent, several
cells of one field, identical pixels, nearly identical pixels, a crop and the field that it was cut
from, and whatever the reader of the data set joined itself (overlapping fields, runs of file
numbers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..datasets.manifest import Manifest, read_manifest
from ..progress import Progress
from .duplicates import Names, identical
from .remembered import compare_once

__all__ = ["group", "join_near_identical", "open_grouped"]

SILENT = Progress(quiet=True)
MOST_COMPARED = 50_000
"""Rows above which near-identical images are not looked for: time grows with the square."""


def group(manifest: Manifest, *, duplicates: bool = True, progress: Progress = SILENT) -> Manifest:
    """Fill ``group`` and ``group_source`` of every row.

    Row keys, subjects, parents and groups that are there already live in one space of names: a
    name joins every row that carries it, so a component can be named after any of them without
    two components ever getting the same name, and grouping twice changes nothing.

    A group is named after its smallest subject; without one after the reader's smallest group;
    without that after its smallest row key. Its source is ``published`` where every row of it
    has a published subject (or came with a published group), else ``inferred``.

    Parameters
    ----------
    manifest
        Rows in any order; the groups do not depend on it.
    duplicates
        Whether to look at pixels for nearly identical images; above ``MOST_COMPARED`` rows they
        are not looked for and the card says so. Identical ones are known from their hashes and
        always joined.
    progress
        Told how far the comparison of pixels is.

    Returns
    -------
    Manifest
        The same rows, and a card that says whether and how groups were inferred.
    """
    keys = manifest.keys
    images, parents = manifest.column("image"), manifest.column("parent")
    subjects, given = manifest.column("subject"), manifest.column("group")
    joined = Names()
    for key, *tied in zip(keys, images, subjects, parents, given, strict=True):
        for name in tied:
            if name:
                joined.join(key, str(name))
    for first, *others in identical(manifest):
        for other in others:
            joined.join(first, other)
    skipped = 0
    duplicates = duplicates and len(manifest) <= MOST_COMPARED
    if duplicates:
        comparison = compare_once(manifest, progress)
        skipped = len(comparison.skipped)
        for key, other, _ in comparison.pairs:
            joined.join(key, other)
        for key, field, *_ in comparison.crops:
            joined.join(key, field)
    roots = [joined.smallest(key) for key in keys]

    published = (subjects != "") | (manifest.column("group_source") == "published")
    only_published = _all_of_each(roots, published)
    names = _names(roots, keys, subjects, given)
    grouped = manifest.with_columns(
        group=[names[root] for root in roots],
        group_source=["published" if only_published[root] else "inferred" for root in roots],
    )
    return _with_note(grouped, pixels=duplicates, skipped=skipped)


def join_near_identical(manifest: Manifest, progress: Progress = SILENT) -> tuple[Manifest, int]:
    """Groups that are there already, those joined that near-identical images tie.

    Returns
    -------
    tuple
        The same rows, and how many groups fewer there are.
    """
    before = len(set(manifest.column("group")))
    joined = group(manifest, progress=progress)
    return joined, before - len(set(joined.column("group")))


def _all_of_each(roots: Sequence[str], published: Iterable[bool]) -> dict[str, bool]:
    """For each component whether every row of it is published."""
    every: dict[str, bool] = {}
    for root, known in zip(roots, published, strict=True):
        every[root] = every.get(root, True) and bool(known)
    return every


def _names(
    roots: Sequence[str], keys: Sequence[str], subjects: Iterable[str], given: Iterable[str]
) -> dict[str, str]:
    """For each component its name: the smallest of its best kind of name."""
    best: dict[str, tuple[int, str]] = {}
    for root, key, subject, name in zip(roots, keys, subjects, given, strict=True):
        kinds = enumerate((subject, name, key))
        candidate = min((kind, text) for kind, text in kinds if text)
        best[root] = min(best.get(root, candidate), candidate)
    return {root: name for root, (_, name) in best.items()}


def _with_note(manifest: Manifest, *, pixels: bool, skipped: int) -> Manifest:
    """The card told that groups are inferred, in words that stand beside every figure."""
    inferred = int(np.sum(manifest.column("group_source") == "inferred"))
    if not inferred:
        return manifest.with_card(groups_inferred=False)
    note = manifest.card.group_note
    if not note:
        seen = "identical and nearly identical pixels" if pixels else "identical pixels"
        note = (
            f"For {inferred} of {len(manifest)} images no subject is published; groups are "
            f"inferred from {seen}, so images of one patient may stand in different groups."
        )
    missed = f"{skipped} images were not at hand and could not be compared."
    if skipped and missed not in note:
        note = f"{note} {missed}"
    return manifest.with_card(groups_inferred=True, group_note=note)


def open_grouped(
    path: Path,
    as_: str | None = None,
    progress: Progress = SILENT,
    *,
    duplicates: bool = True,
) -> tuple[Manifest, tuple[tuple[str, str], ...]]:
    """A manifest file, or a folder (or archive) of images, with every group filled.

    This is what every verb opens: a folder is accepted wherever a manifest is. A manifest whose
    groups are complete is not compared pixel by pixel again; without ``duplicates`` nothing is.

    Returns
    -------
    tuple
        The manifest, and ``(image, reason)`` for each image of a folder that cannot be read.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".parquet"):
        from ..datasets.reading import read_folder

        imported = read_folder(path, as_, progress=progress)
        grouped = group(imported.manifest, duplicates=duplicates, progress=progress)
        return grouped, tuple(imported.failures)
    manifest = read_manifest(path)
    complete = bool((manifest.column("group") != "").all())
    if complete and not duplicates:
        progress.say(
            f"note: the groups that {path.name} has are kept, so nothing changes by not joining "
            "look-alikes. Empty its group column where they are to be made anew."
        )
    return group(manifest, duplicates=duplicates and not complete, progress=progress), ()
