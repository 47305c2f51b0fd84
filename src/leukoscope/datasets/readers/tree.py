"""The files of a folder, listed once and handed to every reader."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from ...errors import ManifestError
from ...images.decode import SUFFIXES

__all__ = ["IMAGE_SUFFIXES", "Tree", "list_tree"]

IMAGE_SUFFIXES = SUFFIXES
"""What counts as an image by its name; whether it is one, decoding says."""
PART_REFUSED = "the folder cannot be read, so its images are not here"


@dataclass(frozen=True)
class Tree:
    """A folder and its files as sorted relative POSIX paths (hidden ones are left out).

    ``unlisted`` holds ``(path, reason)`` for what could not be listed: a folder without
    permission, a name that is not UTF-8.
    """

    root: Path
    files: tuple[str, ...]
    unlisted: tuple[tuple[str, str], ...] = ()

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The files whose name says that they are images."""
        return tuple(file for file in self.files if suffix(file) in IMAGE_SUFFIXES)

    @cached_property
    def name(self) -> str:
        """The folder's own name, so that ``fold_0`` itself can be read too."""
        return self.root.resolve().name

    def named(self, file: str) -> str:
        """``file`` with the folder's own name in front: what layouts are matched against."""
        return f"{self.name}/{file}"

    def parents(self, file: str) -> tuple[str, ...]:
        """Names of the folders above ``file``, nearest first, the tree's own name last."""
        return tuple(reversed(PurePosixPath(self.named(file)).parts[:-1]))

    def ending(self, *suffixes: str) -> Iterator[str]:
        """Files with one of these suffixes (lower case, with the dot)."""
        return (file for file in self.files if suffix(file) in suffixes)

    def beside(self, wanted: Callable[[Path], bool]) -> list[Path]:
        """The ``wanted`` files of the tree, or else of the nearest of two folders above it.

        Label tables often lie beside the folder of images, and people name that folder.
        """
        within = [path for path in map(self.root.joinpath, self.files) if wanted(path)]
        if within:
            return within
        for above in list(self.root.resolve().parents)[:2]:
            try:
                listed = sorted(above.iterdir())
            except OSError:  # not ours to look into
                continue
            found = [path for path in listed if os.path.isfile(path) and wanted(path)]
            if found:
                return found
        return []


def suffix(file: str) -> str:
    """The suffix of a file name in lower case: ``.jpg``."""
    return os.path.splitext(file)[1].lower()


def stem(file: str) -> str:
    """The file name without folders and suffix."""
    return PurePosixPath(file).stem


def list_tree(root: Path) -> Tree:
    """List a folder recursively; links to folders are followed, loops are not.

    Raises
    ------
    ManifestError
        When the folder does not exist, is no folder, or may not be listed.
    """
    try:
        root.stat()
    except PermissionError as error:
        raise _refused(root, error.strerror or str(error)) from error
    except OSError:  # nothing is there: said below
        pass
    if not os.path.isdir(root):
        found = "a file" if os.path.exists(root) else "nothing"
        raise ManifestError(f"{root}: a folder of images was expected, found {found}.")
    files: list[str] = []
    unlisted: list[tuple[str, str]] = []
    for folder, names in _walk(root, unlisted):
        for name in names:
            relative = f"{folder}/{name}" if folder else name
            if _is_utf8(relative):
                files.append(relative)
            else:
                shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
                unlisted.append((shown, "the name is not UTF-8; rename the file"))
    refused = next((reason for folder, reason in unlisted if not folder), None)
    if refused is not None:
        raise _refused(root, refused)
    return Tree(root, tuple(sorted(files)), tuple(sorted(unlisted)))


def _refused(root: Path, reason: str) -> ManifestError:
    return ManifestError(
        f"{root}: the folder cannot be read ({reason}). Give yourself the right to list and enter "
        f"it and the folders above it (chmod u+rx), or ask its owner."
    )


def _walk(root: Path, unlisted: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder (relative, '' for the root) with the names of its files."""
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while waiting:
        folder, above = waiting.pop()
        place = root / folder
        try:
            status = place.stat()
            with os.scandir(place) as entries:
                listed = [(entry.name, _is_folder(entry)) for entry in entries]
        except OSError as error:
            reason = error.strerror or "no reason is given"
            unlisted.append((folder, reason if not folder else f"{PART_REFUSED} ({reason})"))
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:  # a link that leads back to a folder above itself
            continue
        visible = [(name, is_dir) for name, is_dir in listed if not name.startswith(".")]
        for name, is_dir in visible:
            if is_dir and name != "__MACOSX":
                waiting.append((f"{folder}/{name}" if folder else name, above | {identity}))
        yield folder, [name for name, is_dir in visible if not is_dir]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def folders_of(files: Iterable[str], limit: int = 6) -> str:
    """The folders that hold ``files``, most files first, for a message."""
    counts: dict[str, int] = {}
    for file in files:
        parent = str(PurePosixPath(file).parent)
        counts[parent] = counts.get(parent, 0) + 1
    order = sorted(counts, key=lambda folder: (-counts[folder], folder))
    shown = [f"{'the folder itself' if f == '.' else f + '/'} ({counts[f]})" for f in order[:limit]]
    rest = f" and {len(order) - limit} more folders" if len(order) > limit else ""
    return ", ".join(shown) + rest
