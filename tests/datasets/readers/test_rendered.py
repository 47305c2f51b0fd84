"""Drawn cells are never taken for real ones, and what is read is what was drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leukoscope.datasets import Manifest
from leukoscope.datasets.reading import read_folder
from leukoscope.datasets.rendered import LAYOUTS, render_dataset
from leukoscope.datasets.validation import validate
from leukoscope.errors import ManifestError


@pytest.fixture(scope="module")
def cnmc(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("drawn") / "cells"
    return render_dataset("rendered-cnmc", folder, seed=2, subjects=6, images=12, size=32)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_what_is_drawn_is_read(name: str, tmp_path: Path) -> None:
    if name == "rendered-pcam":
        pytest.importorskip("h5py")
    drawn = render_dataset(name, tmp_path / "set", seed=1, subjects=4, images=4, size=48)
    imported = read_folder(tmp_path / "set")
    pd.testing.assert_frame_equal(imported.manifest.table, drawn.table)
    assert imported.manifest.card == drawn.card
    assert imported.manifest.card.rendered
    assert imported.failures == imported.passed_over == ()
    assert validate(imported.manifest).ok


def test_a_folder_inside_is_rendered_too(cnmc: Manifest) -> None:
    inside = read_folder(cnmc.folder / "C-NMC_training_data" / "fold_0").manifest
    assert inside.card.rendered
    assert inside.card.name == "rendered-cnmc"
    assert set(inside.column("subject")) < set(cnmc.column("subject"))
    assert set(inside.column("dataset")) == {"rendered-cnmc"}


def test_naming_the_real_reader_does_not_make_it_real(cnmc: Manifest) -> None:
    assert read_folder(cnmc.folder, "cnmc").manifest.card.rendered
    assert read_folder(cnmc.folder / "C-NMC_training_data", "class-folders").manifest.card.rendered


def test_without_the_card_the_marker_suffices(cnmc: Manifest) -> None:
    card = cnmc.folder / "manifest.toml"
    kept = card.read_text()
    card.unlink()
    try:
        found = read_folder(cnmc.folder).manifest.card
    finally:
        card.write_text(kept)
    assert (found.name, found.rendered) == ("rendered-cnmc", True)
    assert found.title.startswith("rendered")
    assert "Rendered from seed 2" in found.notes[0]
    assert "TCIA" not in found.citation


@pytest.mark.parametrize(
    ("marker", "truth", "sentence"),
    [
        ("name = 'cnmc'", None, "name is 'cnmc'; expected one that begins with 'rendered-'"),
        ("name = ", None, "rendered.toml: cannot be read as"),
        ("name = 'rendered-cnmc'", None, "the rendered set's table of subjects is missing"),
        ("name = 'rendered-cnmc'", "a,b\n", "found the columns a, b; image and subject were"),
        ("name = 'rendered-cnmc'", "image,subject\n", r"has no row for 'fold_0/all/UID_1_1_1_all"),
    ],
)
def test_a_broken_marker(tmp_path: Path, marker: str, truth: str | None, sentence: str) -> None:
    (tmp_path / "fold_0/all").mkdir(parents=True)
    (tmp_path / "fold_0/all/UID_1_1_1_all.bmp").write_bytes(b"BM")
    (tmp_path / "rendered.toml").write_text(marker)
    if truth is not None:
        (tmp_path / "truth.csv").write_text(truth)
    with pytest.raises(ManifestError, match=sentence):
        read_folder(tmp_path)
