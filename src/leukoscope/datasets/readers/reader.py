"""What every reader has in common: how it is asked and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ManifestError
from ...progress import Progress
from ..manifest import Manifest
from .tree import Tree, folders_of, list_tree

__all__ = ["Options", "Reader", "Recognised"]


DRAWN_TRUTH = r"(^|/)truth/[^/]+\.(cells|nuclei)\.png$"
"""Masks that every rendered set carries."""


@dataclass(frozen=True)
class Recognised:
    """A reader's answer to a folder that it knows: how many images, and what it saw there."""

    name: str
    images: int
    seen: str


@dataclass(frozen=True)
class Options:
    """What a person may add where a layout does not say everything.

    ``columns`` maps manifest columns to the columns of a foreign CSV; ``subject_pattern`` is a
    regular expression that finds the subject in an image's path: its group ``subject``, or its
    first group, or the whole match.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    subject_pattern: str = ""

    def subject(self, file: str) -> str:
        """The subject that the pattern finds in ``file``; empty where it finds none."""
        if not self.subject_pattern:
            return ""
        found = _compiled(self.subject_pattern).search(file)
        if found is None:
            return ""
        if "subject" in found.re.groupindex:
            return found.group("subject") or ""
        return (found.group(1) if found.re.groups else found.group(0)) or ""


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ManifestError(
            f"the subject pattern {pattern!r} is no regular expression: {error}. "
            r"Example: '(?P<subject>P\d+)_'."
        ) from None


@dataclass(frozen=True)
class Reader:
    """One data set's layout.

    ``look`` answers whether a listed folder has the layout, ``rows`` makes the manifest (without
    hashes). ``layout`` is one sentence that names the files it expects. ``beside`` (a regular
    expression) and ``passed`` say which images belong to the set without being rows of it.
    ``generic`` readers are asked only when no other knows the folder.
    """

    name: str
    title: str
    layout: str
    look: Callable[[Tree], Recognised | None]
    rows: Callable[[Tree, Options, Progress], Manifest]
    beside: str = r"(^|/)(masks?|Segmented|Annotations|ground[_ ]truth)/"
    passed: Callable[[Tree], Iterable[str]] = lambda tree: ()
    generic: bool = False

    def companions(self, tree: Tree) -> set[str]:
        """Images that belong to the set without being rows: masks, twins, second copies."""
        pattern = re.compile(f"{self.beside}|{DRAWN_TRUTH}", re.IGNORECASE)
        return {image for image in tree.images if pattern.search(image)} | set(self.passed(tree))

    def recognise(self, folder: Path | Tree) -> Recognised | None:
        """What this reader sees in ``folder``, or None where the layout is another."""
        return self.look(folder if isinstance(folder, Tree) else list_tree(Path(folder)))

    def read(
        self,
        folder: Path | Tree,
        progress: Progress = Progress(quiet=True),  # noqa: B008
        options: Options = Options(),
    ) -> Manifest:
        """The folder as a manifest, hashes not yet filled.

        Raises
        ------
        ManifestError
            When the folder does not have this layout.
        """
        tree = folder if isinstance(folder, Tree) else list_tree(Path(folder))
        if self.recognise(tree) is None:
            raise ManifestError(
                f"{tree.root}: this is not {self.title}. Expected: {self.layout}. Found "
                f"{len(tree.images)} images: {folders_of(tree.images) or 'none'}."
            )
        return self.rows(tree, options, progress)
