"""The data of a reproduction: surveyed for the plan, then opened, or drawn."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..counting import counted
from ..datasets.catalogue import CATALOGUE
from ..datasets.manifest import Manifest
from ..datasets.reading import read_rows, reader_of
from ..errors import ProtocolError, suggestion
from ..progress import Progress
from ..splits.grouping import open_grouped
from ..splits.kinds import has_test_part
from .budget import SMOKE_IMAGES
from .draws import DataSize
from .grouped import open_kept
from .protocol import Protocol, Source
from .request import Request

__all__ = [
    "NO_TEST",
    "DataUsed",
    "Kind",
    "Survey",
    "data_words",
    "gather",
    "open_source",
    "sample_words",
    "sampled_sources",
    "survey",
]

Kind = Literal["real", "substitute", "rendered"]
SMALLEST_RENDERED_PX = 64
GENERIC = {"class-folders", "csv"}
"""Readers of anybody's data."""
NO_TEST = "without the official test part: folds of whole groups are tested instead"


@dataclass(frozen=True)
class Survey:
    """What there is of a data set: enough to plan with, and known before an image is opened."""

    kind: Kind
    """``real``: the set itself; ``substitute``: another real set; ``rendered``: drawn here."""
    title: str
    size: DataSize
    subjects: int
    """0 where none is known."""
    note: str = ""
    """What is done otherwise with this data than the paper says."""

    def words(self, published: Source) -> str:
        """What is planned for, beside what the paper had."""
        images = sum(self.size.images.values())
        whose = f" of {counted(self.subjects, 'subject')}" if self.subjects else ""
        classes = ", ".join(f"{count:,} {name}" for name, count in self.size.images.items())
        said = class_words(published, self.size.images)
        note = "".join(f"; {words}" for words in (said, self.note) if words)
        return (
            f"{_titled(self.kind, self.title)}, {counted(images, 'image')}{whose} ({classes}); "
            f"the paper has {sum(published.images.values()):,}{note}"
        )


@dataclass(frozen=True)
class DataUsed:
    """What stands for a data set of the paper."""

    name: str
    """The paper's set, by its catalogue name."""
    kind: Kind
    """``real``: the set itself; ``substitute``: another real set; ``rendered``: drawn here."""
    path: Path
    title: str
    manifest: Manifest
    failures: tuple[tuple[str, str], ...]
    note: str = ""
    """What is done otherwise with this data than the paper says."""
    classes: str = ""
    """What is to be said of its classes, where they are not as many as the paper's."""

    def survey(self, published: Source) -> Survey:
        """How much there is of it."""
        return _survey_of(self.manifest, self.kind, published, self.name, self.note)

    @property
    def words(self) -> str:
        """What was run on, in a few words that cannot be misread."""
        note = "".join(f"; {words}" for words in (self.classes, self.note) if words)
        return f"{_titled(self.kind, self.title)}, {len(self.manifest):,} images{note}"


def _titled(kind: Kind, title: str) -> str:
    prefix = "substitute: " if kind == "substitute" else ""
    if kind == "rendered" and not title.casefold().startswith("rendered"):
        prefix = "rendered: "
    return prefix + title


def class_words(published: Source, images: Mapping[str, int]) -> str:
    """What is to be said of classes that are not as many as the paper's; else nothing."""
    if len(images) == len(published.images) or not images:
        return ""
    if len(images) == 1:
        return f"one class only ({next(iter(images))}), so there is nothing to tell apart"
    return f"{len(images)} classes, where the paper has {len(published.images)}"


def _refuse_other_set(name: str, path: Path, manifest: Manifest) -> None:
    """Another set that is known is a substitute, and is called one."""
    if manifest.card.rendered:
        return  # it is called so
    others = sorted(one for one in _known_sets(manifest) if _family(one) != _family(name))
    if others:
        title = CATALOGUE[others[0]].title if others[0] in CATALOGUE else others[0]
        raise ProtocolError(
            f"--data {name}={path}: these images are of {title}, and {name} is "
            f"{CATALOGUE[name].title if name in CATALOGUE else 'another set'}. Use --substitute "
            f"{name}={path}, and every figure says so."
        )


