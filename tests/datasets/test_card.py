"""The card: what it says travels unchanged, and a wrong key is answered with the right one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.datasets import READERS, DatasetCard, read_card, write_card
from leukoscope.datasets.readers import (
    allidb1,
    allidb2,
    bccd,
    cnmc,
    pbc,
    pcam,
    snam,
    taleghani,
    wbc_seg,
)
from leukoscope.errors import ManifestError

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=30)
CARDS = [
    module.CARD for module in (allidb1, allidb2, bccd, cnmc, pbc, pcam, snam, taleghani, wbc_seg)
]


@settings(max_examples=60, deadline=None)
@given(
    title=TEXT,
    notes=st.lists(TEXT, max_size=3).map(tuple),
    classes=st.dictionaries(TEXT, st.sampled_from(["blast", "normal", ""]), max_size=4),
    size=st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    um=st.none() | st.floats(0.001, 10),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    title: str,
    notes: tuple[str, ...],
    classes: dict[str, str],
    size: tuple[int, int] | None,
    um: float | None,
) -> None:
    card = DatasetCard(
        name="x", title=title, notes=notes, classes=classes, image_size=size, um_per_pixel=um
    )
    path = tmp_path_factory.mktemp("card") / "x.toml"
    write_card(card, path)
    assert read_card(path) == card


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title = 'x'", "key 'name' is missing"),
        ("name = 'x'\nlicense = 'MIT'", "unknown key 'license'. Did you mean 'licence'?"),
        ("name = 'x'\nschema = 9", "written by a newer leukoscope (data set card schema 9"),
        ("name = ", "x.toml: cannot be read as a data set card file: Invalid value (at"),
        ("name = 'x'\nrendered = 'perhaps'", "key 'rendered' is 'perhaps'"),
        (
            "name = 'x'\n[classes]\nall = 'Blast'",
            "class 'all' means 'Blast'; expected 'blast', 'normal' or '' (neither)",
        ),
    ],
)
def test_refusals(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_no_such_card(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no such data set card file"):
        read_card(tmp_path / "none.toml")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_says_what_a_person_must_know(card: DatasetCard) -> None:
    assert card.licence != "unknown"
    assert card.citation
    assert card.url.startswith("https://")
    assert card.subject_is
    assert card.notes
    assert card.name in READERS
    assert not card.rendered
    if "normal" in card.classes.values() or card.name in ("snam", "pcam"):
        assert card.normal_means
    # Where no subject is published, a sentence about the groups stands beside every figure.
    assert card.groups_inferred == ("not published" in card.subject_is)
    assert bool(card.group_note) == card.groups_inferred


def test_traps_are_named() -> None:
    notes = {card.name: " ".join(card.notes) for card in CARDS}
    assert "Slide and label coincide" in notes["allidb2"]
    assert "never train on one and test on the other" in notes["allidb1"]
    assert "104 pairs" in notes["cnmc"]
    assert "never score them" in notes["bccd"]
    assert "No healthy class" in notes["snam"]
    assert "same slide" in notes["taleghani"]
