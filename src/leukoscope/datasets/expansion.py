"""Offline expansion: augmented copies of images, written down before they are made.

A copy is a row whose ``parent`` is the row key of the image that it was made from. It has its
parent's class, subject and group, so a split that cuts no group never parts the two. The papers'
sets are ×8 (abed2022), up to ×20 (murtoza2023) and 6,070 images of each class (varol2024 §2.2).
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ..errors import ImageError, ManifestError, StorageError
from ..files import sha256_bytes
from ..images.augmentation import Augmentation
from ..progress import Progress
from .manifest import BOX_COLUMNS, Manifest, write_manifest

__all__ = ["COPIES", "copy_generator", "copy_names", "plan_copies", "write_copies"]

SILENT = Progress(quiet=True)
COPIES = "copies"
"""The folder, beside the originals, that copies are named into."""
OWN = ("image", *BOX_COLUMNS, "parent", "sha256", "pixels_sha256")
"""Columns in which a copy differs from its parent."""


def copy_generator(seed: int, key: str) -> np.random.Generator:
    """The random generator of one copy: depends on nothing but the seed and its row key.

    So a copy looks the same whether it is made alone, in another order, or on disk.
    """
    return np.random.default_rng(int(sha256_bytes(f"{seed}\x1f{key}".encode()), 16))


def plan_copies(
    manifest: Manifest, *, factor: int = 0, per_class: int = 0, seed: int = 0
) -> Manifest:
    """Add rows for augmented copies; no image is read or written.

    Parameters
    ----------
    manifest
        Originals only. Rows without a class get no copies.
    factor
        Images after for one before: 8 gives seven copies of each.
    per_class
        Or: images of each class after. Every original gets the same number of copies, give or
        take one, chosen by the seed; of a class that has more originals than that, as many are
        kept, chosen by the seed.
    seed
        Same seed, same plan, whatever the order of the rows.

    Returns
    -------
    Manifest
        Originals and copies, sorted by row key; copies are images ``copies/<name>~001.png``.

    Raises
    ------
    ManifestError
        When neither or both of ``factor`` and ``per_class`` are given, or the manifest has
        copies already, or no class.
    """
    _refuse(manifest, factor, per_class)
    labels = manifest.column("label")
    bases = copy_names(manifest)
    kept, rows, counts = [], list[int](), list[int]()
    for label in sorted(set(labels)):
        members = [int(row) for row in np.flatnonzero(labels == label)]
        members.sort(key=manifest.keys.__getitem__)
        chosen, each = _shares(members, label, factor, per_class, seed)
        kept += chosen
        rows += chosen
        counts += each
    left_out = len(manifest) - len(kept)
    originals = manifest.table.iloc[kept]
    table = pd.concat([originals, _copies(manifest, rows, counts, bases)], ignore_index=True)
    planned = manifest.with_table(table)
    order = np.argsort(np.array(planned.keys, dtype=object), kind="stable")
    planned = planned.with_table(planned.table.iloc[order])
    twice = [key for key, times in Counter(planned.keys).items() if times > 1]
    if twice:
        raise ManifestError(
            f"{manifest.card.name}: an original is called {twice[0]!r} like a copy. "
            f"Rename the folder '{COPIES}' of the originals."
        )
    note = f"{sum(counts)} of {len(planned)} images are augmented copies (seed {seed})."
    if left_out:
        note += f" {left_out} originals were left out, chosen by the seed."
    return planned.with_card(notes=(*manifest.card.notes, note))


def _refuse(manifest: Manifest, factor: int, per_class: int) -> None:
    name = manifest.card.name
    if min(factor, per_class) < 0 or bool(factor) == bool(per_class):
        raise ManifestError(
            f"{name}: factor is {factor} and per_class is {per_class}; exactly one of them is a "
            "positive number: factor 8 for eight images from one, or per_class 6070."
        )
    if (manifest.column("parent") != "").any():
        raise ManifestError(
            f"{name}: has augmented copies already. Expand the originals: a copy of a copy would "
            "have no parent in the data set."
        )
    if not (manifest.column("label") != "").any():
        raise ManifestError(f"{name}: no row has a class, so nothing can be expanded.")


def _shares(
    members: Sequence[int], label: str, factor: int, per_class: int, seed: int
) -> tuple[list[int], list[int]]:
    """The originals of one class that are kept, and how many copies each gets."""
    count = len(members)
    if not label:
        return list(members), [0] * count
    if factor:
        return list(members), [factor - 1] * count
    rng = copy_generator(seed, f"class {label}")
    if count >= per_class:
        chosen = np.sort(rng.choice(count, per_class, replace=False))
        return [members[place] for place in chosen], [0] * per_class
    each, more = divmod(per_class - count, count)
    copies = np.full(count, each)
    copies[rng.choice(count, more, replace=False)] += 1
    return list(members), copies.tolist()


def copy_names(manifest: Manifest) -> list[str]:
    """For each row what its copies are called, without number: its path, and its box if any.

    Where two images differ in their suffix only, both keep it.
    """
    bare = [str(PurePosixPath(image).with_suffix("")) for image in manifest.column("image")]
    images = dict(zip(manifest.column("image"), bare, strict=True))
    shared = {name for name, times in Counter(images.values()).items() if times > 1}
    names = []
    for image, name, box in zip(manifest.column("image"), bare, manifest.boxes, strict=True):
        place = "@" + "-".join(map(str, box)) if box is not None else ""
        names.append(f"{COPIES}/{image if name in shared else name}{place}")
    return names


def _copies(
    manifest: Manifest, rows: Sequence[int], counts: Sequence[int], bases: Sequence[str]
) -> pd.DataFrame:
    """The rows of all copies."""
    parents = np.repeat(np.array(rows, dtype=np.intp), counts)
    digits = max(3, len(str(max(counts, default=0))))
    copies = manifest.table.iloc[parents].copy()
    copies[list(OWN)] = ""
    copies[list(BOX_COLUMNS)] = pd.NA
    numbers = (number for count in counts for number in range(1, count + 1))
    copies["image"] = [
        f"{bases[parent]}~{number:0{digits}d}.png"
        for parent, number in zip(parents.tolist(), numbers, strict=True)
    ]
    copies["parent"] = [manifest.keys[parent] for parent in parents.tolist()]
    return copies


def write_copies(
    planned: Manifest,
    augmentation: Augmentation,
    folder: Path,
    *,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Manifest:
    """Make the copies of a plan as PNG files, and ``manifest.csv`` with originals and copies.

    Originals are linked into ``folder`` (copied where the disk cannot link), so that it is a
    whole data set of its own.

    Returns
    -------
    Manifest
        What was written. Copies of originals that cannot be decoded are left out, and the card's
        notes say how many.

    Raises
    ------
    ManifestError
        When the plan holds no copies, the augmentation changes nothing, or ``folder`` is not
        empty.
    StorageError
        When the disk is full or ``folder`` cannot be written.
    """
    parents = planned.column("parent")
    copies = np.flatnonzero(parents != "")
    if not len(copies):
        raise ManifestError(f"{planned.card.name}: the plan holds no copies. Use plan_copies.")
    if not augmentation.changes:
        raise ManifestError(
            f"{planned.card.name}: this augmentation changes nothing, so every copy would be its "
            "parent. Say what may be drawn: rotation, flip_horizontal, …"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ManifestError(f"{folder}: is not empty. Choose a new folder.")
    try:
        for image in sorted(set(planned.column("image")[parents == ""])):
            _link(planned.folder / image, folder / image)
        done, failed = _make(planned, augmentation, folder, seed, progress)
    except OSError as error:
        raise StorageError(
            f"{folder}: writing failed ({error.strerror or error}). Free some space or choose "
            "another folder; remove this one before the next attempt."
        ) from error
    table = planned.table.copy()
    for row, (file_hash, pixel_hash) in done.items():
        table.loc[row, ["sha256", "pixels_sha256"]] = file_hash, pixel_hash
    lost = [row for row in copies if row not in done]
    written = Manifest(table, planned.card, folder).with_table(table.drop(index=lost))
    if failed:
        image, reason = failed[0]
        note = (
            f"{len(lost)} copies of {len(failed)} unreadable originals could not be made, the "
            f"first: {image}: {reason}"
        )
        progress.say(note)
        written = written.with_card(notes=(*written.card.notes, note))
    write_manifest(written, folder / "manifest.csv")
    return written


def _link(source: Path, target: Path) -> None:
    """The original in its new place; one that is missing is found missing when it is read."""
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


Hashes = tuple[str, str]


def _make(
    planned: Manifest, augmentation: Augmentation, folder: Path, seed: int, progress: Progress
) -> tuple[dict[int, Hashes], list[tuple[str, str]]]:
    """Write every copy: hashes of file and pixels by row, and what could not be decoded."""
    from ..images.decode import decode

    by_parent: dict[str, list[int]] = {}
    for row, parent in enumerate(planned.column("parent")):
        if parent:
            by_parent.setdefault(parent, []).append(row)
    place = {key: row for row, key in enumerate(planned.keys)}

    def expand(parent: str) -> dict[int, Hashes] | ImageError:
        row = place[parent]
        try:
            pixels = decode(planned.path(row), box=planned.boxes[row]).pixels
        except ImageError as error:
            return error
        return dict(_write(planned, by_parent[parent], pixels, augmentation, folder, seed))

    done: dict[int, Hashes] = {}
    failed = []
    with ThreadPoolExecutor(2) as threads:
        results = threads.map(expand, by_parent)
        watched = progress.track(results, "writing copies", len(by_parent))
        for parent, result in zip(by_parent, watched, strict=True):
            if isinstance(result, ImageError):
                failed.append((parent, str(result)))
            else:
                done |= result
    return done, failed


def _write(
    planned: Manifest,
    rows: Sequence[int],
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    augmentation: Augmentation,
    folder: Path,
    seed: int,
) -> Iterator[tuple[int, Hashes]]:
    """Draw, make and write the copies of one original."""
    import cv2

    from ..images.decode import pixels_sha256
    from ..images.draws import apply, draw

    height, width = pixels.shape[:2]
    for row in rows:
        rng = copy_generator(seed, planned.keys[row])
        copy = apply(draw(augmentation, 1, (height, width), rng), pixels[None])[0]
        data = cv2.imencode(".png", cv2.cvtColor(copy, cv2.COLOR_RGB2BGR))[1].tobytes()
        target = folder / planned.column("image")[row]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        yield row, (sha256_bytes(data), pixels_sha256(copy))
