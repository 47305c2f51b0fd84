"""Groups: what no split may cut, whatever the order of rows, and however often it is asked."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leukoscope import api
from leukoscope.datasets import (
    DatasetCard,
    Manifest,
    manifest_from_rows,
    read_manifest,
    write_manifest,
)
from leukoscope.errors import ManifestError
from leukoscope.progress import Progress
from leukoscope.records.experiment import SplitPlan
from leukoscope.splits.grouping import group, join_near_identical, open_grouped
from leukoscope.splits.splitting import verify_split

CARD = DatasetCard(name="cells")


def table(*rows: dict[str, str], folder: Path = Path("/nowhere")) -> Manifest:
    filled = [{"image": f"{number}.png", "label": "", **row} for number, row in enumerate(rows)]
    return manifest_from_rows(filled, CARD, folder)


def groups(manifest: Manifest) -> dict[str, str]:
    return dict(zip(manifest.keys, manifest.column("group"), strict=True))


few = st.sampled_from(["", "", "s1", "s2", "s3"])
rows_of_any_kind = st.lists(
    st.fixed_dictionaries(
        {
            "subject": few,
            "pixels_sha256": st.sampled_from(["", "", "p1", "p2"]),
            "sha256": st.sampled_from(["", "f1", "f2"]),
            "group": st.sampled_from(["", "g1", "g2"]),
            "parent": st.sampled_from(["", "", "0.png", "3.png", "gone.png"]),
        }
    ),
    min_size=1,
    max_size=12,
)


def of_any_kind(rows: list[dict[str, str]]) -> Manifest:
    sources = ({**row, "group_source": "inferred" if row["group"] else ""} for row in rows)
    return table(*sources)


@given(rows_of_any_kind)
def test_rows_that_share_anything_share_their_group(rows: list[dict[str, str]]) -> None:
    before = of_any_kind(rows)
    after = group(before, duplicates=False)
    for column in ("subject", "pixels_sha256", "sha256", "group", "parent"):
        met = defaultdict(set)
        for value, name in zip(before.column(column), after.column("group"), strict=True):
            if value:
                met[value].add(name)
        assert all(len(names) == 1 for names in met.values()), column
    named = groups(after)
    for key, parent in zip(after.keys, after.column("parent"), strict=True):
        if parent in named:
            assert named[key] == named[parent]


@given(rows_of_any_kind)
def test_rows_that_share_nothing_are_kept_apart(rows: list[dict[str, str]]) -> None:
    """The components are those of scipy's graph of the same ties."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    before = of_any_kind(rows)
    after = group(before, duplicates=False)
    keys = {key: row for row, key in enumerate(before.keys)}
    ties = []
    for i in range(len(before)):
        for j in range(len(before)):
            same = any(
                before.column(column)[i] and before.column(column)[i] == before.column(column)[j]
                for column in ("subject", "pixels_sha256", "sha256", "group", "parent")
            )
            if same or keys.get(before.column("parent")[i]) == j:
                ties.append((i, j))
    i, j = np.array(ties).reshape(-1, 2).T
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(len(before), len(before)))
    expected, _ = connected_components(graph, directed=False)
    assert len(set(after.column("group"))) == expected


@given(rows_of_any_kind)
def test_grouping_twice_changes_nothing(rows: list[dict[str, str]]) -> None:
    once = group(of_any_kind(rows), duplicates=False)
    twice = group(once, duplicates=False)
    assert once.table.equals(twice.table)
    assert once.card == twice.card


