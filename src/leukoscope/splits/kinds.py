"""The kinds of split: each turns rows into folds, and knows what it cannot do.

A fold is an array with the part of each row: ``TRAIN``, ``VALIDATION``, ``TEST`` or ``LEFT_OUT``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..errors import SplitError
from ..records.experiment import SplitPlan
from .assignment import ABSENT, assign, deal, draw_shares
from .refusals import (
    refuse_cut,
    require_all_classes,
    require_once,
    require_training_classes,
    require_units,
    too_few,
)
from .rows import LEFT_OUT, TEST, TRAIN, VALIDATION, Division, Ints, Rows, Texts

__all__ = ["KINDS"]

Kind = Callable[[Rows, SplitPlan, int], list[Division]]


def kfold(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """Every row tests once a repeat; the validation part comes from whole training groups."""
    require_units(rows, plan.folds, f"{plan.folds} folds")
    divisions = []
    for repeat in range(plan.repeats):
        rng = _generator(seed, repeat)
        if rows.whole:
            fold_of = _assigned(rows, np.full(plan.folds, 1 / plan.folds), rng)
        else:
            fold_of = deal(_codes(rows.labels), plan.folds, rng)
        require_all_classes(rows, fold_of, plan.folds)
        for fold in range(plan.folds):
            parts = np.where(fold_of == fold, TEST, TRAIN)
            name = f"fold-{repeat * plan.folds + fold}"
            divisions.append(_with_validation(rows, parts, plan.validation, rng, name, repeat))
    return divisions


def holdout(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """One division a repeat, by the shares of all rows."""
    require_units(rows, 2, "a holdout (one to train, one to test)")
    divisions = []
    for repeat in range(plan.repeats):
        rng = _generator(seed, repeat)
        name = f"fold-{repeat}"
        if not rows.whole:
            parts = _drawn(rows, plan, rng)
            require_all_classes(rows, np.where(parts == TEST, 1, 0), 2)
            divisions.append(Division(name, repeat, parts, _without(rows, parts)))
            continue
        # The test part first, from all groups: a group too many in it cannot be mended later.
        side = _assigned(rows, np.array([1 - plan.test, plan.test]), rng)
        require_all_classes(rows, side, 2)
        parts = np.where(side == 1, TEST, TRAIN)
        share = plan.validation / (1 - plan.test)
        divisions.append(_with_validation(rows, parts, share, rng, name, repeat))
    return divisions


def image(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """The papers' way: random images of each class, whoever they were taken from."""
    if rows.whole:
        raise SplitError(
            "split: kind 'image' divides single images and cuts groups; leak-free splits never do. "
            "Ask for edition 'as-published', or for kind 'holdout'."
        )
    return holdout(rows, plan, seed)


def lodo(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """Each data set tests once, the others train."""
    require_once(plan)
    names = sorted(set(rows.datasets))
    if len(names) < 2:
        raise SplitError(
            f"split: kind 'lodo' leaves one data set out and needs at least two; found only "
            f"{names[0]!r}. Join sets first: leukoscope data read A B -o joined.csv."
        )
    if rows.whole:
        refuse_cut(rows, rows.datasets, "data sets", "Leave the rows out that two sets share")
    rng = _generator(seed, 0)
    divisions = []
    for name in names:
        parts = np.where(rows.datasets == name, TEST, TRAIN)
        unseen = require_training_classes(rows, parts, f"without data set {name!r}")
        made = _with_validation(rows, parts, plan.validation, rng, str(name), 0)
        divisions.append(replace(made, notes=(*unseen, *made.notes)))
    return divisions


OFFICIAL_WORDS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "preliminary": TEST,
    "final": TEST,
}
"""Words in the names of official parts; the last two are C-NMC's."""


def has_test_part(official_split: Iterable[str]) -> bool:
    """Whether the names of official parts name one to test on."""
    return any(_official_part(value) == TEST for value in {*official_split} - {""})


