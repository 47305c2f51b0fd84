"""How the rows were divided: what was never cut, and what each part holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...datasets.manifest import read_manifest
from ...errors import LeukoscopeError
from ...records.predictions import PARTS
from ...records.split import Fold, Split
from ..study import Shown, Study
from ..words import split_words

__all__ = ["PartRow", "SplitSection", "SplitShown", "build"]

FOLDS_SHOWN = 12
"""More folds than this are summed up by their smallest and largest part."""


@dataclass(frozen=True)
class Facts:
    """What is known of one row key."""

    label: str
    subject: str
    group: str


@dataclass(frozen=True)
class PartRow:
    """One part of one fold; a number is None where the run alone does not tell it."""

    fold: str
    part: str
    images: str
    subjects: str
    groups: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class SplitShown:
    """One split and the runs that used it."""

    runs: tuple[str, ...]
    edition: str
    kind: str
    unit: str
    groups: str
    seed: int
    folds: int
    words: str
    rows: tuple[PartRow, ...]
    class_names: tuple[str, ...]
    incomplete: bool
    """Whether the class of some rows is not known from what is at hand."""
    cut_groups: int
    """Groups that stand in training and in test of one fold; 0 unless as published."""
    notes: tuple[str, ...]
    manifest_sha256: str


@dataclass(frozen=True)
class SplitSection:
    """All splits of the report."""

    splits: tuple[SplitShown, ...]
    several: bool


def build(study: Study) -> SplitSection:
    """One entry for each distinct split."""
    found: dict[str, list[Shown]] = {}
    for shown in study.shown:
        found.setdefault(shown.run.split.model_dump_json(), []).append(shown)
    return SplitSection(tuple(_split(users) for users in found.values()), several=study.several)


def _split(users: list[Shown]) -> SplitShown:
    shown = users[0]
    split, facts = shown.run.split, row_facts(shown)
    classes = shown.run.predictions.classes
    keys = [key for fold in split.folds for part in PARTS for key in getattr(fold, part)]
    rows = (
        [
            _part(name, fold, part, facts, classes)
            for name, fold in zip(shown.fold_names, split.folds, strict=True)
            for part in _parts(fold)
        ]
        if len(split.folds) <= FOLDS_SHOWN
        else _ranges(split, facts, classes)
    )
    return SplitShown(
        runs=tuple(user.name for user in users),
        edition=shown.run.edition,
        kind=split.kind,
        unit=split.unit,
        groups=split.groups,
        seed=split.seed,
        folds=len(split.folds),
        words=split_words(split),
        rows=tuple(rows),
        class_names=classes,
        incomplete=any(key not in facts for key in keys),
        cut_groups=max((len(_cut(fold, facts)) for fold in split.folds), default=0),
        notes=split.notes,
        manifest_sha256=split.manifest_sha256,
    )


def row_facts(shown: Shown) -> Mapping[str, Facts]:
    """Label, subject and group of every row that the run, or its manifest, tells of."""
    columns = ["row", "label", "subject", "group"]
    table = shown.run.predictions.table[columns].drop_duplicates("row")
    facts = {
        row: Facts(label, subject, group)
        for row, label, subject, group in table.itertuples(index=False)
    }
    named = shown.run.experiment.data.manifest
    path = shown.run.folder / named
    if not named or not path.is_file():
        return facts
    try:
        manifest = read_manifest(path)
    except LeukoscopeError:
        return facts
    binary = shown.run.experiment.data.task == "binary"
    labels = manifest.binary_labels() if binary else manifest.column("label")
    for key, label, subject, group in zip(
        manifest.keys, labels, manifest.column("subject"), manifest.column("group"), strict=True
    ):
        if key not in facts and label in shown.run.predictions.classes:
            facts[key] = Facts(str(label), str(subject), str(group or subject or key))
    return facts


def _parts(fold: Fold) -> tuple[str, ...]:
    return tuple(part for part in PARTS if getattr(fold, part))


def _part(
    name: str, fold: Fold, part: str, facts: Mapping[str, Facts], classes: Sequence[str]
) -> PartRow:
    images, subjects, groups, counts = _counts(getattr(fold, part), facts, classes)
    return PartRow(
        fold=name,
        part=part,
        images=f"{images:,}",
        subjects=_known(subjects),
        groups=_known(groups),
        classes=tuple(_known(count) for count in counts),
    )


def _counts(
    keys: Sequence[str], facts: Mapping[str, Facts], classes: Sequence[str]
) -> tuple[int, int | None, int | None, list[int | None]]:
    known = [facts[key] for key in keys if key in facts]
    if len(known) < len(keys):
        return len(keys), None, None, [None] * len(classes)
    subjects = {fact.subject for fact in known if fact.subject}
    labels = [fact.label for fact in known]
    counts: list[int | None] = [labels.count(name) for name in classes]
    return len(keys), len(subjects) or None, len({fact.group for fact in known}), counts


def _ranges(split: Split, facts: Mapping[str, Facts], classes: Sequence[str]) -> list[PartRow]:
    rows = []
    for part in PARTS:
        counted = [_counts(getattr(f, part), facts, classes) for f in split.folds if _has(f, part)]
        if counted:
            rows.append(
                PartRow(
                    fold=f"each of {len(counted)}",
                    part=part,
                    images=_range([images for images, *_ in counted]),
                    subjects=_range([subjects for _, subjects, *_ in counted]),
                    groups=_range([groups for *_, groups, _ in counted]),
                    classes=tuple(
                        _range([counts[place] for *_, counts in counted])
                        for place in range(len(classes))
                    ),
                )
            )
    return rows


def _has(fold: Fold, part: str) -> bool:
    return bool(getattr(fold, part))


def _range(values: Sequence[int | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        return _known(None)
    low, high = min(known), max(known)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _known(value: int | None) -> str:
    return "—" if value is None else f"{value:,}"


def _cut(fold: Fold, facts: Mapping[str, Facts]) -> set[str]:
    """Groups on both sides of the line between training and test."""
    train = {facts[key].group for key in fold.train if key in facts}
    return train & {facts[key].group for key in fold.test if key in facts}
