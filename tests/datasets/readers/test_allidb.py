"""ALL-IDB1 and ALL-IDB2: labels from names, centres, masks, and groups from shipped facts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from PIL import Image

from leukoscope.datasets import READERS, join
from leukoscope.datasets.facts import crop_fields
from leukoscope.datasets.readers.allidb1 import centres
from leukoscope.datasets.readers.allidb2 import crop_groups, mask_of
from leukoscope.datasets.reading import read_folder
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]
UNLISTED = "Im007_1"


def test_the_suffix_tells_fields_from_crops(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "one", ["im/Im001_1.jpg", "im/Im046_0.jpg", "im/other.jpg"])
    draw(tmp_path / "two", ["img/Im001_1.tif", "img/Im131_0.TIF", "masks/Im001_1.png"])
    for name, folder in (("allidb1", "one"), ("allidb2", "two")):
        imported = read_folder(tmp_path / folder)
        assert imported.recognised.startswith(name)
        assert list(imported.manifest.column("label")) == ["blast", "normal"]
        assert list(imported.manifest.column("source_label")) == ["1", "0"]
        assert set(imported.manifest.column("group_source")) == {"inferred"}
    assert read_folder(tmp_path / "one").passed_over == ("im/other.jpg",)
    assert read_folder(tmp_path / "two").passed_over == ()


def test_crops_join_their_fields(tmp_path: Path, draw: Draw) -> None:
    """Crops 43 and 40 lie on the fields 15 and 13, which overlap."""
    draw(tmp_path / "one", ["im/Im013_1.jpg", "im/Im015_1.jpg", "im/Im001_1.jpg"])
    draw(tmp_path / "two", ["img/Im040_1.tif", "img/Im043_1.tif", "img/Im001_1.tif"])
    both = join(
        [READERS[n].read(tmp_path / f) for n, f in (("allidb1", "one"), ("allidb2", "two"))]
    )
    groups: dict[str, set[str]] = {}
    for image, group in zip(both.column("image"), both.column("group"), strict=True):
        groups.setdefault(group, set()).add(image)
    assert sorted(map(sorted, groups.values())) == [
        ["one/im/Im001_1.jpg", "two/img/Im001_1.tif"],
        [
            "one/im/Im013_1.jpg",
            "one/im/Im015_1.jpg",
            "two/img/Im040_1.tif",
            "two/img/Im043_1.tif",
        ],
    ]


def test_listed_crops_have_the_tables_groups() -> None:
    names = sorted(crop_fields())
    assert crop_groups(names) == {name: crop_fields()[name]["slide_group"] for name in names}


def test_an_unlisted_crop_ties_its_neighbours() -> None:
    """Crop 7 is in no table; 6 lies on field 4 and 13 on field 6, so 7 is on one of 4, 5, 6."""
    assert UNLISTED not in crop_fields()
    groups = crop_groups(["Im006_1", UNLISTED, "Im013_1", "Im015_1", "Im004_1", "Im001_1"])
    assert groups["Im006_1"] == groups[UNLISTED] == groups["Im013_1"]
    assert groups["Im015_1"] not in (groups[UNLISTED], groups["Im001_1"])
    without = crop_groups(["Im006_1", "Im013_1"])
    assert without["Im006_1"] != without["Im013_1"]


def test_the_whole_set_never_parts_a_field_or_mixes_labels() -> None:
    names = [f"Im{n:03d}_{int(n <= 130)}" for n in range(1, 261)]
    groups = crop_groups(names)
    assert set(groups) == set(names)
    for name, facts in crop_fields().items():
        for other, others in crop_fields().items():
            if facts["slide_group"] == others["slide_group"]:
                assert groups[name] == groups[other]
    labels: dict[str, set[str]] = {}
    for name, group in groups.items():
        labels.setdefault(group, set()).add(name[-1])
    assert all(len(found) == 1 for found in labels.values())
    assert Counter(group[-1] for group in set(groups.values())) == {"1": 23, "0": 27}


def test_crops_beyond_the_last_listed_one() -> None:
    groups = crop_groups(["Im255_0", "Im256_0", "Im260_0"])
    assert len(set(groups.values())) == 1


def test_centres(tmp_path: Path) -> None:
    for folder in ("im", "xyc", "other_xyc"):
        (tmp_path / folder).mkdir()
    (tmp_path / "xyc/Im001_1.xyc").write_text("886\t726\n796\t653\n\n")
    (tmp_path / "xyc/Im046_0.xyc").write_text("\n")
    (tmp_path / "xyc/Im047_0.xyc").write_bytes(b"")
    (tmp_path / "other_xyc/Im001_1.xyc").write_text("1\t2\n")
    assert centres(tmp_path, "im/Im001_1.jpg") == ((886, 726), (796, 653))
    assert centres(tmp_path, "im/Im001_1.jpg", kind="other") == ((1, 2),)
    assert centres(tmp_path, "im/Im046_0.jpg") == centres(tmp_path, "im/Im047_0.jpg") == ()
    assert centres(tmp_path, "im/Im046_0.jpg", kind="other") == ()
    assert centres(tmp_path / "im", "Im001_1.jpg") == ((886, 726), (796, 653))
    with pytest.raises(ManifestError, match=r"there is no table of centres for im/Im002_1\.jpg"):
        centres(tmp_path, "im/Im002_1.jpg")
    (tmp_path / "xyc/Im002_1.xyc").write_text("1\t2\nx\t2\n")
    with pytest.raises(ManifestError, match=r"line 2: .*two whole numbers x and y were expected"):
        centres(tmp_path, "im/Im002_1.jpg")


@pytest.mark.real
def test_the_real_fields(real_data: Path) -> None:
    imported = read_folder(real_data / "allidb1")
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    assert Counter(manifest.column("label")) == {"blast": 11, "normal": 4}
    blasts = others = 0
    for row in range(len(manifest)):
        image = str(manifest.column("image")[row])
        with Image.open(manifest.path(row)) as opened:
            width, height = opened.size
        found = centres(manifest.folder, image)
        assert all(0 <= x < width and 0 <= y < height for x, y in found)
        assert bool(found) == (manifest.column("label")[row] == "blast")
        blasts += len(found)
        others += len(centres(manifest.folder, image, kind="other"))
    # Counted with: cat xyc/*.xyc | grep -c '[0-9]' (and the same for other_xyc).
    tables = {
        kind: sum(
            1
            for path in (real_data / "allidb1" / kind).iterdir()
            for line in path.read_text().splitlines()
            if line.strip()
        )
        for kind in ("xyc", "other_xyc")
    }
    assert (blasts, others) == (tables["xyc"], tables["other_xyc"])
    assert blasts > 100


@pytest.mark.real
def test_the_real_crops(real_data: Path) -> None:
    imported = read_folder(real_data / "allidb2")
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    assert Counter(manifest.column("label")) == {"blast": 84, "normal": 91}
    assert set(manifest.column("subject")) == {""}
    with (real_data / "allidb2" / "slides.csv").open() as file:
        published = {row["crop"]: row["slide_group"] for row in csv.DictReader(file)}
    for image, group in zip(manifest.column("image"), manifest.column("group"), strict=True):
        assert group == "allidb:" + published[Path(image).name]
        assert mask_of(manifest.folder, image) is not None
    assert len(set(manifest.column("group"))) == len(set(published.values())) == 68
    assert mask_of(manifest.folder, "img/Im999_1.tif") is None
    assert manifest.card.groups_inferred