def official(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """The division that the data set was published with: its folds, or its parts."""
    require_once(plan)
    values = sorted(set(rows.official) - {""})
    if not values:
        raise SplitError(
            "split: kind 'official', but no row has an official_split. Fill that column "
            "(train, validation, test, or fold_0, fold_1, …), or choose kind 'kfold'."
        )
    part_of = {value: _official_part(value) for value in values}
    rng = _generator(seed, 0)
    if TEST in part_of.values():
        # Published folds beside a published test part are what its authors train on.
        meant = {value: TRAIN if part is None else part for value, part in part_of.items()}
        return [_official_parts(rows, meant, plan, rng)]
    folds = [value for value in values if part_of[value] is None]
    if len(folds) < 2:
        raise SplitError(
            f"split: kind 'official', but official_split names no test part and fewer than two "
            f"folds; found {', '.join(map(repr, values))}. Choose kind 'kfold' or 'holdout'."
        )
    of_a_fold = np.isin(rows.official, folds)
    if rows.whole:
        units = np.where(of_a_fold, rows.official, "")
        refuse_cut(rows, units, "official folds")
    divisions = []
    for value in folds:
        parts = np.where(of_a_fold, TRAIN, LEFT_OUT)
        parts[rows.official == value] = TEST
        unseen = require_training_classes(rows, parts, f"without official fold {value!r}")
        made = _with_validation(rows, parts, plan.validation, rng, str(value), 0)
        divisions.append(_left_out_noted(replace(made, notes=(*unseen, *made.notes))))
    return divisions


def _official_parts(
    rows: Rows, meant: dict[Any, int], plan: SplitPlan, rng: np.random.Generator
) -> Division:
    parts = np.array([meant.get(value, LEFT_OUT) for value in rows.official], dtype=np.int64)
    if not (parts == TRAIN).any():
        raise SplitError(
            "split: kind 'official', but official_split names nothing to train on; found "
            f"{', '.join(map(repr, sorted(meant)))}. Add the training part of the data set."
        )
    if rows.whole:
        refuse_cut(rows, np.array([f"{part}" for part in parts], dtype=object), "official parts")
    notes = require_training_classes(rows, parts, "the official parts")
    folds = sorted(value for value in meant if value and _official_part(value) is None)
    if folds:
        notes += (f"{', '.join(folds)} train together, because there is a test part beside them",)
    if VALIDATION in parts:
        return _left_out_noted(Division("fold-0", 0, parts, notes))
    made = _with_validation(rows, parts, plan.validation, rng, "fold-0", 0)
    return _left_out_noted(replace(made, notes=(*notes, *made.notes)))


def _official_part(value: str) -> int | None:
    """The part that an official name means, or None for a fold.

    Raises
    ------
    SplitError
        For a name that is neither.
    """
    words = re.findall(r"[a-z]+", value.casefold())
    meant = {OFFICIAL_WORDS[word] for word in words if word in OFFICIAL_WORDS}
    # "test" wins over "train": C-NMC's preliminary test lies in a folder of the training data.
    if meant:
        return max(meant)
    if "fold" in words and re.search(r"\d+$", value):
        return None
    raise SplitError(
        f"split: official_split {value!r} is not understood; expected fold_<number>, train, "
        "validation or test. Rename it in the manifest."
    )


def forward(rows: Rows, plan: SplitPlan, seed: int) -> list[Division]:
    """The last file numbers of each class test, those before them validate.

    Where neighbours in number were taken from the same slide and nobody published the slides,
    this is the cautious reading: training and test meet at one border only. A group goes where
    most of its images belong.
    """
    require_once(plan)
    wanted = _wanted_by_number(rows, plan)
    if not rows.whole:
        require_all_classes(rows, np.where(wanted == TEST, 1, 0), 2)
        return [Division("fold-0", 0, wanted, _without(rows, wanted))]
    units, unit_of = np.unique(rows.units, return_inverse=True)
    votes = np.zeros((len(units), 3), dtype=np.int64)
    np.add.at(votes, (unit_of, wanted), 1)
    # Ties go forward: argmax of the reversed votes prefers test.
    part_of = TEST - votes[:, ::-1].argmax(axis=1)
    numbers = _numbers(rows)
    for label in sorted(set(rows.labels)):
        mine = rows.labels == label
        last = [np.median(numbers[mine & (unit_of == unit)]) for unit in np.unique(unit_of[mine])]
        in_order = np.unique(unit_of[mine])[np.argsort(last, kind="stable")]
        if len(in_order) < 2:
            too_few(rows, label, 1, 2, "a forward holdout (one to train, one to test)")
        if not (part_of[in_order] == TEST).any():
            part_of[in_order[-1]] = TEST
        if not (part_of[in_order] == TRAIN).any():
            part_of[in_order[0]] = TRAIN
    parts = part_of[unit_of]
    require_all_classes(rows, np.where(parts == TEST, 1, 0), 2)
    return [Division("fold-0", 0, parts, _without(rows, parts))]


def _wanted_by_number(rows: Rows, plan: SplitPlan) -> Ints:
    """The part of each image if images were cut one by one."""
    numbers = _numbers(rows)
    wanted = np.full(len(rows), TRAIN, dtype=np.int64)
    for label in sorted(set(rows.labels)):
        for dataset in sorted(set(rows.datasets[rows.labels == label])):
            members = np.flatnonzero((rows.labels == label) & (rows.datasets == dataset))
            members = members[np.argsort(numbers[members], kind="stable")]
            test = max(1, round(len(members) * plan.test))
            validation = round(len(members) * plan.validation)
            wanted[members[len(members) - test :]] = TEST
            wanted[members[max(0, len(members) - test - validation) : len(members) - test]] = (
                VALIDATION
            )
    return wanted


def _numbers(rows: Rows) -> Ints:
    """The number at the end of each image's stem."""
    numbers = np.zeros(len(rows), dtype=np.int64)
    for row, name in enumerate(rows.images):
        found = re.search(r"(\d{1,18})$", PurePosixPath(name).stem)
        if found is None:
            raise SplitError(
                f"split: kind 'forward' goes by the number at the end of a file name, and "
                f"{name!r} has none. Choose kind 'holdout'."
            )
        numbers[row] = int(found.group(1))
    return numbers


KINDS: dict[str, Kind] = {
    "holdout": holdout,
    "kfold": kfold,
    "lodo": lodo,
    "official": official,
    "image": image,
    "forward": forward,
}


def _generator(seed: int, repeat: int) -> np.random.Generator:
    return np.random.default_rng([seed, repeat])


def _codes(values: Texts) -> Ints:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def _counted(rows: Rows, chosen: Texts) -> tuple[Ints, Ints]:
    """Images of each class in each unit of the chosen rows, and the unit of each such row."""
    unit_of, label_of = _codes(rows.units[chosen]), _codes(rows.labels[chosen])
    counts = np.zeros((unit_of.max() + 1, label_of.max() + 1), dtype=np.int64)
    np.add.at(counts, (unit_of, label_of), 1)
    return counts, unit_of


def _assigned(rows: Rows, shares: np.ndarray[Any, Any], rng: np.random.Generator) -> Ints:
    counts, unit_of = _counted(rows, np.ones(len(rows), dtype=bool))
    return assign(counts, shares, rng)[unit_of]


def _drawn(rows: Rows, plan: SplitPlan, rng: np.random.Generator) -> Ints:
    """Image by image; test and validation are rounded up, as scikit-learn's splits are."""
    test = int(np.ceil(round(len(rows) * plan.test, 6)))
    validation = int(np.ceil(round(len(rows) * plan.validation, 6)))
    train = len(rows) - test - validation
    if train < 1:
        raise SplitError(
            f"split: {len(rows)} images leave nothing to train on after {test} for test and "
            f"{validation} for validation. Lower split.test or split.validation."
        )
    drawn = draw_shares(_codes(rows.labels), (test, validation, train), rng)
    return np.array([TEST, VALIDATION, TRAIN])[drawn]


def _with_validation(
    rows: Rows, parts: Ints, share: float, rng: np.random.Generator, name: str, repeat: int
) -> Division:
    """Take ``share`` of the training rows for validation, in whole units.

    Training keeps every class: a class with a single unit there is not validated on, which a
    note says.
    """
    parts = parts.copy()
    train = np.flatnonzero(parts == TRAIN)
    if share <= 0:
        return Division(name, repeat, parts)
    if rows.whole:
        counts, unit_of = _counted(rows, parts == TRAIN)
        single = (counts > 0).sum(axis=0) < 2
        absent = np.vstack([np.full(counts.shape[1], 10 * ABSENT), np.where(single, 0.0, ABSENT)])
        chosen = assign(counts, np.array([1 - share, share]), rng, absent=absent)[unit_of] == 1
    else:
        size = int(np.ceil(round(len(train) * share, 6)))
        labels = _codes(rows.labels[train])
        chosen = draw_shares(labels, (size, len(train) - size), rng) == 0
    parts[train[chosen]] = VALIDATION
    return Division(name, repeat, parts, _without(rows, parts))


def _without(rows: Rows, parts: Ints) -> tuple[str, ...]:
    """A note for each class that validation lacks; training must lack none."""
    validation = set(rows.labels[parts == VALIDATION])
    missing = sorted(set(rows.labels[parts == TRAIN]) - validation)
    if not validation or not missing:
        return ()
    return (f"no {rows.word} of {', '.join(map(repr, missing))} to validate on",)


def _left_out_noted(division: Division) -> Division:
    left = int((division.parts == LEFT_OUT).sum())
    if not left:
        return division
    note = f"{left} rows without an official part are in none"
    return Division(division.name, division.repeat, division.parts, (*division.notes, note))
