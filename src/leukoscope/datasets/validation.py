"""A manifest against its files: what is missing, extra, unreadable or changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import ImageError, ManifestError
from ..files import sha256_bytes
from ..images.decode import decode, read_bytes
from ..progress import Progress
from .facts import known_hashes
from .fingerprints import in_order
from .manifest import Manifest
from .readers.tree import Tree, list_tree
from .reading import reader_of

__all__ = ["Validation", "validate"]


@dataclass(frozen=True)
class Validation:
    """Images by what is wrong with them; an image stands in one list only."""

    missing: tuple[str, ...]
    """Named by a row, not there."""
    extra: tuple[str, ...]
    """There, readable, named by no row, and no known companion (mask, segmented twin)."""
    unreadable: tuple[str, ...]
    """There, cannot be decoded, whether or not a row names it."""
    changed: tuple[str, ...]
    """Differs from the row's hash, or from the published file's."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """For each unreadable or changed image one sentence."""
    published: int = 0
    """How many files were compared with the hashes of the published set."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.extra or self.unreadable or self.changed)


@dataclass(frozen=True)
class _Verdict:
    kind: str = ""
    reason: str = ""


def validate(manifest: Manifest, progress: Progress = Progress(quiet=True)) -> Validation:  # noqa: B008
    """Compare every row with its file, and the files beside them with the rows.

    A file whose bytes have the row's hash is not decoded again. Files of C-NMC 2019 are compared
    with the published hashes, too, so that a copy of the real set is verified file by file.
    """
    expected: dict[str, str] = dict(
        zip(manifest.column("image"), manifest.column("sha256"), strict=True)
    )
    published = {} if manifest.card.rendered else dict(_published(manifest))
    extra = _extra(manifest, expected)
    images = [*expected, *extra]

    def work(image: str) -> _Verdict:
        path = manifest.folder / image
        if image in expected:
            return _compare(path, expected[image], published.get(image, ""))
        return _decoded(path) or _Verdict("extra")

    found: dict[str, list[str]] = {"missing": [], "extra": [], "unreadable": [], "changed": []}
    reasons = {}
    verdicts = progress.track(in_order(work, images), "verifying images", len(images))
    for image, verdict in zip(images, verdicts, strict=True):
        if verdict.kind:
            found[verdict.kind].append(image)
        if verdict.reason:
            reasons[image] = verdict.reason
    lists = {kind: tuple(sorted(names)) for kind, names in found.items()}
    missing = set(lists["missing"])
    return Validation(
        **lists, reasons=reasons, published=sum(image not in missing for image in published)
    )


def _compare(path: Path, sha256: str, published: str) -> _Verdict:
    if not path.exists():
        return _Verdict("missing")
    try:
        data = read_bytes(path)
    except ImageError as error:
        return _Verdict("unreadable", _short(path, error))
    actual = sha256_bytes(data)
    as_imported = not sha256 or actual == sha256
    if sha256 != actual:
        broken = _decoded(path)
        if broken:
            return broken
    if not as_imported:
        return _Verdict("changed", "the file is not the one that was imported")
    if published and actual != published:
        return _Verdict("changed", "the file differs from the published one")
    return _Verdict()


def _decoded(path: Path) -> _Verdict | None:
    try:
        decode(path)
    except ImageError as error:
        return _Verdict("unreadable", _short(path, error))
    return None


def _short(path: Path, error: ImageError) -> str:
    return str(error).removeprefix(f"{path}: ")


def _published(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The published hash of each image that is a published file by name and split."""
    for image, dataset, part in zip(
        manifest.column("image"),
        manifest.column("dataset"),
        manifest.column("official_split"),
        strict=True,
    ):
        known = known_hashes(dataset).get((part, PurePosixPath(image).name))
        if known:
            yield image, known


def _extra(manifest: Manifest, named: Mapping[str, str]) -> list[str]:
    """Images that no row names, in the folders that each data set's rows share."""
    found: set[str] = set()
    images, datasets = manifest.column("image"), manifest.column("dataset")
    for dataset in sorted(set(datasets)):
        shared = os.path.commonpath(
            [PurePosixPath(image).parent for image in images[datasets == dataset]]
        )
        folder = manifest.folder / shared
        reader = reader_of(str(dataset))
        try:
            listed = list_tree(folder)
        except ManifestError:  # the folder is gone: every row of it is missing, nothing is extra
            continue
        prefix = f"{shared}/" if shared else ""
        tree = Tree(manifest.folder, tuple(f"{prefix}{file}" for file in listed.files))
        companions = reader.companions(tree) if reader else set()
        found.update(image for image in tree.images if image not in companions)
    return sorted(found - set(named))