@given(rows_of_any_kind, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[dict[str, str]], random: object) -> None:
    manifest = of_any_kind(rows)
    order = list(range(len(manifest)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = manifest.with_table(manifest.table.iloc[order])
    assert groups(group(shuffled, duplicates=False)) == groups(group(manifest, duplicates=False))


@given(rows_of_any_kind)
def test_a_group_is_published_only_where_every_row_has_a_subject(
    rows: list[dict[str, str]],
) -> None:
    after = group(of_any_kind(rows), duplicates=False)
    for name in set(after.column("group")):
        members = after.column("group") == name
        sources = set(after.column("group_source")[members])
        known = bool((after.column("subject")[members] != "").all())
        assert sources == {"published" if known else "inferred"}


def test_a_group_is_named_after_its_smallest_subject_then_the_readers_group_then_its_key() -> None:
    named = group(
        table(
            {"subject": "d:p2", "sha256": "f"},
            {"subject": "d:p1", "sha256": "f"},
            {"group": "d:field-9", "group_source": "inferred"},
            {},
        ),
        duplicates=False,
    )
    assert list(named.column("group")) == ["d:p1", "d:p1", "d:field-9", "3.png"]
    sources = ["published", "published", "inferred", "inferred"]
    assert list(named.column("group_source")) == sources


def test_a_group_that_came_published_stays_published() -> None:
    rows = [{"group": "slide 4", "group_source": "published"}] * 2
    assert set(group(table(*rows), duplicates=False).column("group_source")) == {"published"}


def test_cells_of_one_field_are_one_group() -> None:
    boxes = [{"image": "f.jpg", "x0": x, "y0": 0, "x1": x + 5, "y1": 5} for x in (0, 9, 20)]
    rows = [*boxes, {"image": "g.jpg"}]
    named = group(table(*rows), duplicates=False)  # type: ignore[arg-type]
    assert list(named.column("group")) == ["f.jpg#0,0,5,5"] * 3 + ["g.jpg"]


def test_the_card_says_how_groups_were_made() -> None:
    some = group(table({"subject": "d:p1"}, {}), duplicates=False).card
    assert some.groups_inferred
    assert "For 1 of 2 images no subject is published" in some.group_note
    all_known = group(table({"subject": "d:p1"}, {"subject": "d:p2"}), duplicates=False).card
    assert not all_known.groups_inferred
    assert all_known.group_note == ""
    absent = group(table({}, {})).card
    assert "2 images were not at hand and could not be compared" in absent.group_note
    own = table({}).with_card(group_note="Runs of twenty numbers.")
    assert group(own, duplicates=False).card.group_note == "Runs of twenty numbers."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four textures in class folders, one of them twice, mirrored, in the other class."""
    rng = np.random.default_rng(0)
    for number in range(4):
        coarse = rng.integers(30, 220, (24, 24, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((120, 120), Image.Resampling.BICUBIC)
        place = tmp_path / "set" / ("blast" if number < 2 else "normal")
        place.mkdir(parents=True, exist_ok=True)
        picture.save(place / f"{number}.png")
        if number == 0:
            (tmp_path / "set" / "normal").mkdir(parents=True)
            mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mirrored.save(tmp_path / "set" / "normal" / "again.png")
    (tmp_path / "set" / "normal" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "set"


def test_a_folder_is_read_and_grouped(folder: Path) -> None:
    manifest, failures = open_grouped(folder)
    named = groups(manifest)
    assert named["blast/0.png"] == named["normal/again.png"] == "blast/0.png"
    assert len(set(named.values())) == 4
    assert [image for image, _ in failures] == ["normal/broken.png"]


def test_a_manifest_is_opened_and_its_groups_filled(folder: Path) -> None:
    manifest, _ = open_grouped(folder)
    empty = [""] * len(manifest)
    write_manifest(manifest.with_columns(group=empty, group_source=empty), folder / "bare.csv")
    opened, failures = open_grouped(folder / "bare.csv")
    assert groups(opened) == groups(manifest)
    assert failures == ()


def test_a_manifest_with_groups_is_not_compared_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, _ = open_grouped(folder)
    write_manifest(manifest, folder / "whole.csv")

    def never(*_: object) -> None:
        raise AssertionError("pixels were compared")

    monkeypatch.setattr("leukoscope.splits.grouping.compare_once", never)
    assert groups(open_grouped(folder / "whole.csv")[0]) == groups(manifest)
    assert read_manifest(folder / "whole.csv").table.equals(
        open_grouped(folder / "whole.csv")[0].table
    )


def test_groups_that_are_there_are_kept_with_a_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, _ = open_grouped(folder)
    write_manifest(manifest, folder / "whole.csv")
    kept, _ = open_grouped(folder / "whole.csv", None, Progress(), duplicates=False)
    assert groups(kept) == groups(manifest)
    assert "the groups that whole.csv has are kept" in capsys.readouterr().err


def test_groups_that_look_alikes_tie_are_kept_together_where_it_is_asked(tmp_path: Path) -> None:
    """Subject 0's first image, mirrored, is subject 7's: two groups until their pixels are seen."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(16):
        pixels = rng.integers(20, 250, (48, 48, 3), dtype=np.uint8)
        twin = np.array(Image.open(tmp_path / "0.png"))[:, ::-1] if number == 7 else pixels
        Image.fromarray(np.ascontiguousarray(twin)).save(tmp_path / f"{number}.png")
        subject = f"cells:s{number}"
        rows.append({"subject": subject, "group": subject, "group_source": "published",
                     "label": "ab"[number % 2], "sha256": f"{number:064x}"})  # fmt: skip
    data = table(*rows, folder=tmp_path)
    joined, fewer = join_near_identical(data)
    assert (fewer, groups(joined)["7.png"]) == (1, "cells:s0")
    assert set(joined.column("group_source")) == {"published"}

    plan = SplitPlan(folds=2, validation=0)
    parted = set()
    for seed in range(8):
        split = api.split(data, plan=plan, seed=seed, join_duplicates=True)
        verify_split(data, split)  # of the manifest that the user has
        assert split.notes[-1] == (
            "groups that near-identical images tie were kept together (1 fewer): inferred from "
            "pixels"
        )
        fold = split.folds[0]
        assert ("0.png" in fold.test) == ("7.png" in fold.test)
        plain = api.split(data, plan=plan, seed=seed).folds[0].test
        parted.add(("0.png" in plain) == ("7.png" in plain))
    assert False in parted, "without being asked the twins are parted in some split"


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no such manifest"):
        open_grouped(tmp_path / "no.csv")


@pytest.mark.real
def test_the_73_subjects_of_cnmc_are_66_independent_groups(real_data: Path) -> None:
    """Identical images under two subjects join them; the hashes alone say so."""
    with (real_data / "cnmc" / "cnmc_train_sha256.csv").open() as file:
        rows = [
            {
                "image": f"fold_{row['fold']}/{row['label']}/{row['name']}",
                "subject": f"cnmc:{row['subject'].upper()}",
                "sha256": row["sha256"],
            }
            for row in csv.DictReader(file)
        ]
    manifest = group(table(*rows), duplicates=False)
    assert len(manifest) == 10_661
    assert len(set(manifest.column("subject"))) == 73
    assert len(set(manifest.column("group"))) == 66
    assert set(manifest.column("group_source")) == {"published"}


@pytest.mark.real
def test_crops_of_overlapping_fields_stay_together(real_data: Path) -> None:
    """ALL-IDB2: the fact table of fields, and the twins that pixels show, agree."""
    with (real_data / "allidb2" / "slides.csv").open() as file:
        fields = {row["crop"]: row["slide_group"] for row in csv.DictReader(file)}
    manifest, failures = open_grouped(real_data / "allidb2" / "img")
    assert failures == ()
    met = defaultdict(set)
    for image, name in groups(manifest).items():
        met[fields[Path(image).name]].add(name)
    assert all(len(names) == 1 for names in met.values())
    assert len(set(manifest.column("group"))) == len(met), "pixels join nothing across fields"
    assert set(manifest.column("group_source")) == {"inferred"}


def test_a_very_large_set_is_not_compared_by_pixels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Time grows with the square of the rows: above a limit only hashes join."""
    rows = [{"image": f"{number}.png", "label": "blast"} for number in range(4)]
    card = DatasetCard(name="large", classes={"blast": "blast"})
    manifest = manifest_from_rows(rows, card, tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("pixels were compared")

    monkeypatch.setattr("leukoscope.splits.grouping.compare_once", refuse)
    monkeypatch.setattr("leukoscope.splits.grouping.MOST_COMPARED", 3)
    grouped = group(manifest)
    assert "inferred from identical pixels" in grouped.card.group_note
