"""Splits: what they promise, on made-up and on drawn manifests, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows
from leukoscope.errors import SplitError
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.split import Fold, Split, read_split, write_split
from leukoscope.splits.splitting import make_split, verify_split

CARD = DatasetCard(name="made", classes={"blast": "blast", "normal": "normal"})
LEAK_FREE, AS_PUBLISHED = "leak-free", "as-published"


def manifest(rows: list[dict[str, Any]]) -> Manifest:
    """Rows with a published group where they name none otherwise."""
    completed = [
        {"group_source": "published" if row.get("group") else "", "label": "blast"} | row
        for row in rows
    ]
    return manifest_from_rows(completed, CARD.model_copy(update={"classes": {}}), Path("/nowhere"))


def subjects(counts: dict[str, dict[str, int]], **more: Any) -> Manifest:
    """Each subject's images: ``{"s1": {"blast": 3}}``."""
    return manifest(
        [
            {"image": f"{name}-{label}-{i}.png", "label": label, "subject": name, "group": name}
            | more
            for name, of in counts.items()
            for label, number in of.items()
            for i in range(number)
        ]
    )


def balanced(per_class: int = 6, images: int = 5) -> Manifest:
    blasts = {f"b{i}": {"blast": images + i % 3} for i in range(per_class)}
    return subjects(blasts | {f"n{i}": {"normal": images + i % 2} for i in range(per_class)})


def parts_of(fold: Fold) -> dict[str, set[str]]:
    return {"train": set(fold.train), "validation": set(fold.validation), "test": set(fold.test)}


@st.composite
def drawn(draw: st.DrawFn) -> Manifest:
    """Groups with one label or several, some rows unlabelled, some copies."""
    groups = draw(st.integers(6, 12))
    rows = []
    for group in range(groups):
        mixed = draw(st.booleans())
        for i in range(draw(st.integers(1, 7))):
            label = ("blast", "normal")[(i if mixed else 0) + group & 1]
            name = f"g{group}-{i}"
            rows.append({"image": f"{name}.png", "label": label, "group": f"g{group}"})
            if draw(st.integers(0, 4)) == 0:
                copy = {"image": f"copies/{name}~001.png", "parent": f"{name}.png"}
                rows.append(rows[-1] | copy)
    if draw(st.booleans()):
        rows.append({"image": "x.png", "label": "", "group": "gx"})
    return manifest(rows)


KFOLD = SplitPlan(kind="kfold", folds=3, validation=0.2, repeats=2)


@settings(max_examples=40, deadline=None)
@given(drawn(), st.sampled_from(["kfold", "holdout"]), st.integers(0, 3))
def test_a_leak_free_split_is_a_partition_that_cuts_nothing(
    data: Manifest, kind: Any, seed: int
) -> None:
    plan = KFOLD.model_copy(update={"kind": kind})
    try:
        split = make_split(data, plan, seed=seed, edition=LEAK_FREE)
    except SplitError:
        # Mixed groups that cannot be spread over three folds are refused, never cut.
        return
    group = dict(zip(data.keys, data.column("group"), strict=True))
    parent = dict(zip(data.keys, data.column("parent"), strict=True))
    labelled = {k for k, label in zip(data.keys, data.column("label"), strict=True) if label}
    originals = {key for key in labelled if not parent[key]}
    for fold in split.folds:
        parts = parts_of(fold)
        assert sum(map(len, parts.values())) == len(set().union(*parts.values()))
        assert originals <= set().union(*parts.values()) <= labelled
        of_group: dict[str, set[str]] = {}
        for part, keys in parts.items():
            for key in keys:
                of_group.setdefault(group[key], set()).add(part)
                if parent[key]:
                    assert part == "train"
                    assert parent[key] in parts["train"]
        assert all(len(found) == 1 for found in of_group.values())
        # Copies of what trains do train.
        assert {k for k in labelled if parent[k] in parts["train"]} <= parts["train"]
    if kind == "kfold":
        for repeat in range(2):
            tested = [k for f in split.folds if f.repeat == repeat for k in f.test]
            assert sorted(tested) == sorted(originals)


