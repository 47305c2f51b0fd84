"""The fuzzy decision behind bhavsar2023's hybrids: made after the grid, once, and reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukoscope.api import render
from leukoscope.errors import ProtocolError
from leukoscope.papers import fuzzy_stage as stage_module
from leukoscope.papers import reproduce as room
from leukoscope.papers.protocol import Protocol, read_protocol
from leukoscope.papers.reproduce import plan_for, reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress
from leukoscope.records.verdicts import read_verdicts
from leukoscope.schema import parse

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def drawn_cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn cells in the place of SN-AM."""
    folder = tmp_path_factory.mktemp("data") / "cells"
    render("rendered-allidb2", folder, images=48, subjects=16, size=48)
    return folder


@pytest.fixture(autouse=True)
def small_networks_may_bear_the_names_of_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "refuse_wrong_names", lambda *_: None)


def asked(cells: Path, **settings: object) -> Request:
    """One hybrid of two small backbones."""
    return Request(
        paper="bhavsar2023",
        only=("dataset=1,network=mobilenets",),
        substitutes={"snam": cells},
        weights="none",
        jobs=1,
        settings={
            "model.name": "hybrid:mobilenetv3_small_050+mobilenetv3_small_075",
            "preprocess.size": 32,
            # One batch: batch normalisation cannot train on the single image that may be left.
            "training.batch_size": 64,
            "training.device": "cpu",
            **settings,
        },
    )


@pytest.mark.slow
def test_the_hybrids_of_the_grid_are_decided_once_and_the_page_says_who_wins(
    drawn_cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = asked(drawn_cells, **{"split.validation": 0.35})
    made = reproduce(call, tmp_path / "out", QUIET)
    assert made.done == 2, [one.reason for one in made.outcomes]
    page = (tmp_path / "out" / "reproduction.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="fuzzy"') : page.index('<section id="plan"')]
    assert '<a href="#fuzzy">' in page
    assert "networks that the paper takes pretrained began at random" in page
    assert "At the same referral rate as a plain band" in section
    assert "may be incorporated" in section
    assert section.count("<svg") == 2
    for outcome in made.outcomes:
        assert outcome.run is not None
        folder = outcome.run.folder / "three"
        found = read_verdicts(folder)
        assert set(found.by_label) == {"blast", "normal"}
        answered = found.comparison.a
        assert f"{answered.errors} of {answered.answered}" in section
        assert outcome.run.edition in section

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError("a decision that is there was made again")

    monkeypatch.setattr(stage_module, "decide_run", again)
    reproduce(call, tmp_path / "out", QUIET)


def test_without_validation_groups_the_page_says_why(drawn_cells: Path, tmp_path: Path) -> None:
    reproduce(asked(drawn_cells), tmp_path / "out", QUIET)
    page = (tmp_path / "out" / "reproduction.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="fuzzy"') : page.index('<section id="plan"')]
    assert "Not decided (1 cell): three: no validation rows in fold 0 of repeat 0" in section
    assert "at least 2 of each are needed" in section
    assert "No cell could be decided on." in section


def test_only_what_the_protocol_names_is_decided() -> None:
    protocol = read_protocol("bhavsar2023")
    assert protocol.fuzzy is not None
    assert "vgg16" not in protocol.fuzzy.cells["network"]
    assert all(read_protocol(paper).fuzzy is None for paper in ("varol2024", "abed2022"))
    table = protocol.model_dump(mode="json", by_alias=True)
    table["fuzzy"]["cells"] = {"network": ["hybird"]}
    with pytest.raises(ProtocolError, match="axis 'network' has no value 'hybird'"):
        parse(Protocol, table, where="test", error=ProtocolError)


def test_the_system_of_five_inputs_is_chosen_and_trainings_stay_the_same() -> None:
    plain = plan_for(Request(paper="bhavsar2023"))
    five = plan_for(Request(paper="bhavsar2023", settings={"fuzzy.system": "five"}))
    assert plain.protocol.fuzzy is not None
    assert five.protocol.fuzzy is not None
    assert (plain.protocol.fuzzy.system, five.protocol.fuzzy.system) == ("three", "five")
    # Nothing is trained anew: the same folder has both decisions.
    assert [one.experiment for one in five.trainings] == [one.experiment for one in plain.trainings]
    assert five.changes == {"fuzzy.system": "five"}
    with pytest.raises(ProtocolError, match="Did you mean 'five'"):
        plan_for(Request(paper="bhavsar2023", settings={"fuzzy.system": "fiev"}))
    with pytest.raises(ProtocolError, match="varol2024 has no fuzzy decision"):
        plan_for(Request(paper="varol2024", settings={"fuzzy.system": "five"}))
