"""From a folder of images (or a zip, or a table) to a manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import ManifestError, suggestion
from ..progress import Progress
from . import READERS
from .fingerprints import Failures, fill_fingerprints
from .manifest import COLUMNS, Manifest, read_manifest
from .readers.reader import Options, Reader, Recognised
from .readers.rendered import apply_marker, find_marker, marked_name
from .readers.table import find_table, read_table
from .readers.texts import header_of
from .readers.tree import Tree, folders_of, list_tree, suffix
from .readers.unpacking import is_archive, unpacked

__all__ = ["Imported", "candidates", "open_data", "read_folder", "read_rows", "reader_of"]

SILENT = Progress(quiet=True)
NAMED = 10
"""Images that a note names before it only counts."""


@dataclass(frozen=True)
class Imported:
    """What was read: the manifest, what could not be read, and how the folder was taken."""

    manifest: Manifest
    failures: Failures
    recognised: str
    changed: Mapping[str, int] = field(default_factory=dict)
    """How decoding changed images (CMYK converted, turned, …) and how many; the images are in."""
    passed_over: tuple[str, ...] = ()
    """Images in the folder that are neither rows nor known companions (masks, twins)."""


def read_folder(
    folder: Path,
    as_: str | None = None,
    *,
    hash_pixels: bool = True,
    mapping: Mapping[str, str] | None = None,
    subject_pattern: str = "",
    progress: Progress = SILENT,
) -> Imported:
    """Read a folder of images whose layout is recognised, or named by ``as_``.

    Parameters
    ----------
    folder
        A folder; or a zip or tar of one (unpacked once into the cache); or a CSV of images.
    as_
        A name of ``READERS``; without it every reader is asked.
    hash_pixels
        Decode every image and fill ``pixels_sha256``; without it only files are hashed and
        headers looked at.
    mapping
        For a CSV: manifest column to the table's column, ``{"label": "diagnosis"}``.
    subject_pattern
        For class folders and a CSV: a regular expression that finds the subject in the path.

    Returns
    -------
    Imported
        Unreadable images are in ``failures`` and not in the manifest.

    Raises
    ------
    ManifestError
        When no layout fits or several do (they are listed), an option is wrong, the folder cannot
        be listed, or none of its images can be read.
    """
    path = Path(folder)
    options = Options(mapping or {}, subject_pattern)
    if as_ is not None and as_ not in READERS:
        raise ManifestError(f"--as {as_}: there is no such reader. {suggestion(as_, READERS)}")
    if is_archive(path):
        path = unpacked(path, progress)
    if os.path.isfile(path):
        return _read_file(path, as_, options, hash_pixels, progress)
    manifest, seen, tree, reader = _laid_out(path, as_, options, progress)
    return _finish(manifest, seen, tree, reader, hash_pixels=hash_pixels, progress=progress)


def read_rows(path: Path, progress: Progress = SILENT) -> Manifest:
    """The rows of a manifest file or folder as names and tables tell them; no image is opened.

    So it takes seconds, and has no hashes, no groups, and rows of images that cannot be read.

    Raises
    ------
    ManifestError
        As ``read_folder`` does, but for images.
    """
    path = Path(path)
    if is_archive(path):
        path = unpacked(path, progress)
    if os.path.isfile(path):
        return _rows_of_file(path, None, Options())[0]
    return _laid_out(path, None, Options(), progress)[0]


def _laid_out(
    path: Path, as_: str | None, options: Options, progress: Progress
) -> tuple[Manifest, str, Tree, Reader]:
    """The rows of a folder, how it was taken, and who read it."""
    tree, marker = list_tree(path), find_marker(path)
    drawn = reader_of(marked_name(marker)) if marker is not None else None
    if as_ is None and drawn is not None:
        as_ = drawn.name
    if as_ == "csv":
        reader, seen = READERS["csv"], "one table"
        manifest = read_table(find_table(tree), options)
    else:
        reader, recognised = _choose(tree, as_)
        seen = recognised.seen
        manifest = reader.read(tree, progress, options)
    if marker is not None:
        manifest = apply_marker(manifest, marker)
    return manifest, f"{reader.name} ({seen})", tree, reader


def _noted(manifest: Manifest, failures: Failures) -> Manifest:
    """The card remembers what has no row, so that check, training and report can say so."""
    names = ", ".join(image for image, _ in failures[:NAMED])
    more = f" and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    note = f"Left out because it could not be read when the data was read: {names}{more}."
    card = manifest.card.model_copy(update={"notes": (*manifest.card.notes, note)})
    return replace(manifest, card=card)


def open_data(path: Path, progress: Progress = SILENT) -> Manifest:
    """A manifest from a manifest file, or from a folder of images (groups not yet filled)."""
    path = Path(path)
    if path.suffix.lower() in (".csv", ".parquet") and not os.path.isdir(path):
        return read_manifest(path)
    return read_folder(path, progress=progress).manifest


def candidates(tree: Tree) -> dict[str, Recognised]:
    """What each reader sees in a folder; the generic ones only where they are needed.

    A specific reader that knows less than half of the images does not silence the generic ones.
    """
    specific = _asked(tree, generic=False)
    if len(specific) == 1:
        (name,) = specific
        known = specific[name].images + len(READERS[name].companions(tree))
        if 2 * known >= len(tree.images):
            return specific
    return specific | _asked(tree, generic=True)


def _asked(tree: Tree, *, generic: bool) -> dict[str, Recognised]:
    found = {}
    for name, reader in READERS.items():
        recognised = reader.recognise(tree) if reader.generic == generic else None
        if recognised is not None:
            found[name] = recognised
    return found


def reader_of(dataset: str) -> Reader | None:
    """The reader that a ``dataset`` column's name comes from: ``rendered-cnmc`` is ``cnmc``."""
    name = dataset.removeprefix("rendered-")
    fitting = [known for known in READERS if name == known or name.startswith(f"{known}-")]
    return READERS[max(fitting, key=len)] if fitting else None