@settings(max_examples=20, deadline=None)
@given(drawn(), st.randoms(use_true_random=False))
def test_row_order_does_not_matter_and_a_seed_decides_everything(
    data: Manifest, random: Any
) -> None:
    order = list(range(len(data)))
    random.shuffle(order)
    other = data.with_table(data.table.iloc[order])
    for edition in (LEAK_FREE, AS_PUBLISHED):
        plan = SplitPlan(kind="kfold", folds=2, validation=0.2)
        try:
            first = make_split(data, plan, seed=4, edition=edition)  # type: ignore[arg-type]
        except SplitError:
            continue
        again = make_split(data, plan, seed=4, edition=edition)  # type: ignore[arg-type]
        second = make_split(other, plan, seed=4, edition=edition)  # type: ignore[arg-type]
        assert first == again
        assert first.folds == second.folds


def test_another_seed_and_another_repeat_give_another_split() -> None:
    data = balanced(10)
    plan = SplitPlan(kind="kfold", folds=5, repeats=2)
    a, b = (make_split(data, plan, seed=seed, edition=LEAK_FREE) for seed in (0, 1))
    assert {f.test for f in a.folds} != {f.test for f in b.folds}
    tests = [{f.test for f in a.folds if f.repeat == repeat} for repeat in (0, 1)]
    assert tests[0] != tests[1]
    assert [f.name for f in a.folds] == [f"fold-{number}" for number in range(10)]
    assert [f.repeat for f in a.folds] == [0] * 5 + [1] * 5


def test_a_holdout_has_the_shares_asked_for() -> None:
    data = balanced(40)
    plan = SplitPlan(kind="holdout", test=0.2, validation=0.15)
    (fold,) = make_split(data, plan, seed=0, edition=LEAK_FREE).folds
    n = len(data)
    assert len(fold.test) / n == pytest.approx(0.2, abs=0.01)
    assert len(fold.validation) / n == pytest.approx(0.15, abs=0.01)
    blasts = [key.startswith("b") for key in fold.validation]
    overall = np.mean([key.startswith("b") for key in data.keys])
    assert np.mean(blasts) == pytest.approx(overall, abs=0.02)
    assert fold.name == "fold-0"


def test_no_validation_where_none_is_asked_for() -> None:
    plan = SplitPlan(kind="kfold", folds=3, validation=0)
    split = make_split(balanced(), plan, seed=0, edition=LEAK_FREE)
    assert all(fold.validation == () for fold in split.folds)


def test_a_class_with_one_group_left_trains_and_is_not_validated_on() -> None:
    data = subjects(
        {f"b{i}": {"blast": 5} for i in range(8)} | {f"n{i}": {"normal": 5} for i in range(2)}
    )
    split = make_split(data, SplitPlan(kind="kfold", folds=2), seed=0, edition=LEAK_FREE)
    for fold in split.folds:
        assert any(key.startswith("n") for key in fold.train)
        assert any(key.startswith("n") for key in fold.test)
        assert fold.validation
        assert all(key.startswith("b") for key in fold.validation)
        assert f"{fold.name}: no groups of 'normal' to validate on" in split.notes


def test_as_published_image_ratios_are_the_papers() -> None:
    """fata2023: 10,661 images, 80 % = 8,528 train and 2,133 test, of which 1,455 and 678."""
    data = subjects({"p": {"blast": 7272}, "h": {"normal": 3389}})
    plan = SplitPlan(kind="image", test=0.2, validation=0)
    split = make_split(data, plan, seed=0, edition=AS_PUBLISHED)
    (fold,) = split.folds
    assert (split.unit, split.groups) == ("image", "published")
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (8528, 0, 2133)
    assert sum("blast" in key for key in fold.test) == 1455


