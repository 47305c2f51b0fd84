"""The doctor: every fact is found, and a fault is told with its mend."""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from leukoscope import doctor

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def test_a_sound_machine() -> None:
    facts = doctor.examine()
    assert not [fact for fact in facts if fact.state == "broken"]
    text = doctor.describe(facts)
    assert "all that is needed works" in text
    assert "leukoscope demo" in text


def test_extras_are_those_of_the_project() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    extras = set(project["project"]["optional-dependencies"]) - {"dev"}
    assert set(doctor.EXTRAS) == extras


def test_an_absent_extra_says_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "nothing", (("no_such_module",), "a thing"))
    text = doctor.describe(doctor.examine())
    assert "For a thing: pip install 'leukoscope[nothing]'" in text


def test_backbones_work_where_timm_is_installed() -> None:
    if find_spec("timm") is None:
        pytest.skip("the extra train is not installed")
    facts = {fact.subject: fact for fact in doctor.examine()}
    assert facts["backbones"].found.startswith("timm ")


def test_an_unwritable_cache_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(blocked / "cache"))
    facts = {fact.subject: fact for fact in doctor.examine()}
    assert facts["cache"].state == "broken"
    assert "LEUKOSCOPE_CACHE" in facts["cache"].advice


def test_a_full_disk_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    facts = {fact.subject: fact for fact in doctor.examine()}
    assert facts["disk"].state == "broken"
