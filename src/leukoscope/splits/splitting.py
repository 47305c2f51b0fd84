"""Make a split from a plan, and refuse one that leaks or belongs to another manifest."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..datasets.manifest import Manifest
from ..errors import SplitError, suggestion
from ..records.experiment import SplitPlan
from ..records.split import Edition, Fold, Split
from .kinds import KINDS
from .rows import TEST, TRAIN, VALIDATION, Division, Rows

__all__ = ["make_split", "most_folds", "verify_split"]

Origin = Literal["published", "inferred", "none"]


def make_split(manifest: Manifest, plan: SplitPlan, *, seed: int, edition: Edition) -> Split:
    """Divide the labelled rows of a manifest.

    Leak-free, whole groups are put into parts so that class shares and sizes are as even as
    grouping allows; a copy (a row with a ``parent``) trains where its group trains and is used
    nowhere else. As published, single images are drawn with the classes' proportions, copies
    like any other.

    Parameters
    ----------
    manifest
        With ``group`` filled (``splits.grouping``) for a leak-free split. The result does not
        depend on the order of its rows. Rows without a label are left out, which a note says.
    plan
        Kind, folds, repeats and shares. ``validation`` is a share of all rows in a holdout
        (``holdout``, ``image``, ``forward``) and of the rows that do not test otherwise.
    seed
        The same seed gives the same split on every machine.
    edition
        ``leak-free`` or ``as-published``.

    Raises
    ------
    SplitError
        One class, one group, a class with fewer groups than folds, no groups, an official split
        that is absent or cuts groups, a kind that the edition forbids.
    """
    if plan.kind not in KINDS:
        raise SplitError(
            f"split: kind {plan.kind!r} is read from a file and not made; set split.file. "
            f"{suggestion(plan.kind, KINDS)}"
        )
    labelled = manifest.column("label") != ""
    copies = labelled & (manifest.column("parent") != "") & (edition == "leak-free")
    rows = _rows(manifest, labelled & ~copies, whole=edition == "leak-free")
    _divisible(manifest, rows)
    divisions = KINDS[plan.kind](rows, plan, seed)
    followers = _followers(manifest, copies)
    folds = tuple(_fold(rows, division, followers) for division in divisions)
    split = Split(
        kind=plan.kind,
        edition=edition,
        unit="group" if rows.whole else "image",
        groups=_origin(manifest),
        rendered=manifest.card.rendered,
        seed=seed,
        manifest_sha256=manifest.sha256,
        folds=folds,
        notes=_notes(labelled, len(followers), divisions),
    )
    verify_split(manifest, split)
    return split


def most_folds(manifest: Manifest) -> int:
    """The folds of whole groups that the class with the fewest groups allows; 0 without two
    classes."""
    table = manifest.table
    originals = table[(table["label"] != "") & (table["parent"] == "")]
    groups = originals.groupby("label")["group"].nunique()
    return int(groups.min()) if len(groups) > 1 else 0


def _rows(manifest: Manifest, chosen: np.ndarray[Any, Any], *, whole: bool) -> Rows:
    keys = np.array(manifest.keys, dtype=object)
    order = np.flatnonzero(chosen)
    order = order[np.argsort(keys[order], kind="stable")]
    groups = manifest.column("group")[order]
    if whole and (groups == "").any():
        first = keys[order][groups == ""][0]
        raise SplitError(
            f"split: {int((groups == '').sum())} of {len(order)} rows have no group (the first: "
            f"{first!r}), so nothing says what must not be cut. Group the manifest first "
            "(leukoscope data read, or splits.grouping.group)."
        )
    return Rows(
        keys=keys[order],
        labels=manifest.column("label")[order],
        units=groups if whole else keys[order],
        datasets=manifest.column("dataset")[order],
        official=manifest.column("official_split")[order],
        images=manifest.column("image")[order],
        whole=whole,
    )


def _divisible(manifest: Manifest, rows: Rows) -> None:
    """Two classes and two units at least."""
    classes = sorted(set(rows.labels))
    if len(classes) < 2:
        found = f"only class {classes[0]!r}" if classes else "no labelled row"
        raise SplitError(
            f"split: {manifest.card.name}: found {found} among {len(manifest)} rows; at least two "
            "classes are needed to tell apart. Add the other class, or another folder."
        )
    if len(set(rows.units)) < 2:
        raise SplitError(
            f"split: {manifest.card.name}: all {len(rows)} rows are one group "
            f"({rows.units[0]!r}), and a group is never cut. Add subjects, or correct the "
            "'subject' and 'group' columns."
        )


def _followers(manifest: Manifest, copies: np.ndarray[Any, Any]) -> list[tuple[str, str]]:
    """Key and group of each copy, sorted."""
    keys = np.array(manifest.keys, dtype=object)[copies]
    return sorted(zip(keys, manifest.column("group")[copies], strict=True))


def _fold(rows: Rows, division: Division, followers: list[tuple[str, str]]) -> Fold:
    train = list(rows.keys[division.parts == TRAIN])
    trained = set(rows.units[division.parts == TRAIN])
    train += [key for key, group in followers if group in trained]
    return Fold(
        name=division.name,
        repeat=division.repeat,
        train=tuple(sorted(train)),
        validation=tuple(rows.keys[division.parts == VALIDATION]),
        test=tuple(rows.keys[division.parts == TEST]),
    )


def _origin(manifest: Manifest) -> Origin:
    sources = set(manifest.column("group_source"))
    if "inferred" in sources:
        return "inferred"
    return "published" if "published" in sources else "none"


def _notes(
    labelled: np.ndarray[Any, Any], copies: int, divisions: list[Division]
) -> tuple[str, ...]:
    notes = []
    unlabelled = int((~labelled).sum())
    if unlabelled:
        notes.append(f"{unlabelled} rows without a label are in no part")
    if copies:
        notes.append(
            f"{copies} augmented copies train where their group trains and are in no other part"
        )
    notes += [f"{division.name}: {note}" for division in divisions for note in division.notes]
    return tuple(notes)


def verify_split(manifest: Manifest, split: Split) -> None:
    """Refuse a split that does not fit the manifest or leaks.

    Raises
    ------
    SplitError
        When the manifest is another one than the split was made of (by hash), a row key is
        unknown, a row stands twice in a fold, a fold has nothing to train on or nothing to
        test on, or, unless the edition is ``as-published``: a group, a subject, or a copy and
        its parent lie in two parts of a fold, or a copy validates or tests.
    """
    if split.manifest_sha256 != manifest.sha256:
        raise SplitError(
            f"split: made of another manifest (hash {split.manifest_sha256[:12]}…, this one has "
            f"{manifest.sha256[:12]}…): rows, labels or groups differ. Make the split again: "
            "leukoscope split."
        )
    row_of = {key: row for row, key in enumerate(manifest.keys)}
    for fold in split.folds:
        parts = _verified_parts(fold, row_of)
        if split.edition == "as-published":
            continue
        if split.unit != "group":
            raise SplitError(
                "split: its unit is single images, which cuts groups, but its edition is "
                "'leak-free'. Make it again, or call it what it is: 'as-published'."
            )
        for column in ("group", "subject"):
            _refuse_two_parts(fold, parts, manifest.column(column), column)
        _refuse_lost_copies(fold, parts, manifest, row_of)


def _verified_parts(fold: Fold, row_of: dict[str, int]) -> dict[int, str]:
    """The part of each row number of a fold."""
    parts: dict[int, str] = {}
    for name in ("train", "validation", "test"):
        for key in getattr(fold, name):
            if key not in row_of:
                raise SplitError(
                    f"split: {fold.name}: row {key!r} is not in the manifest. The split was "
                    "altered, or belongs to another manifest; make it again: leukoscope split."
                )
            row = row_of[key]
            if row in parts:
                raise SplitError(
                    f"split: {fold.name}: row {key!r} stands in {parts[row]} and in {name}; each "
                    "row stands once. Make the split again: leukoscope split."
                )
            parts[row] = name
    for name in ("train", "test"):
        if not getattr(fold, name):
            raise SplitError(
                f"split: {fold.name}: nothing to {name} on. Make the split again: leukoscope split."
            )
    return parts


def _refuse_two_parts(
    fold: Fold, parts: dict[int, str], names: np.ndarray[Any, Any], what: str
) -> None:
    """No name lies in two parts ('' is no name)."""
    seen: dict[str, str] = {}
    cut: dict[str, str] = {}
    for row, part in parts.items():
        name = names[row]
        if name and seen.setdefault(name, part) != part:
            cut.setdefault(name, f"{seen[name]} and {part}")
    if cut:
        name, where = next(iter(sorted(cut.items())))
        raise SplitError(
            f"split: {fold.name}: {what} {name!r} lies in {where} ({len(cut)} such {what}s). "
            "That leaks; only edition 'as-published' may do it. Make the split again: "
            "leukoscope split."
        )


def _refuse_lost_copies(
    fold: Fold, parts: dict[int, str], manifest: Manifest, row_of: dict[str, int]
) -> None:
    """Copies train, and only beside their parent."""
    parents = manifest.column("parent")
    for row, part in parts.items():
        parent = parents[row]
        if not parent:
            continue
        key = manifest.keys[row]
        if part != "train":
            raise SplitError(
                f"split: {fold.name}: {key!r} is an augmented copy and lies in {part}; copies "
                "only train. Make the split again, or use edition 'as-published'."
            )
        of_parent = parts.get(row_of.get(parent, -1))
        if of_parent not in (None, "train"):
            raise SplitError(
                f"split: {fold.name}: {key!r} trains, but it is a copy of {parent!r}, which lies "
                f"in {of_parent}. That leaks; make the split again: leukoscope split."
            )
