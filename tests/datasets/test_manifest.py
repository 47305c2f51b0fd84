"""The manifest: round trips, row keys, hashes, and every sentence it can refuse with."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukoscope.datasets import (
    COLUMNS,
    DatasetCard,
    Manifest,
    join,
    manifest_from_rows,
    read_manifest,
    write_card,
    write_manifest,
)
from leukoscope.datasets.manifest import BOX_COLUMNS
from leukoscope.errors import ManifestError, MissingExtraError, StorageError
from leukoscope.tables import is_missing

CARD = DatasetCard(name="toy", classes={"blast": "blast", "normal": "normal"})
TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12
)
PART = TEXT.filter(lambda part: "/" not in part and "\\" not in part).filter(
    lambda part: part.strip(".") and ":" not in part[:2] and part.lower() != "nan"
)
NAME = TEXT.filter(lambda name: not is_missing(name))
IMAGE = st.lists(PART, min_size=1, max_size=3).map("/".join)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    images = draw(st.lists(IMAGE, min_size=1, max_size=8, unique=True))
    made = []
    for image in images:
        row: dict[str, object] = {"image": image, "label": draw(st.sampled_from(["blast", ""]))}
        for column in ("site", "source_label", "official_split"):
            row[column] = draw(st.one_of(st.just(""), TEXT))
        row["subject"], group = (draw(st.one_of(st.just(""), NAME)) for _ in range(2))
        row |= {"group": group, "group_source": "inferred" if group else ""}
        if draw(st.booleans()):
            x0, y0 = draw(st.integers(0, 5000)), draw(st.integers(0, 5000))
            row |= {"x0": x0, "y0": y0, "x1": x0 + draw(st.integers(1, 99)), "y1": y0 + 1}
        made.append(row)
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=rows(), kind=st.sampled_from([".csv", ".parquet"]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], kind: str
) -> None:
    if kind == ".parquet":
        pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("trip")
    manifest = manifest_from_rows(rows, CARD, folder)
    write_manifest(manifest, folder / f"m{kind}")
    again = read_manifest(folder / f"m{kind}")
    pd.testing.assert_frame_equal(again.table, manifest.table)
    assert again.card == manifest.card
    assert again.sha256 == manifest.sha256
    assert again.folder == folder


@settings(max_examples=40, deadline=None)
@given(rows=rows(), order=st.randoms(use_true_random=False))
def test_order_of_listing_never_matters(rows: list[dict[str, object]], order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (manifest_from_rows(r, CARD, Path()) for r in (rows, shuffled))
    assert one.keys == two.keys
    assert one.sha256 == two.sha256


def test_row_keys_boxes_and_paths() -> None:
    manifest = manifest_from_rows(
        [
            {"image": "b.png", "label": "blast", "x0": 1, "y0": 2, "x1": 30, "y1": 40},
            {"image": "a.png", "label": "normal"},
        ],
        CARD,
        Path("/data"),
    )
    assert manifest.keys == ("a.png", "b.png#1,2,30,40")
    assert manifest.boxes == (None, (1, 2, 30, 40))
    assert manifest.path(1) == Path("/data/b.png")
    assert len(manifest) == 2
    assert list(manifest.table.columns) == list(COLUMNS)
    assert list(manifest.column("dataset")) == ["toy", "toy"]
    assert all(str(manifest.table[column].dtype) == "Int64" for column in BOX_COLUMNS)


def test_binary_labels_are_the_cards() -> None:
    card = DatasetCard(name="t", classes={"early": "blast", "benign": "normal", "platelet": ""})
    made = [{"image": f"{label}.png", "label": label} for label in (*card.classes, "")]
    manifest = manifest_from_rows(made, card, Path())
    found = dict(zip(manifest.column("label"), manifest.binary_labels(), strict=True))
    assert found == {"early": "blast", "benign": "normal", "platelet": "", "": ""}


def test_hash_depends_on_what_a_split_depends_on() -> None:
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, Path())
    for column in ("label", "subject", "group", "parent", "dataset", "official_split"):
        assert manifest.with_columns(**{column: ["other"]}).sha256 != manifest.sha256
    for column in ("sha256", "site", "source_label"):
        assert manifest.with_columns(**{column: ["other"]}).sha256 == manifest.sha256


def test_copies_leave_the_original_alone() -> None:
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, Path())
    other = manifest.with_columns(subject=["toy:1"]).with_card(licence="CC0")
    assert manifest.column("subject")[0] == ""
    assert manifest.card.licence == "unknown"
    assert (other.column("subject")[0], other.card.licence) == ("toy:1", "CC0")


def test_empty_manifest_is_a_manifest() -> None:
    manifest = manifest_from_rows([], CARD, Path())
    assert len(manifest) == 0
    assert manifest.keys == manifest.boxes == ()


def read(tmp_path: Path, text: str | bytes, card: DatasetCard | None = None) -> Manifest:
    path = tmp_path / "m.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if card is not None:
        write_card(card, tmp_path / "m.toml")
    return read_manifest(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty; a CSV file with commas"),
        ("image,labell\na.png,blast\n", "unknown column 'labell'. Did you mean 'label'?"),
        (
            "image\na.png\n",
            "column 'label' is missing; found image. A CSV with columns of",
        ),
        ("label\nblast\n", "column 'image' is missing"),
        ("image,label,label\na.png,x,x\n", "the header names column 'label' twice"),
        ("image,label\na.png\n", "row 2: 1 values, but the header names 2"),
        ("image,label\n,blast\n", "row 2: image '' is empty"),
        ("image,label\nNaN,blast\n", "row 2: image 'NaN' is empty"),
        ("image,label\n/etc/a.png,blast\n", "row 2: image '/etc/a.png' is an absolute path"),
        ("image,label\na.png,x\n../a.png,x\n", "row 3: image '../a.png' leads outside"),
        ("image,label\na/../../b.png,x\n", "leads outside; paths are relative to the manifest"),
        ("image,label\nC:/a.png,x\n", "row 2: image 'C:/a.png' is a Windows path"),
        ("image,label\nimg\\a.png,x\n", r"row 2: image 'img\\a.png' is a Windows path"),
        ("image,label\na\0.png,x\n", "holds a NUL character"),
        ("image,label,subject\na.png,blast,NA\n", "row 2: subject is 'NA', which would tie all"),
        ("image,label,subject\na.png,blast,d:nan\n", "leave the cell empty where no subject is"),
        ("image,label,parent\na.png,blast,None\n", "row 2: parent is 'None'"),
        ("image,label,group,group_source\na.png,blast,null,inferred\n", "row 2: group is 'null'"),
        ("image,label\na.png,nan\n", "row 2: label is 'nan'; leave the cell empty"),
        ("image,label\na.png,x\na.png,y\n", "row 3 repeats row 2 ('a.png'); 1 such rows. Each"),
        ("image,label\na.png,x\n./a.png,y\n", "row 3 repeats row 2 ('a.png')"),
        ("image,label,x0\na.png,x,1.5\n", "row 2: x0 is '1.5'; a whole number of pixels"),
        ("image,label,x0\na.png,x,NaN\n", "row 2: x0 is 'NaN'; a whole number of pixels"),
        ("image,label,x0\na.png,x,inf\n", "row 2: x0 is 'inf'; a whole number of pixels"),
        ("image,label,x0\na.png,x,1e300\n", "row 2: x0 is '1e300'; a whole number of pixels"),
        ("image,label,x0,y0,x1,y1\na.png,x,1,2,,\n", "box (1, 2, nothing, nothing) is no box"),
        ("image,label,x0,y0,x1,y1\na.png,x,5,2,5,9\n", "row 2: box (5, 2, 5, 9) is no box"),
        ("image,label,x0,y0,x1,y1\na.png,x,-1,2,5,9\n", "row 2: box (-1, 2, 5, 9) is no box"),
        ("image,label,group\na.png,x,g\n", "a group has a source (published or inferred)"),
        ("image,label,group,group_source\na.png,x,,inferred\n", "found group '' from 'inferred'"),
        ("image,label,group,group_source\na.png,x,g,guessed\n", "group_source is 'guessed'"),
        (b"image,label\na.png,\xff\n", "cannot be read as a CSV file in UTF-8"),
        ("image,label\na.png," + "x" * 200_000 + "\n", "cannot be read as a CSV file in UTF-8"),
    ],
)
def test_refusals_name_file_row_and_remedy(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "m.csv"))
    assert sentence in str(caught.value)


def test_a_label_that_the_card_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"row 3: class 'blasts' is not in the card. Did you"):
        read(tmp_path, "image,label\na.png,blast\nb.png,blasts\n", CARD)


def test_a_class_may_be_called_none_when_the_card_says_so(tmp_path: Path) -> None:
    card = DatasetCard(name="m", classes={"none": "normal"})
    assert read(tmp_path, "image,label\na.png,none\n", card).column("label")[0] == "none"


def test_no_such_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"there is no such manifest. Make one: leukoscope"):
        read_manifest(tmp_path / "none.csv")


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    text = (
        b"\xef\xbb\xbfimage,label,x0,y0,x1,y1\r\n./a//b.png,blast,1,2.0,3,4\r\n\r\nc d.png,,,,,\r\n"
    )
    manifest = read(tmp_path, text)
    assert manifest.keys == ("a/b.png#1,2,3,4", "c d.png")
    assert manifest.card.classes == {"blast": "blast"}
    assert manifest.card.name == "m"
    assert list(manifest.column("dataset")) == ["m", "m"]


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Writing a Parquet manifest .*\[parquet\]"):
        write_manifest(manifest, tmp_path / "m.parquet")

    def without(path: Path) -> pd.DataFrame:
        raise ImportError

    (tmp_path / "m.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pd, "read_parquet", without)
    with pytest.raises(MissingExtraError, match="Reading a Parquet manifest"):
        read_manifest(tmp_path / "m.parquet")


def test_broken_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "m.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(ManifestError, match="cannot be read as Parquet"):
        read_manifest(tmp_path / "m.parquet")


def test_writing_elsewhere_keeps_images_within_reach(tmp_path: Path) -> None:
    images = tmp_path / "disk" / "set"
    images.mkdir(parents=True)
    (images / "a.png").write_bytes(b"x")
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, images)
    for place in (images, images.parent, tmp_path, tmp_path / "elsewhere"):
        write_manifest(manifest, place / "m.csv")
        again = read_manifest(place / "m.csv")
        assert again.path(0).read_bytes() == b"x"
    assert again.column("image")[0] == "a.png"
    assert read_manifest(tmp_path / "m.csv").column("image")[0] == "disk/set/a.png"


def test_parents_move_with_their_images(tmp_path: Path) -> None:
    made = [
        {"image": "a.png", "label": "blast"},
        {"image": "copies/a~001.png", "label": "blast", "parent": "a.png"},
    ]
    write_manifest(manifest_from_rows(made, CARD, tmp_path / "set"), tmp_path / "m.csv")
    again = read_manifest(tmp_path / "m.csv")
    assert again.keys == ("set/a.png", "set/copies/a~001.png")
    assert again.column("parent")[1] == "set/a.png"


def test_a_full_disk_leaves_the_old_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, tmp_path)
    write_manifest(manifest, tmp_path / "m.csv")
    before = (tmp_path / "m.csv").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_manifest(manifest.with_columns(subject=["new"]), tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_bytes() == before
    assert not list(tmp_path.glob(".*.tmp"))


def test_what_is_no_manifest_is_not_replaced(tmp_path: Path) -> None:
    manifest = manifest_from_rows([{"image": "a.png", "label": "blast"}], CARD, tmp_path)
    (tmp_path / "mine.toml").write_text("[model]\nname = 'cnn-3'\n")
    with pytest.raises(ManifestError, match=r"mine\.toml: is no data set card, .* another name"):
        write_manifest(manifest, tmp_path / "mine.csv")
    (tmp_path / "predictions.csv").write_text("image,label,p_blast,p_normal\n")
    with pytest.raises(ManifestError, match=r"predictions\.csv: is there and has no card"):
        write_manifest(manifest, tmp_path / "predictions.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.toml", "predictions.csv"}
    assert (tmp_path / "mine.toml").read_text().startswith("[model]")
    for _ in range(2):  # a manifest of ours is
        write_manifest(manifest, tmp_path / "m.csv")


def test_join_keeps_sets_apart(tmp_path: Path) -> None:
    one = manifest_from_rows(
        [
            {"image": "a.png", "label": "blast", "subject": "1", "group": "g"}
            | {"group_source": "inferred"}
        ],
        DatasetCard(name="one", classes={"blast": "blast"}, licence="CC0"),
        tmp_path / "one",
    )
    two = manifest_from_rows(
        [
            {"image": "a.png", "label": "early", "subject": "two:1", "parent": ""},
            {"image": "b.png", "label": "early", "subject": "two:1", "parent": "a.png"},
        ],
        DatasetCard(name="two", classes={"early": "blast"}, rendered=True, notes=("drawn",)),
        tmp_path / "two",
    )
    both = join([one, two], "both")
    assert both.keys == ("one/a.png", "two/a.png", "two/b.png")
    assert list(both.column("subject")) == ["one:1", "two:1", "two:1"]
    assert list(both.column("group")) == ["one:g", "", ""]
    assert list(both.column("dataset")) == ["one", "two", "two"]
    assert list(both.column("parent")) == ["", "", "two/a.png"]
    assert both.folder == tmp_path
    assert both.card.classes == {"blast": "blast", "early": "blast"}
    assert both.card.rendered
    assert both.card.notes == ("two: drawn",)
    assert "one: CC0" in both.card.licence


def test_join_of_allidb_keeps_crops_with_their_fields(tmp_path: Path) -> None:
    made = [
        manifest_from_rows(
            [
                {"image": "Im001_1", "label": "blast", "group": "allidb:Im001_1"}
                | {"group_source": "inferred"}
            ],
            DatasetCard(name=name, classes={"blast": "blast"}),
            tmp_path / name,
        )
        for name in ("allidb1", "allidb2")
    ]
    assert set(join(made).column("group")) == {"allidb:Im001_1"}


def test_join_refuses_a_class_with_two_meanings() -> None:
    cards = [
        DatasetCard(name=name, classes={"early": meaning})
        for name, meaning in (("a", "blast"), ("b", ""))
    ]
    made = [manifest_from_rows([{"image": "a", "label": "early"}], c, Path("/d")) for c in cards]
    with pytest.raises(ManifestError, match="'early' means 'blast' in one set and '' in b"):
        join(made)
    with pytest.raises(ManifestError, match="at least one manifest"):
        join([])


def test_large_tables_are_quick(tmp_path: Path) -> None:
    made = [{"image": f"{n:06d}.png", "label": "blast"} for n in range(12_000)]
    manifest = manifest_from_rows(made, CARD, tmp_path)
    write_manifest(manifest, tmp_path / "m.csv")
    again = read_manifest(tmp_path / "m.csv")
    assert again.sha256 == manifest.sha256
    assert np.array_equal(again.column("image"), manifest.column("image"))