def _known_sets(manifest: Manifest) -> set[str]:
    """Sets of the catalogue that rows are of, as readers name them."""
    names = {manifest.card.name, *map(str, manifest.column("dataset"))}
    return {one for one in names if one in CATALOGUE or reader_of(one) is not None} - GENERIC


def _family(name: str) -> str:
    """Editions of one set are one family, and so are the fields and the cells cut from them."""
    reader = reader_of(name)
    return reader.name if reader else name


def _title(manifest: Manifest, name: str, kind: Kind) -> str:
    """Of the card; data that no reader knows is not called the paper's."""
    card = manifest.card
    title = card.title or card.name
    if kind != "real" or card.rendered or _known_sets(manifest):
        return title
    return f"own data, not recognised as {name}: {title}"


def _survey_of(
    manifest: Manifest, kind: Kind, published: Source, name: str, note: str = ""
) -> Survey:
    labels = manifest.column("label")
    if len(set(labels) - {""}) != len(published.images):
        mapped = manifest.binary_labels()
        labels = mapped if (mapped != "").all() else labels
    names = sorted(set(labels) - {""})
    counts = {str(name): int((labels == name).sum()) for name in names}
    card = manifest.card
    subjects = len(set(manifest.column("subject")) - {""})
    title = _title(manifest, name, kind)
    kind = "rendered" if card.rendered else kind
    return Survey(kind, title, DataSize(counts, kind == "real"), subjects, note)


def survey(protocol: Protocol, request: Request) -> dict[str, Survey]:
    """What the data that is named has, without opening an image, and what would be drawn.

    Raises
    ------
    ProtocolError
        For a data set that the paper does not have, or another known one in its place that is
        not called a substitute.
    ManifestError
        When a folder has no layout that is known, or a table cannot be read.
    """
    found = {}
    for name, (kind, path) in _named(protocol, request).items():
        manifest = read_rows(path)
        if kind == "real":
            _refuse_other_set(name, path, manifest)
        note = NO_TEST if _divided_anew(protocol, name, manifest) else ""
        found[name] = _survey_of(manifest, kind, protocol.data[name], name, note)
    if request.rendered:
        for name, source in protocol.data.items():
            if name not in found:
                found[name] = _survey_of_drawing(source, request)
    return found


def _survey_of_drawing(source: Source, request: Request) -> Survey:
    from ..datasets.rendered.plan import share_out

    # Of two classes half is drawn of each; of more, as published.
    weights = list(source.images.values()) if len(source.images) > 2 else [1.0, 1.0]
    counts = share_out(weights, _images(source.rendered, request))
    size = DataSize(dict(zip(source.images, counts, strict=True)))
    # C-NMC, the only set that asks, is drawn in the folds of its training part.
    note = NO_TEST if source.without_test else ""
    return Survey("rendered", source.rendered, size, request.drawn_subjects, note)