def test_image_level_validation_share_is_of_all_rows() -> None:
    """varol2024: 70/15/15 of 12,140 images is 8,498/1,821/1,821."""
    data = subjects({"p": {"blast": 6070}, "h": {"normal": 6070}})
    plan = SplitPlan(kind="image", test=0.15, validation=0.15)
    (fold,) = make_split(data, plan, seed=0, edition=AS_PUBLISHED).folds
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (8498, 1821, 1821)


def test_as_published_folds_are_random_stratified_images_and_divide_copies_like_any() -> None:
    rows = [
        {"image": f"{label}{i}.png", "label": label, "group": f"{label}{i % 3}"}
        for label in ("blast", "normal")
        for i in range(40 if label == "blast" else 20)
    ]
    rows += [row | {"image": f"copies/{row['image']}", "parent": row["image"]} for row in rows]
    data = manifest(rows)
    plan = SplitPlan(kind="kfold", folds=5, validation=0.1)
    split = make_split(data, plan, seed=1, edition=AS_PUBLISHED)
    tested = [key for fold in split.folds for key in fold.test]
    assert sorted(tested) == sorted(data.keys)
    for fold in split.folds:
        assert sum("blast" in key for key in fold.test) == 16
        assert sum("normal" in key for key in fold.test) == 8
    assert any(key.startswith("copies/") for fold in split.folds for key in fold.test)
    verify_split(data, split)


def test_copies_follow_their_group_and_are_counted() -> None:
    rows = [
        {"image": f"{label}{i}.png", "label": label, "group": f"{label}{i}"}
        for label in ("blast", "normal")
        for i in range(6)
    ]
    rows += [row | {"image": f"copies/{row['image']}", "parent": row["image"]} for row in rows]
    # A copy of a copy, and one whose parent was left out of the manifest.
    rows.append(rows[0] | {"image": "copies/twice.png", "parent": "copies/blast0.png"})
    rows.append(rows[0] | {"image": "copies/lost.png", "parent": "gone.png", "group": "gone"})
    data = manifest(rows)
    split = make_split(data, SplitPlan(kind="kfold", folds=3), seed=0, edition=LEAK_FREE)
    assert split.notes[0].startswith("14 augmented copies train where their group trains")
    for fold in split.folds:
        assert ("copies/twice.png" in fold.train) == ("blast0.png" in fold.train)
        assert not any(key.startswith("copies/") for key in (*fold.validation, *fold.test))
        assert "copies/lost.png" not in fold.train


def test_unlabelled_rows_are_in_no_part_and_counted() -> None:
    data = subjects({f"s{i}": {("blast", "normal", "")[i % 3]: 4} for i in range(12)})
    split = make_split(data, SplitPlan(kind="kfold", folds=2), seed=0, edition=LEAK_FREE)
    assert "16 rows without a label are in no part" in split.notes


# --- leave one data set out, official parts, forward in number


def two_sets() -> Manifest:
    rows = [
        {"image": f"{name}{label}{i}.png", "label": label, "dataset": name, "group": f"{name}{i}"}
        for name in ("aa", "bb", "cc")
        for label in ("blast", "normal")
        for i in range(6)
    ]
    return manifest(rows)


def test_lodo_tests_each_data_set_once() -> None:
    split = make_split(two_sets(), SplitPlan(kind="lodo"), seed=0, edition=LEAK_FREE)
    assert [fold.name for fold in split.folds] == ["aa", "bb", "cc"]
    for fold in split.folds:
        assert all(key.startswith(fold.name) for key in fold.test)
        assert len(fold.test) == 12
        assert fold.validation
        assert not any(key.startswith(fold.name) for key in (*fold.train, *fold.validation))


