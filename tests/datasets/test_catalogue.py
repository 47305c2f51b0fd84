"""The catalogue: whole, consistent with the readers and the papers, honest about the unknown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import READERS
from leukoscope.datasets.catalogue import (
    CATALOGUE,
    entry_named,
    is_here,
    listing,
    locate,
    render_listing,
)
from leukoscope.datasets.rendered import LAYOUTS
from leukoscope.errors import ManifestError

TABLE_2 = {
    "allidb1": 108,
    "allidb1-crops": 510,
    "allidb2": 260,
    "leukocytes": 149,
    "cellavision": 109,
    "atlas": 88,
    "omid-2014": 154,
    "omid-2015": 27,
    "ash": 96,
    "bloodline": 204,
    "onkodin": 78,
    "cellavision-2": 100,
    "jtsc": 300,
    "ufg": 121,
    "pn-all": 30,
    "leukemia-images": 140,
    "midb": 673,
}
"""murtoza2023 Table II, row by row, without LISC (376 of 400 used)."""
PAPERS = {"varol2024", "fata2023", "murtoza2023", "abed2022", "bhavsar2023"}


def test_every_set_of_the_papers_is_named() -> None:
    for name in ("cnmc", "allidb1", "allidb2", "taleghani", "snam", "pcam", "bccd", "pbc", "lisc"):
        assert name in CATALOGUE
    for name in ("malaria-cells", "gene-expression", *LAYOUTS):
        assert name in CATALOGUE
    for name, images in TABLE_2.items():
        assert CATALOGUE[name].images == images
        assert "murtoza2023" in CATALOGUE[name].papers
    assert sum(TABLE_2.values()) + 376 == 1434 + 2089, "Table II with its sums corrected"


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_says_how_it_is_to_be_had(name: str) -> None:
    found = CATALOGUE[name]
    assert found.name == name
    assert set(found.papers) <= PAPERS
    assert bool(found.files) == (found.how == "http")
    assert bool(found.kaggle) == (found.how == "kaggle")
    if found.how == "ask":
        assert found.ask
    assert not found.reader or found.reader in READERS
    for file in found.files:
        assert file.url.startswith("https://")
        assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)
        assert Path(file.name).name == file.name
    assert found.name.startswith("rendered-") == (found.how == "render")


def test_licence_and_address_agree_with_the_readers_card() -> None:
    from leukoscope.datasets.readers import allidb1, bccd, cnmc, pbc, pcam, taleghani

    cards = {"cnmc": cnmc, "pbc": pbc, "pcam": pcam, "bccd": bccd, "taleghani": taleghani}
    for name, module in {**cards, "allidb1": allidb1}.items():
        card = next(
            value for value in vars(module).values() if type(value).__name__ == "DatasetCard"
        )
        words = set(re.findall(r"\w+", CATALOGUE[name].licence.lower()))
        assert words <= set(re.findall(r"\w+", card.licence.lower())), name
        if name != "pcam":  # the card cites its page, the catalogue where its files lie
            assert card.url.rstrip("/") == CATALOGUE[name].url.rstrip("/")


def test_a_misspelt_name_is_answered() -> None:
    with pytest.raises(ManifestError, match="Did you mean 'taleghani'"):
        entry_named("talegani")


def test_the_listing_says_what_is_unknown_and_not_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LEUKOSCOPE_DATA", raising=False)
    text = render_listing(listing())
    assert f"{len(CATALOGUE)} data sets, 0 of them here. Say where yours lie" in text
    pn_all = text.split("\npn-all:")[1].split("\n\n")[0]
    assert "content unknown" in pn_all
    assert "licence: unknown" in pn_all
    assert "no way known" in pn_all
    malaria = text.split("\nmalaria-cells:")[1].split("\n\n")[0]
    assert "checked: not verified" in malaria
    assert "size unknown" in text.split("\nsnam:")[1].split("\n\n")[0]
    assert "data get pcam" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a crop of ALL-IDB2, a drawn one, and something else."""
    crop = Image.fromarray(np.zeros((257, 257, 3), np.uint8))
    for name in ("mine", "drawn"):
        (tmp_path / name / "img").mkdir(parents=True)
        for number in range(3):
            crop.save(tmp_path / name / "img" / f"Im{number + 1:03d}_1.tif")
    (tmp_path / "drawn" / "rendered.toml").write_text('name = "rendered-allidb2"\n')
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("dear")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def test_sets_are_found_by_their_readers_and_drawn_ones_are_not_taken_for_real(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert locate(data) == {"allidb2": data / "mine", "rendered-allidb2": data / "drawn"}
    assert is_here(CATALOGUE["allidb2"], data) == data / "mine"
    assert is_here(CATALOGUE["cnmc"], data) is None
    assert locate(data / "mine" / "img") == {"allidb2": data / "mine" / "img"}
    monkeypatch.setenv("LEUKOSCOPE_DATA", str(data))
    here = {entry["name"]: entry["here"] for entry in listing() if entry["here"]}
    assert here["allidb2"] == str(data / "mine")
    assert "2 of them here." in render_listing(listing(data))


def test_a_data_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere: there is no such folder.*--folder"):
        listing(tmp_path / "nowhere")


def test_a_data_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ManifestError, match=r"cannot be listed \(Permission denied\)"):
        listing(tmp_path)


@pytest.mark.real
def test_the_real_sets_are_recognised(real_data: Path) -> None:
    assert {name: path.name for name, path in locate(real_data).items()} == {
        "allidb1": "allidb1",
        "allidb2": "allidb2",
        "bccd": "bccd",
        "cnmc": "cnmc",
        "pbc": "pbc",
        "pcam": "pcam",
        "jtsc": "segmentation_wbc",
        "cellavision-2": "segmentation_wbc",
        "taleghani": "taleghani",
    }