def _images(layout: str, request: Request) -> int:
    """Pictures to draw; a field holds several cells."""
    from ..datasets.rendered import LAYOUTS

    return request.images or -(-SMOKE_IMAGES // LAYOUTS[layout].cells)


def sample_words(sample: int, images: int) -> str:
    """What is said where not all images are used; nothing where all are."""
    return f"; {sample:,} of them drawn by the seed" if 0 < sample < images else ""


def sampled_sources(
    sources: Mapping[str, DataUsed], sampled: Mapping[str, int]
) -> dict[str, DataUsed]:
    """The same, saying of each how many of its images are drawn."""
    found = {}
    for name, one in sources.items():
        drawn = sample_words(sampled.get(name, 0), len(one.manifest)).removeprefix("; ")
        notes = [note for note in (one.note, drawn) if note]
        found[name] = replace(one, note="; ".join(notes))
    return found


def data_words(
    protocol: Protocol, here: Mapping[str, Survey] | None, sampled: Mapping[str, int]
) -> dict[str, str]:
    """Data set → what is planned for; ``here`` is None where no data is named."""
    words = {}
    for name, source in protocol.data.items():
        if name not in protocol.own_data and name not in (here or ()):
            continue
        if here is None:
            count = sum(source.images.values())
            note = sample_words(sampled.get(name, 0), count)
            words[name] = f"not named; planned at the paper's {counted(count, 'image')}{note}"
        elif name in here:
            note = sample_words(sampled.get(name, 0), sum(here[name].size.images.values()))
            words[name] = here[name].words(source) + note
        else:
            words[name] = "not here"
    return words


def _named(protocol: Protocol, request: Request) -> dict[str, tuple[Kind, Path]]:
    for option, paths in (("--data", request.data), ("--substitute", request.substitutes)):
        for name in paths:
            if name not in protocol.data:
                raise ProtocolError(
                    f"{option} {name}: {protocol.id} has no such data set. "
                    f"{suggestion(name, protocol.data)}"
                )
    named: dict[str, tuple[Kind, Path]] = {}
    named |= {name: ("real", path) for name, path in request.data.items()}
    named |= {name: ("substitute", path) for name, path in request.substitutes.items()}
    return named


def open_source(name: str, kind: Kind, path: Path, kept: Path, progress: Progress) -> DataUsed:
    """Open what stands for a data set; its groups are filled.

    Parameters
    ----------
    kept
        Folder in which the groups of real images are kept.

    Raises
    ------
    ManifestError
        When it cannot be read.
    """
    if kind == "rendered":
        # What was drawn has its subjects; looking for look-alikes in it is time for nothing.
        manifest, failures = open_grouped(path, None, progress, duplicates=False)
    else:
        manifest, failures = open_kept(path, kept / f"{name}.csv", progress)
    title = _title(manifest, name, kind)
    if manifest.card.rendered:
        kind = "rendered"
    return DataUsed(name, kind, path, title, manifest, tuple(failures))


def gather(
    protocol: Protocol,
    request: Request,
    sides: Mapping[str, int],
    out: Path,
    progress: Progress,
) -> dict[str, DataUsed]:
    """Open the data that was named, and draw the rest where that was asked for.

    Parameters
    ----------
    sides
        Data set that the plan needs → the largest side of its images, px.
    """
    found = {
        name: open_source(name, kind, path, out / "data", progress)
        for name, (kind, path) in _named(protocol, request).items()
    }
    for name, side in sides.items():
        if name not in found and request.rendered:
            folder = _draw(protocol.data[name].rendered, side, request, out, progress)
            found[name] = open_source(name, "rendered", folder, out / "data", progress)
    return {name: _told(protocol, source) for name, source in found.items()}


def _told(protocol: Protocol, source: DataUsed) -> DataUsed:
    """With what is to be said of it beside the paper."""
    published = protocol.data[source.name]
    classes = class_words(published, source.survey(published).size.images)
    note = NO_TEST if _divided_anew(protocol, source.name, source.manifest) else ""
    return replace(source, classes=classes, note=note)


def _divided_anew(protocol: Protocol, name: str, manifest: Manifest) -> bool:
    """Whether the paper's own test part is wanted, and is not here."""
    if not protocol.data[name].without_test:
        return False
    return not has_test_part(manifest.column("official_split"))


def _draw(name: str, side: int, request: Request, out: Path, progress: Progress) -> Path:
    """Draw a data set once; a drawing that was stopped is begun again."""
    from ..datasets.rendered import LAYOUTS, render_dataset

    folder = out / "data" / name
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    render_dataset(
        name,
        partial,
        subjects=request.drawn_subjects,
        images=_images(name, request),
        size=min(LAYOUTS[name].size[0], max(SMALLEST_RENDERED_PX, side)),
        progress=progress,
    )
    partial.rename(folder)
    return folder
