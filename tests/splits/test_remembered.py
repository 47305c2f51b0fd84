"""The comparison of pixels is made once, and a cache that fails is done without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows
from leukoscope.splits import remembered
from leukoscope.splits.duplicates import compare_pixels
from leukoscope.splits.remembered import compare_once


@pytest.fixture
def data(tmp_path: Path) -> Manifest:
    rng = np.random.default_rng(0)
    picture = rng.integers(20, 250, (96, 96, 3), dtype=np.uint8)
    for name, pixels in {"a": picture, "b": picture[::-1], "c": picture[:, :50]}.items():
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / f"{name}.png")
    rows = [{"image": f"{name}.png", "label": "blast", "sha256": name * 64} for name in "abc"]
    return manifest_from_rows(rows, DatasetCard(name="made"), tmp_path)


def never(*given: Any) -> Any:
    raise AssertionError("compared again")


def test_what_was_found_is_found_again(data: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compare_once(data)
    assert first == compare_pixels(data)
    assert [pair[:2] for pair in first.pairs] == [("a.png", "b.png")]
    monkeypatch.setattr(remembered, "compare_pixels", never)
    assert compare_once(data) == first
    with pytest.raises(AssertionError, match="compared again"):
        compare_once(data.with_columns(sha256=["d" * 64, "b" * 64, "c" * 64]))


def test_without_hashes_or_images_nothing_is_kept(
    data: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data.folder / "c.png").unlink()
    assert compare_once(data).skipped == ("c.png",)
    compare_once(data.with_columns(sha256=["", "", ""]))
    monkeypatch.setattr(remembered, "compare_pixels", never)
    for manifest in (data, data.with_columns(sha256=["", "", ""])):
        with pytest.raises(AssertionError):
            compare_once(manifest)


def test_a_cache_that_is_damaged_or_cannot_be_written(
    data: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare_once(data)
    (kept,) = (remembered.cache_folder() / "comparisons").iterdir()
    kept.write_text("{", encoding="utf-8")
    assert compare_once(data) == first
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "a.png"))
    assert compare_once(data) == first
