"""Groups of real images are found once, and again where the images have changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets.manifest import read_manifest, write_manifest
from leukoscope.papers import grouped
from leukoscope.papers.grouped import open_kept
from leukoscope.progress import Progress
from leukoscope.splits.grouping import open_grouped

QUIET = Progress(quiet=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of four images; one stands in both, and one file is none."""
    rng = np.random.default_rng(0)
    for label in ("blast", "normal"):
        (tmp_path / "cells" / label).mkdir(parents=True)
        for number in range(4):
            pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "cells" / label / f"{number}.png")
    same = (tmp_path / "cells" / "blast" / "0.png").read_bytes()
    (tmp_path / "cells" / "normal" / "0.png").write_bytes(same)
    (tmp_path / "cells" / "normal" / "3.png").write_bytes(b"no image")
    _age(tmp_path / "cells")
    return tmp_path / "cells"


def _age(folder: Path, seconds: float = 60.0) -> None:
    then = time.time() - seconds
    for path in folder.rglob("*.png"):
        os.utime(path, (then, then))


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each time that images are compared. A change of status cannot be dated back."""
    monkeypatch.setattr(grouped, "RACY_NS", -(10**12))
    compared: list[Path] = []

    def counted(path: Path, *more: object) -> object:
        compared.append(path)
        return open_grouped(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(grouped, "open_grouped", counted)
    return compared


def test_what_was_grouped_is_read_back(folder: Path, tmp_path: Path, times: list[Path]) -> None:
    kept = tmp_path / "out" / "data" / "cnmc.csv"
    first, failures = open_kept(folder, kept, QUIET)
    again, failures_again = open_kept(folder, kept, QUIET)
    assert times == [folder]
    assert failures == failures_again
    assert [image for image, _ in failures] == ["normal/3.png"]
    assert again.table.equals(first.table)
    assert (again.sha256, again.card, again.folder) == (first.sha256, first.card, first.folder)
    assert again.path(0).is_file()
    groups = dict(zip(again.column("image"), again.column("group"), strict=True))
    assert groups["blast/0.png"] == groups["normal/0.png"] != groups["blast/1.png"]
    # What is kept is a manifest like any other.
    assert read_manifest(kept).path(0).is_file()


def test_changed_images_are_grouped_anew(folder: Path, tmp_path: Path, times: list[Path]) -> None:
    kept = tmp_path / "out" / "data" / "cnmc.csv"
    before, _ = open_kept(folder, kept, QUIET)
    (folder / "blast" / "1.png").write_bytes((folder / "blast" / "2.png").read_bytes())
    after, _ = open_kept(folder, kept, QUIET)
    assert len(times) == 2
    assert len(set(after.column("group"))) == len(set(before.column("group"))) - 1
    (folder / "normal" / "2.png").unlink()
    fewer, _ = open_kept(folder, kept, QUIET)
    assert (len(times), len(fewer)) == (3, len(after) - 1)
    # The same images elsewhere are others as well.
    open_kept(folder.rename(tmp_path / "moved"), kept, QUIET)
    assert len(times) == 4


def test_images_that_changed_just_now_are_not_believed(
    folder: Path, tmp_path: Path, times: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "RACY_NS", 10**15)
    kept = tmp_path / "out" / "data" / "cnmc.csv"
    for _ in range(2):
        open_kept(folder, kept, QUIET)
    assert len(times) == 2
    assert not kept.exists()


def test_a_manifest_of_other_labels_is_another(
    folder: Path, tmp_path: Path, times: list[Path]
) -> None:
    kept, given = tmp_path / "out" / "data" / "cnmc.csv", tmp_path / "given.csv"
    manifest, _ = open_grouped(folder, None, QUIET)
    empty = manifest.with_columns(group=[""] * len(manifest), group_source=[""] * len(manifest))
    write_manifest(empty, given)
    open_kept(given, kept, QUIET)
    open_kept(given, kept, QUIET)
    assert len(times) == 1
    given.write_text(given.read_text().replace("1.png,,,,,blast", "1.png,,,,,normal"))
    changed, _ = open_kept(given, kept, QUIET)
    assert len(times) == 2
    assert list(changed.column("label")).count("blast") == 3
