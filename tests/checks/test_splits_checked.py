"""Checks of a split: cut groups, subjects and copies, and a split of another manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leukoscope.checks import run_checks
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.split import Fold, Split
from leukoscope.splits.splitting import make_split

Make = Callable[..., Manifest]


@pytest.fixture
def data(make: Make) -> Manifest:
    """Four groups of three images, and a copy."""
    rows: list[dict[str, Any]] = [
        {"image": f"g{g}-{i}.png", "group": f"g{g}", "label": ("blast", "normal")[g % 2]}
        for g in range(4)
        for i in range(3)
    ]
    rows.append(rows[0] | {"image": "copy.png", "parent": "g0-0.png"})
    return make(rows)


def given(data: Manifest, test: tuple[str, ...], edition: Any = "leak-free") -> Split:
    train = tuple(key for key in data.keys if key not in test)
    fold = Fold(name="fold-0", train=train, test=test)
    return Split(
        kind="given",
        edition=edition,
        unit="group",
        groups="published",
        seed=0,
        manifest_sha256=data.sha256,
        folds=(fold,),
    )


def test_a_cut_group_is_found(data: Manifest) -> None:
    split = given(data, ("g1-0.png", "g1-1.png", "g2-0.png", "g2-1.png", "g2-2.png"))
    by_unit = {f.evidence["unit"]: f for f in run_checks(data, split=split, only=["cut-groups"])}
    assert set(by_unit) == {"group"}  # here every group is one subject: said once
    finding = by_unit["group"]
    assert finding.severity == "error"
    assert finding.evidence["names"] == ["g1"]
    assert finding.evidence["worst_share_of_test"] == 0.4
    assert finding.summary == (
        "1 of 4 groups lies in two parts of the split (g1); in the worst fold 40% of the test "
        "images have another of their group in training."
    )
    assert finding.images == ("g1-0.png", "g1-1.png", "g1-2.png")
    (declared,) = run_checks(
        data, split=split.model_copy(update={"edition": "as-published"}), only=["cut-groups"]
    )
    assert declared.severity == "warning"
    assert "as published: the leak is part of the edition" in declared.summary


def test_a_cut_subject_is_found_beside_its_group(data: Manifest) -> None:
    """A group of two subjects is cut, and one of the subjects: both are said."""
    subjects = ["a" if image < "g1-1" else "b" for image in data.column("image")]
    joined = data.with_columns(subject=subjects, group=["g0"] * len(data))
    split = given(joined, ("g1-0.png",))
    units = {f.evidence["unit"] for f in run_checks(joined, split=split, only=["cut-groups"])}
    assert units == {"group", "subject"}


def test_a_copy_apart_from_its_original_is_found(data: Manifest) -> None:
    split = given(data, ("g0-0.png",))
    units = {f.evidence["unit"] for f in run_checks(data, split=split, only=["cut-groups"])}
    assert units == {"group", "original"}


def test_whole_groups_are_no_finding(data: Manifest) -> None:
    split = given(data, ("g1-0.png", "g1-1.png", "g1-2.png"))
    assert run_checks(data, split=split, only=["cut-groups"]) == ()
    assert run_checks(data, only=["cut-groups"]) == ()
    made = make_split(data, SplitPlan(folds=2), seed=0, edition="leak-free")
    assert run_checks(data, split=made, only=["cut-groups", "foreign-split"]) == ()


def test_a_split_of_another_manifest_is_found(data: Manifest) -> None:
    split = given(data, ("g1-0.png", "g1-1.png", "g1-2.png"))
    relabelled = data.with_columns(label=["blast"] * len(data))
    (finding,) = run_checks(relabelled, split=split, only=["foreign-split"])
    assert finding.severity == "error"
    assert finding.summary == (
        "The split was made of another manifest: rows, labels or groups differ, though it names "
        "the same rows."
    )
    fewer = data.with_table(data.table.iloc[2:])
    (finding,) = run_checks(fewer, split=split, only=["foreign-split"])
    assert "2 of its 13 rows are not in this one" in finding.summary
    assert finding.evidence["unknown_rows"] == 2
    assert run_checks(data, split=split, only=["foreign-split"]) == ()
    assert run_checks(data, only=["foreign-split"]) == ()


def test_rows_in_two_parts_and_folds_without_a_test(data: Manifest) -> None:
    train, test = ("g0-0.png", "g0-1.png", "g1-0.png"), ("g1-0.png", "g2-0.png")
    folds = (Fold(name="a", train=train, test=test), Fold(name="b", train=train))
    split = given(data, test).model_copy(update={"folds": folds})
    none, twice = run_checks(data, split=split, only=["test-part"])
    assert none.severity == twice.severity == "error"
    assert none.summary.startswith("1 of 2 folds tests nothing (b)")
    assert twice.evidence["names"] == ["g1-0.png"]
    assert "train and test: 1" in twice.summary
    assert run_checks(data, split=given(data, test), only=["test-part"]) == ()


def test_a_field_in_two_parts_is_found(make: Make) -> None:
    """C-NMC's names say which field a cell is of, whatever the groups are."""
    names = ["UID_1_1_1_all.bmp", "UID_1_1_2_all.bmp", "UID_2_1_1_all.bmp"]
    rows = [{"image": name, "dataset": "cnmc", "group": f"g{n}"} for n, name in enumerate(names)]
    data = make(rows)
    (finding,) = run_checks(data, split=given(data, (names[1],)), only=["cut-groups"])
    assert (finding.evidence["unit"], finding.evidence["names"]) == ("field", ["cnmc:1:1"])
    assert run_checks(data, split=given(data, (names[2],)), only=["cut-groups"]) == ()