def test_lodo_names_classes_that_are_tested_and_not_trained() -> None:
    data = two_sets()
    labels = data.column("label").copy()
    labels[np.flatnonzero(data.column("dataset") == "cc")[:3]] = "other"
    split = make_split(
        data.with_columns(label=list(labels)), SplitPlan(kind="lodo"), seed=0, edition=LEAK_FREE
    )
    assert any(note == "cc: 'other' tested, but not in training" for note in split.notes)


def test_lodo_refuses_what_it_cannot_do() -> None:
    with pytest.raises(SplitError, match="at least two; found only 'made'"):
        make_split(balanced(), SplitPlan(kind="lodo"), seed=0, edition=LEAK_FREE)
    shared = two_sets().with_columns(group=["one"] * 36)
    other = shared.with_columns(group=["one", *(f"g{i}" for i in range(34)), "one"])
    with pytest.raises(SplitError, match=r"data sets cut 1 of 35 groups \('one'\)"):
        make_split(other, SplitPlan(kind="lodo"), seed=0, edition=LEAK_FREE)
    assert make_split(other, SplitPlan(kind="lodo"), seed=0, edition=AS_PUBLISHED).folds
    rows = [
        {"image": f"{i}.png", "label": "blast" if i < 4 else "normal", "group": f"{i}"}
        | {"dataset": "aa" if i < 4 else "bb"}
        for i in range(8)
    ]
    with pytest.raises(SplitError, match="without data set 'aa': only class 'normal' is left"):
        make_split(manifest(rows), SplitPlan(kind="lodo"), seed=0, edition=LEAK_FREE)


def with_official(names: dict[str, str]) -> Manifest:
    data = balanced()
    return data.with_columns(
        official_split=[names.get(group, "") for group in data.column("group")]
    )


FOLDS = {f"{kind}{i}": f"fold_{i % 3}" for kind in "bn" for i in range(6)}


def test_official_folds_are_three_folds_with_validation_from_whole_groups() -> None:
    data = with_official(FOLDS)
    split = make_split(data, SplitPlan(kind="official"), seed=0, edition=LEAK_FREE)
    assert [fold.name for fold in split.folds] == ["fold_0", "fold_1", "fold_2"]
    official = dict(zip(data.keys, data.column("official_split"), strict=True))
    for fold in split.folds:
        assert {official[key] for key in fold.test} == {fold.name}
        assert fold.validation
    assert sorted(k for f in split.folds for k in f.test) == sorted(data.keys)


@pytest.mark.parametrize("valid", ["validation", "val", "Valid", "dev"])
def test_official_parts_are_one_division(valid: str) -> None:
    names = {g: ("train", "train", valid, "test")[int(g[1]) % 4] for g in FOLDS}
    data = with_official(names)
    split = make_split(data, SplitPlan(kind="official"), seed=0, edition=LEAK_FREE)
    (fold,) = split.folds
    assert {key.split("-")[0] for key in fold.validation} == {"b2", "n2"}
    assert {key.split("-")[0] for key in fold.test} == {"b3", "n3"}


def test_official_folds_beside_a_test_part_train_together() -> None:
    data = with_official({g: "preliminary" if g[1] == "5" else v for g, v in FOLDS.items()})
    split = make_split(data, SplitPlan(kind="official"), seed=0, edition=LEAK_FREE)
    (fold,) = split.folds
    assert {key.split("-")[0] for key in fold.test} == {"b5", "n5"}
    assert fold.validation
    assert any("fold_0, fold_1, fold_2 train together" in note for note in split.notes)


def test_official_rows_without_a_part_are_left_out_and_counted() -> None:
    data = with_official({g: v for g, v in FOLDS.items() if g != "b0"})
    split = make_split(data, SplitPlan(kind="official"), seed=0, edition=LEAK_FREE)
    missing = sum(group == "b0" for group in data.column("group"))
    assert f"fold_0: {missing} rows without an official part are in none" in split.notes