def _choose(tree: Tree, as_: str | None) -> tuple[Reader, Recognised]:
    if as_ is not None:
        found = READERS[as_].recognise(tree)
        # Where it is not recognised, the reader itself says what it expected.
        return READERS[as_], found or Recognised(as_, 0, "not recognised")
    found_here = candidates(tree)
    if len(found_here) == 1:
        ((name, recognised),) = found_here.items()
        return READERS[name], recognised
    if found_here:
        layouts = "".join(f"\n  {name}: {seen.seen}" for name, seen in found_here.items())
        raise ManifestError(
            f"{tree.root}: several layouts fit:{layouts}\n{_by_folder(tree)}"
            f"Read one folder at a time, or say which is meant: --as {next(iter(found_here))}."
        )
    raise ManifestError(f"{tree.root}: {_unknown(tree)}")


def _by_folder(tree: Tree) -> str:
    """What each folder directly below is by itself, a line each; nothing where it is no help."""
    folders = sorted({file.partition("/")[0] for file in tree.images if "/" in file})
    if len(folders) < 2:
        return ""
    lines, known = [], 0
    for folder in folders:
        part = Tree(
            tree.root / folder,
            tuple(f.removeprefix(f"{folder}/") for f in tree.files if f.startswith(f"{folder}/")),
        )
        layouts = candidates(part)
        known += bool(layouts)
        lines.append(f"  {folder}/ → {' or '.join(layouts) or 'no reader knows it'}")
    return "The folders in it, each by itself:\n" + "\n".join(lines) + "\n" if known else ""


def _unknown(tree: Tree) -> str:
    if not tree.images:
        kinds = Counter(suffix(file) or "no suffix" for file in tree.files)
        held = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5)) or "nothing"
        return f"no images are in this folder; found {held}."
    layouts = "".join(f"\n  {name}: {reader.layout}" for name, reader in READERS.items())
    return (
        f"no reader knows this layout. Found {len(tree.images)} images: "
        f"{folders_of(tree.images)}; for example {tree.images[0]}. Put each class into a folder of "
        "its own, or write a CSV with the columns image and label beside the images. "
        f"Known layouts:{layouts}"
    )


def _read_file(
    path: Path, as_: str | None, options: Options, hash_pixels: bool, progress: Progress
) -> Imported:
    """A table of images, its hashes filled."""
    manifest, recognised = _rows_of_file(path, as_, options)
    if manifest.column("sha256").all() and len(manifest):
        return Imported(manifest, (), recognised)
    return _finish(manifest, recognised, None, None, hash_pixels=hash_pixels, progress=progress)


def _rows_of_file(path: Path, as_: str | None, options: Options) -> tuple[Manifest, str]:
    """A table of images; one that is a manifest already is read as what it is."""
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet") or as_ not in (None, "csv"):
        raise ManifestError(
            f"{path}: a folder of images, a zip of one, or a CSV was expected, found a file"
            + (f" to be read as {as_}." if as_ else f" ending in '{path.suffix}'.")
        )
    ours = kind == ".parquet" or set(header_of(path)) <= set(COLUMNS)
    if as_ is None and ours and not options.columns and not options.subject_pattern:
        return read_manifest(path), "manifest"
    return read_table(path, options), "csv (a table)"


def _finish(
    manifest: Manifest,
    recognised: str,
    tree: Tree | None,
    reader: Reader | None,
    *,
    hash_pixels: bool,
    progress: Progress,
) -> Imported:
    """Hashes filled, unreadable images taken out, what was passed over named."""
    filled, failures, changed = fill_fingerprints(
        manifest, hash_pixels=hash_pixels, progress=progress
    )
    if not len(filled):
        first = f" The first: {failures[0][0]}: {failures[0][1]}" if failures else ""
        raise ManifestError(
            f"{manifest.folder}: nothing is readable: {len(failures)} of {len(manifest)} rows "
            f"failed.{first}"
        )
    passed: tuple[str, ...] = ()
    if tree is not None and reader is not None:
        known = {*manifest.column("image"), *reader.companions(tree)}
        passed = tuple(image for image in tree.images if image not in known)
        failures += tree.unlisted
    if failures:
        filled = _noted(filled, failures)
    return Imported(filled, failures, recognised, changed, passed)
