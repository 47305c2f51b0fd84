"""BCCD: VOC boxes become 0-based half-open rows; every box stays within reach."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.readers.bccd import Box, boxes
from leukoscope.datasets.reading import read_folder
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]


def annotate(folder: Path, name: str, *objects: tuple[str, int, int, int, int]) -> None:
    items = "".join(
        f"<object><name>{kind}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
        f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for kind, x0, y0, x1, y1 in objects
    )
    path = folder / "Annotations" / f"{name}.xml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"<annotation><filename>{name}.jpg</filename>{items}</annotation>")


@pytest.mark.parametrize("start", ["", "BCCD", "BCCD/JPEGImages"])
def test_boxes(tmp_path: Path, draw: Draw, start: str) -> None:
    draw(tmp_path / "BCCD", [f"JPEGImages/BloodImage_0000{n}.jpg" for n in range(3)])
    annotate(
        tmp_path / "BCCD",
        "BloodImage_00000",
        ("WBC", 1, 2, 5, 6),
        ("WBC", 3, 3, 10, 12),
        ("WBC", 3, 3, 10, 12),
        ("RBC", 1, 1, 4, 4),
        ("RBC", 7, 7, 7, 7),
        ("Platelets", 2, 2, 3, 3),
    )
    annotate(tmp_path / "BCCD", "BloodImage_00001", ("RBC", 1, 1, 4, 4))
    imported = read_folder(tmp_path / start)
    manifest = imported.manifest
    assert manifest.boxes == ((0, 1, 5, 6), (2, 2, 10, 12))
    assert set(manifest.column("group")) == {"bccd:BloodImage_00000"}
    assert set(manifest.column("label")) == {"wbc"}
    assert list(manifest.binary_labels()) == ["", ""]
    # Two cells of a field are two pictures: their pixels differ, the file is the same.
    assert len(set(manifest.column("sha256"))) == 1
    assert len(set(manifest.column("pixels_sha256"))) == 2
    image = str(manifest.column("image")[0])
    assert boxes(manifest.folder, image) == (
        Box("wbc", 0, 1, 5, 6),
        Box("wbc", 2, 2, 10, 12),
        Box("rbc", 0, 0, 4, 4),
        Box("platelet", 1, 1, 3, 3),
    )
    assert "Fields without a white-cell box, which have no row (1)" in manifest.card.notes[-1]
    # A field without annotation belongs to nobody; one without white cells belongs to the set.
    assert [Path(path).name for path in imported.passed_over] == ["BloodImage_00002.jpg"]


def test_a_box_outside_the_field_is_left_out(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["JPEGImages/a.jpg"])
    annotate(tmp_path, "a", ("WBC", 1, 1, 5, 6), ("WBC", 5, 5, 11, 9))
    imported = read_folder(tmp_path)
    assert imported.manifest.boxes == ((0, 0, 5, 6),)
    assert imported.failures == (
        ("JPEGImages/a.jpg#4,4,11,9", "the box does not lie in the image"),
    )


def test_broken_annotations(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["JPEGImages/a.jpg"])
    annotate(tmp_path, "a", ("Cell", 1, 1, 5, 6))
    with pytest.raises(ManifestError, match=r"cannot be read as VOC boxes .*expected object/name"):
        READERS["bccd"].read(tmp_path)
    (tmp_path / "Annotations/a.xml").write_text("<annotation><object><name>WBC</name></object>")
    with pytest.raises(ManifestError, match=r"a\.xml: cannot be read as VOC boxes"):
        READERS["bccd"].read(tmp_path)
    with pytest.raises(ManifestError, match=r"there is no annotation for JPEGImages/b\.jpg"):
        boxes(tmp_path, "JPEGImages/b.jpg")


@pytest.mark.real
def test_the_real_sample(real_data: Path) -> None:
    imported = read_folder(real_data / "bccd")
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    expected, kinds = set(), Counter[str]()
    for path in (real_data / "bccd/BCCD/Annotations").glob("*.xml"):
        for item in ElementTree.parse(path).iter("object"):
            sides = [int(side.text or "") for side in item.find("bndbox") or ()]
            kind = item.findtext("name")
            kinds[str(kind)] += 1
            if kind == "WBC":
                x0, y0, x1, y1 = sides
                image = f"BCCD/JPEGImages/{path.stem}.jpg"
                expected.add(f"{image}#{x0 - 1},{y0 - 1},{x1},{y1}")
    assert set(manifest.keys) == expected
    assert len(manifest) == kinds["WBC"] == 260
    fields = {path.name for path in (real_data / "bccd/BCCD/JPEGImages").iterdir()}
    reached = Counter(
        box.kind for name in fields for box in boxes(manifest.folder, f"BCCD/JPEGImages/{name}")
    )
    # Two red cells have no area; boxes that stand twice are counted once.
    assert reached["wbc"] == 260
    assert kinds["RBC"] - 20 < reached["rbc"] <= kinds["RBC"] - 2
