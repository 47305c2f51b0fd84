"""Near-identical images: found in the pixels, and across the parts of a split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.checks import run_checks
from leukoscope.datasets.manifest import Manifest, manifest_from_rows
from leukoscope.records.split import Fold, Split

Make = Callable[..., Manifest]


def cell(seed: int) -> Any:
    """A made-up cell with chromatin of its own, (120, 120, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :120] / 120 - 0.5
    grain = cv2.GaussianBlur(rng.normal(size=(120, 120)), (0, 0), 2.4)
    picture = np.full((120, 120, 3), 215.0)
    inside = np.hypot(x, y) < 0.3
    picture[inside] = (100 + 25 * grain / grain.std())[inside, None]
    return np.clip(picture + rng.normal(scale=2, size=picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def twins(tmp_path: Path, make: Make) -> Manifest:
    """Six cells; the first also mirrored and turned, in groups of their own."""
    pictures = {f"{n}.png": cell(n) for n in range(6)}
    pictures["mirrored.png"] = pictures["0.png"][:, ::-1]
    pictures["turned.png"] = np.rot90(pictures["0.png"])
    for name, picture in pictures.items():
        Image.fromarray(np.ascontiguousarray(picture)).save(tmp_path / name)
    return make(
        [{"image": name, "sha256": f"{n:064x}"} for n, name in enumerate(pictures)], tmp_path
    )


def split_of(data: Manifest, test: tuple[str, ...], edition: Any = "leak-free") -> Split:
    train = tuple(key for key in data.keys if key not in test)
    return Split(
        kind="given", edition=edition, unit="group", groups="published", seed=0,
        manifest_sha256=data.sha256, folds=(Fold(name="fold-0", train=train, test=test),),
    )  # fmt: skip


def test_turned_and_mirrored_images_are_found(twins: Manifest) -> None:
    (finding,) = run_checks(twins, only=["near-identical-images"])
    assert finding.severity == "warning"
    assert finding.evidence["pairs"] == 3
    assert finding.evidence["groups"] == [["0.png", "mirrored.png", "turned.png"]]
    assert all(0.9 < fit <= 1 for _, _, fit in finding.evidence["least_alike"])
    joined = twins.with_columns(group=["one"] * len(twins))
    (finding,) = run_checks(joined, only=["near-identical-images"])
    assert finding.severity == "note"
    assert "all within one group" in finding.summary


def test_they_are_found_across_the_parts_of_a_split(twins: Manifest) -> None:
    split = split_of(twins, ("turned.png", "5.png"))
    (finding,) = run_checks(twins, split=split, only=["near-identical-parts"])
    assert finding.severity == "error"
    assert finding.evidence["pairs"] == 2
    declared = split.model_copy(update={"edition": "as-published"})
    (finding,) = run_checks(twins, split=declared, only=["near-identical-parts"])
    assert finding.severity == "warning"
    together = split_of(twins, ("0.png", "mirrored.png", "turned.png"))
    assert run_checks(twins, split=together, only=["near-identical-parts"]) == ()


def test_a_twin_of_a_twin_counts(twins: Manifest) -> None:
    """Of identical rows one is compared; the other lies across the split."""
    row = {"image": "again.png", "sha256": "0" * 64, "group": "again", "label": "blast"}
    Image.fromarray(cell(0)).save(twins.folder / "again.png")
    table = [
        {"image": key, "sha256": sha, "group": key, "group_source": "published", "label": "blast"}
        for key, sha in zip(twins.keys, twins.column("sha256"), strict=True)
    ]
    more = manifest_from_rows(
        [*table, row | {"group_source": "published"}], twins.card, twins.folder
    )
    (finding,) = run_checks(
        more, split=split_of(more, ("again.png",)), only=["near-identical-parts"]
    )
    assert finding.evidence["pairs"] == 2  # with the mirrored and the turned one


def test_official_parts_are_looked_at_too(twins: Manifest) -> None:
    parts = ["test" if key == "turned.png" else "train" for key in twins.keys]
    data = twins.with_columns(official_split=parts)
    (finding,) = run_checks(data, only=["near-identical-parts"])
    assert (finding.severity, finding.evidence["split"]) == ("warning", "official")


def test_where_pixels_are_not_looked_at_nothing_is_claimed(twins: Manifest, make: Make) -> None:
    assert run_checks(twins, only=["near-identical-images"], pixels=False) == ()
    absent = make([{"image": "a.png"}, {"image": "b.png"}])
    assert run_checks(absent, only=["near-identical-images"]) == ()


def test_a_collection_that_was_augmented_before(tmp_path: Path, make: Make) -> None:
    """Every cell in three guises; the same cells alone are no finding."""
    rows = []
    for seed in range(4):
        picture = cell(seed)
        for turns in range(3):
            name = f"{seed}-{turns}.png"
            Image.fromarray(np.ascontiguousarray(np.rot90(picture, turns))).save(tmp_path / name)
            rows.append({"image": name})
    (finding,) = run_checks(make(rows, tmp_path), only=["copies-before-split"])
    assert finding.severity == "warning"
    assert finding.evidence["images"] == finding.evidence["of"] == 12
    assert run_checks(make(rows[::3], tmp_path), only=["copies-before-split"]) == ()


@pytest.mark.real
def test_natural_pairs_of_allidb2(real_data: Path) -> None:
    """Four crops of one cell in two fields, named in the project's brief (rows 134 to 245)."""
    from leukoscope.datasets.reading import read_folder

    numbers = ("134", "245", "135", "244", "170", "209", "171", "211", "001", "002", "140", "150")
    whole = read_folder(real_data / "allidb2" / "img", hash_pixels=False).manifest
    few = whole.with_table(whole.table[[image[2:5] in numbers for image in whole.column("image")]])
    (finding,) = run_checks(few, only=["near-identical-images"])
    found = {tuple(sorted(key[2:5] for key in rows)) for rows in finding.evidence["groups"]}
    pairs = {("134", "245"), ("135", "244"), ("170", "209"), ("171", "211")}
    at_hand = {image[2:5] for image in few.column("image")}
    assert found == {pair for pair in pairs if set(pair) <= at_hand}
    assert found