def test_official_refuses_what_it_cannot_do() -> None:
    plan = SplitPlan(kind="official")
    with pytest.raises(SplitError, match="no row has an official_split"):
        make_split(balanced(), plan, seed=0, edition=LEAK_FREE)
    with pytest.raises(SplitError, match="'somewhere' is not understood"):
        make_split(with_official({"b0": "somewhere"}), plan, seed=0, edition=LEAK_FREE)
    with pytest.raises(SplitError, match=r"fewer than two folds; found 'fold_0'"):
        make_split(with_official({"b0": "fold_0"}), plan, seed=0, edition=LEAK_FREE)
    with pytest.raises(SplitError, match=r"nothing to train on; found 'test'"):
        make_split(with_official({"b0": "test"}), plan, seed=0, edition=LEAK_FREE)
    with pytest.raises(SplitError, match="the official parts: only class 'blast' is left"):
        make_split(with_official({"b0": "train", "b1": "test"}), plan, seed=0, edition=LEAK_FREE)
    cut = balanced()
    official = [f"fold_{i % 2}" for i in range(len(cut))]
    cut = cut.with_columns(official_split=official)
    with pytest.raises(SplitError, match=r"official folds cut 12 of 12 groups .*as-published"):
        make_split(cut, plan, seed=0, edition=LEAK_FREE)
    assert len(make_split(cut, plan, seed=0, edition=AS_PUBLISHED).folds) == 2


def numbered(run: int = 10, images: int = 50) -> Manifest:
    """File numbers in runs, as on Taleghani; zero-padding must not matter."""
    return manifest(
        [
            {"image": f"WBC-{label}-{i}.jpg", "label": label, "group": f"{label}{i // run}"}
            for label in ("blast", "normal")
            for i in range(1, images + 1)
        ]
    )


def numbers_in(keys: tuple[str, ...], label: str) -> list[int]:
    return sorted(int(k.rsplit("-", 1)[1][:-4]) for k in keys if label in k)


def test_forward_tests_the_last_numbers_of_each_class() -> None:
    data = numbered()
    plan = SplitPlan(kind="forward", test=0.2, validation=0.2)
    (fold,) = make_split(data, plan, seed=0, edition=LEAK_FREE).folds
    for label in ("blast", "normal"):
        # Runs are 1-9, 10-19, …, 40-49, 50: the borders 41 and 31 lie inside of runs.
        assert numbers_in(fold.test, label) == list(range(40, 51))
        assert numbers_in(fold.validation, label) == list(range(30, 40))
        assert numbers_in(fold.train, label) == list(range(1, 30))
    (fold,) = make_split(data, plan, seed=0, edition=AS_PUBLISHED).folds
    assert numbers_in(fold.test, "blast") == list(range(41, 51))
    assert numbers_in(fold.validation, "blast") == list(range(31, 41))


def test_forward_always_has_something_to_test_and_to_train() -> None:
    (fold,) = make_split(
        numbered(run=30), SplitPlan(kind="forward", test=0.1), seed=0, edition=LEAK_FREE
    ).folds
    assert numbers_in(fold.test, "blast") == list(range(30, 51))
    with pytest.raises(SplitError, match=r"class 'blast' has 1 of the 2 groups .* forward"):
        make_split(numbered(run=100), SplitPlan(kind="forward"), seed=0, edition=LEAK_FREE)


def test_forward_needs_numbers() -> None:
    data = subjects({"b": {"blast": 2}, "n": {"normal": 2}})
    data = data.with_columns(image=["a1.png", "b2.png", "c3.png", "last.png"])
    with pytest.raises(SplitError, match=r"'last\.png' has none"):
        make_split(data, SplitPlan(kind="forward"), seed=0, edition=LEAK_FREE)


# --- refusals that all kinds share


