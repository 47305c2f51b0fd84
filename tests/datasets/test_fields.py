"""From which field a cell image was cut: by names, by facts, by boxes in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leukoscope.datasets import DatasetCard, manifest_from_rows
from leukoscope.datasets.fields import fields

CARD = DatasetCard(name="made", classes={"blast": "blast"})


def of(*rows: dict[str, Any]) -> list[str]:
    return fields(manifest_from_rows([{"label": "blast"} | row for row in rows], CARD, Path("/x")))


def test_cnmc_names_say_subject_and_image() -> None:
    names = ["UID_11_10_1_all.bmp", "UID_11_10_2_all.bmp", "UID_h3_2_1_hem.bmp", "1.bmp"]
    found = of(*({"image": f"fold_0/all/{name}", "dataset": "cnmc"} for name in names))
    assert sorted(found) == ["", "cnmc:11:10", "cnmc:11:10", "cnmc:H3:2"]
    # A rendered set is named in its namesake's layout.
    assert of({"image": f"a/{names[0]}", "dataset": "rendered-cnmc"}) == ["cnmc:11:10"]


def test_crops_of_allidb2_are_looked_up() -> None:
    assert of({"image": "Im001_1.tif", "dataset": "allidb2"}) == ["allidb1:Im001_1"]
    assert of({"image": "Im999_1.tif", "dataset": "allidb2"}) == [""]
    assert of({"image": "Im001_1.tif", "dataset": "rendered-allidb2"}) == [""]


def test_several_boxes_in_one_file_are_one_field() -> None:
    box = {"x0": 0, "y0": 0, "x1": 9, "y1": 9}
    assert of(
        {"image": "f.png"} | box, {"image": "f.png"} | box | {"x0": 5}, {"image": "g.png"}
    ) == [
        "f.png",
        "f.png",
        "",
    ]
