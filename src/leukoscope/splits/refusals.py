"""What cannot be divided, each in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import SplitError
from ..records.experiment import SplitPlan
from .rows import LEFT_OUT, TEST, TRAIN, Ints, Rows, Texts

__all__ = [
    "refuse_cut",
    "require_all_classes",
    "require_once",
    "require_training_classes",
    "require_units",
    "too_few",
]


def require_units(rows: Rows, needed: int, what: str) -> None:
    """Every class has at least ``needed`` units."""
    for label in sorted(set(rows.labels)):
        found = len(set(rows.units[rows.labels == label]))
        if found < needed:
            too_few(rows, label, found, needed, what)


def too_few(rows: Rows, label: str, found: int, needed: int, what: str) -> None:
    """Raise: ``label`` has ``found`` units where ``needed`` are; every class's count is named."""
    units = {name: len(set(rows.units[rows.labels == name])) for name in sorted(set(rows.labels))}
    counts = ", ".join(f"{name} {count}" for name, count in units.items())
    enough = min(units.values())
    fewer = f"Ask for at most {enough} folds, " if needed > 2 and enough >= 2 else ""
    raise SplitError(
        f"split: class {label!r} has {found} of the {needed} {rows.word} that {what} need "
        f"({rows.word} of each class: {counts}). {fewer or 'Add'}{'or add' if fewer else ''} "
        "subjects of it, or leave the class out (data.leave_out in an experiment)."
    )


def require_all_classes(rows: Rows, side: Ints, sides: int) -> None:
    """Every class lies on every side (fold, or train and test)."""
    for label in sorted(set(rows.labels)):
        mine = rows.labels == label
        found = set(side[mine].tolist())
        if len(found) < sides:
            why = (
                f"its {len(set(rows.units[mine]))} groups also hold other classes"
                if rows.whole
                else f"it has {int(mine.sum())} images and the share asked for is too small"
            )
            raise SplitError(
                f"split: class {label!r} comes to lie on {len(found)} of {sides} sides: {why}. "
                "Ask for fewer folds or a larger share, or leave the class out (data.leave_out "
                "in an experiment)."
            )


def require_once(plan: SplitPlan) -> None:
    """Kinds that leave nothing to chance are not repeated."""
    if plan.repeats > 1:
        raise SplitError(
            f"split: kind {plan.kind!r} has one answer, so {plan.repeats} repeats would test the "
            "same rows again. Set split.repeats = 1, or choose 'kfold', 'holdout' or 'image'."
        )


def refuse_cut(
    rows: Rows, sides: Texts, what: str, remedy: str = "Choose kind 'kfold' or 'holdout'"
) -> None:
    """Raise when a group lies on two sides ('' is no side)."""
    where: dict[str, set[str]] = {}
    for unit, side in zip(rows.units, sides, strict=True):
        if side not in ("", str(LEFT_OUT)):
            where.setdefault(unit, set()).add(side)
    cut: Sequence[str] = sorted(unit for unit, found in where.items() if len(found) > 1)
    if cut:
        shown = ", ".join(map(repr, cut[:3])) + (", …" if len(cut) > 3 else "")
        raise SplitError(
            f"split: the {what} cut {len(cut)} of {len(where)} groups ({shown}). {remedy}, or "
            "ask for edition 'as-published' to divide as published, leak and all."
        )


def require_training_classes(rows: Rows, parts: Ints, name: str) -> tuple[str, ...]:
    """Training has two classes; a note names those that are tested and never trained."""
    train, test = (set(rows.labels[parts == part]) for part in (TRAIN, TEST))
    if len(train) < 2:
        found = f"only class {min(train)!r}" if train else "nothing"
        raise SplitError(
            f"split: {name}: {found} is left to train on; at least two classes are needed. "
            "Add data of the other class to the training side, or choose another kind."
        )
    unseen = sorted(test - train)
    if not unseen:
        return ()
    return (f"{', '.join(map(repr, unseen))} tested, but not in training",)