@pytest.mark.parametrize(
    ("data", "plan", "edition", "message"),
    [
        (
            subjects({f"s{i}": {"blast": 3} for i in range(5)}),
            SplitPlan(),
            LEAK_FREE,
            r"found only class 'blast' among 15 rows",
        ),
        (
            subjects({"s": {"": 3}}),
            SplitPlan(),
            LEAK_FREE,
            r"found no labelled row among 3 rows",
        ),
        (
            subjects({"s": {"blast": 3, "normal": 4}}),
            SplitPlan(),
            LEAK_FREE,
            r"all 7 rows are one group \('s'\)",
        ),
        (
            subjects({"b0": {"blast": 3}, "b1": {"blast": 3}, "n0": {"normal": 4}}),
            SplitPlan(kind="holdout"),
            LEAK_FREE,
            r"class 'normal' has 1 of the 2 groups .*\(groups of each class: blast 2, normal 1\)"
            r"\. Add subjects of it, or leave",
        ),
        (
            balanced(3),
            SplitPlan(kind="kfold", folds=5),
            LEAK_FREE,
            r"class 'blast' has 3 of the 5 groups that 5 folds need \(groups of each class: "
            r"blast 3, normal 3\)\. Ask for at most 3 folds, or add subjects",
        ),
        (
            subjects({f"s{i}": {"blast": 1, "normal": i == 0} for i in range(6)}),
            SplitPlan(kind="kfold", folds=2),
            AS_PUBLISHED,
            r"class 'normal' has 1 of the 2 images",
        ),
        (
            subjects({"s0": {"blast": 2, "normal": 2}, "s1": {"blast": 100}, "s2": {"normal": 99}}),
            SplitPlan(kind="image", test=0.001),
            AS_PUBLISHED,
            r"comes to lie on 1 of 2 sides: it has 10[12] images and the share",
        ),
        (
            subjects({"s0": {"blast": 2, "normal": 2}, "s1": {"blast": 1}}),
            SplitPlan(kind="image", test=0.5, validation=0.4),
            AS_PUBLISHED,
            r"5 images leave nothing to train on after 3 for test and 2 for validation",
        ),
        (
            balanced(),
            SplitPlan(kind="image"),
            LEAK_FREE,
            r"'image' divides single images and cuts groups",
        ),
        (balanced(), SplitPlan(kind="given"), LEAK_FREE, r"read from a file .* set split\.file"),
        (
            balanced(),
            SplitPlan(kind="lodo", repeats=2),
            LEAK_FREE,
            r"kind 'lodo' has one answer, so 2 repeats",
        ),
        (
            manifest([{"image": "a.png"}, {"image": "b.png", "label": "normal"}]),
            SplitPlan(),
            LEAK_FREE,
            r"2 of 2 rows have no group \(the first: 'a\.png'\)",
        ),
    ],
)
def test_refusals(data: Manifest, plan: SplitPlan, edition: Any, message: str) -> None:
    with pytest.raises(SplitError, match=message):
        make_split(data, plan, seed=0, edition=edition)


def test_mixed_groups_that_cannot_be_spread_are_refused() -> None:
    data = subjects({"x": {"a": 2, "b": 2}, "y": {"a": 2, "c": 2}, "z": {"b": 2, "c": 2}})
    with pytest.raises(SplitError, match=r"comes to lie on 1 of 2 sides: its 2 groups also hold"):
        make_split(data, SplitPlan(kind="kfold", folds=2), seed=0, edition=LEAK_FREE)


# --- saved, reloaded, verified


def altered(split: Split, **changes: Any) -> Split:
    first = split.folds[0].model_copy(update=changes)
    return split.model_copy(update={"folds": (first, *split.folds[1:])})


