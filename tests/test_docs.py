"""Documentation is tested: pasted help is fresh, links lead somewhere, names exist."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def _paste_help() -> str:
    spec = importlib.util.spec_from_file_location("paste_help", ROOT / "docs" / "paste_help.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["paste_help"] = module
    spec.loader.exec_module(module)
    return str(module.page())


def test_the_commands_page_is_fresh() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == _paste_help(), "docs/commands.md is stale: run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name}: {target} is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    """Every option behind a `leukoscope VERB` in a page is one that the verb has."""
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"## leukoscope ([a-z ]+)\n\n```text\n(.*?)```", reference, re.S))
    fences = re.findall(r"```(?:sh|bash|console|text)?\n(.*?)```", page.read_text("utf-8"), re.S)
    for line in re.findall(r"^\s*(?:\$ )?leukoscope ([^\n]+)$", "\n".join(fences), re.M):
        words = line.split()
        verb = " ".join(words[:2]) if words[0] == "data" else words[0]
        if verb in ("--help", "--version"):
            continue
        assert verb in sections, f"{page.name}: there is no 'leukoscope {verb}'"
        for option in re.findall(r"(?<=\s)(--[a-z-]+)", line):
            assert re.search(rf"{option}\b", sections[verb]), f"{page.name}: {verb} has no {option}"


def test_the_public_verbs_are_what_the_api_offers() -> None:
    import leukoscope
    from leukoscope import api

    for name in leukoscope.__all__:
        assert getattr(leukoscope, name) is getattr(api, name)
    assert set(leukoscope.__all__) <= set(dir(leukoscope))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = leukoscope.trian