def test_a_split_survives_its_file_and_fits_its_manifest(tmp_path: Path) -> None:
    data = balanced()
    split = make_split(data, SplitPlan(folds=3), seed=0, edition=LEAK_FREE)
    write_split(split, tmp_path / "split.json")
    again = read_split(tmp_path / "split.json")
    assert again == split
    verify_split(data, again)
    assert (again.groups, again.unit, again.edition) == ("published", "group", "leak-free")
    inferred = data.with_columns(group_source=["inferred"] * len(data))
    assert make_split(inferred, SplitPlan(folds=3), seed=0, edition=LEAK_FREE).groups == "inferred"


def test_verification_refuses_another_manifest() -> None:
    data = balanced()
    split = make_split(data, SplitPlan(folds=3), seed=0, edition=LEAK_FREE)
    other = data.with_columns(label=["blast"] * len(data))
    with pytest.raises(SplitError, match=r"made of another manifest .*rows, labels or groups"):
        verify_split(other, split)


def test_verification_refuses_unknown_doubled_and_missing_rows() -> None:
    data = balanced()
    split = make_split(data, SplitPlan(folds=3), seed=0, edition=LEAK_FREE)
    fold = split.folds[0]
    with pytest.raises(SplitError, match=r"row 'ghost\.png' is not in the manifest"):
        verify_split(data, altered(split, test=(*fold.test, "ghost.png")))
    with pytest.raises(SplitError, match=r"stands in train and in test; each row stands once"):
        verify_split(data, altered(split, test=(*fold.test, fold.train[0])))
    with pytest.raises(SplitError, match=r"stands in train and in train"):
        verify_split(data, altered(split, train=(*fold.train, fold.train[0])))
    for part in ("train", "test"):
        with pytest.raises(SplitError, match=f"fold-0: nothing to {part} on"):
            verify_split(data, altered(split, **{part: ()}))


def test_verification_refuses_a_cut_group_unless_as_published() -> None:
    data = balanced()
    split = make_split(data, SplitPlan(folds=3), seed=0, edition=LEAK_FREE)
    fold = split.folds[0]
    moved = altered(split, train=(*fold.train, fold.test[0]), test=fold.test[1:])
    with pytest.raises(SplitError, match=r"group 'b\d' lies in train and test \(1 such groups\)"):
        verify_split(data, moved)
    verify_split(data, moved.model_copy(update={"edition": "as-published"}))
    with pytest.raises(SplitError, match="unit is single images"):
        verify_split(data, split.model_copy(update={"unit": "image"}))


def test_verification_looks_at_subjects_too() -> None:
    """A manifest whose groups were written by hand may separate what one subject joins."""
    data = balanced()
    data = data.with_columns(group=list(data.keys))
    with pytest.raises(SplitError, match=r"subject 'b\d' lies in"):
        make_split(data, SplitPlan(folds=3), seed=0, edition=LEAK_FREE)


def test_verification_refuses_copies_outside_of_training() -> None:
    rows = [
        {"image": f"{label}{i}.png", "label": label, "group": f"{label}{i}"}
        for label in ("blast", "normal")
        for i in range(4)
    ]
    rows.append(rows[0] | {"image": "copy.png", "parent": "blast0.png"})
    data = manifest(rows)
    split = make_split(data, SplitPlan(folds=2, validation=0), seed=0, edition=LEAK_FREE)
    tests = next(i for i, fold in enumerate(split.folds) if "blast0.png" in fold.test)
    split = split.model_copy(update={"folds": (split.folds[tests],)})
    fold = split.folds[0]
    with pytest.raises(SplitError, match=r"'copy\.png' is an augmented copy and lies in test"):
        verify_split(data, altered(split, test=(*fold.test, "copy.png")))
    apart = data.with_columns(group=["other" if p else g for p, g in zip(
        data.column("parent"), data.column("group"), strict=True)])  # fmt: skip
    leaking = altered(split, train=(*fold.train, "copy.png"))
    leaking = leaking.model_copy(update={"manifest_sha256": apart.sha256})
    with pytest.raises(SplitError, match=r"is a copy of 'blast0\.png', which lies in test"):
        verify_split(apart, leaking)
