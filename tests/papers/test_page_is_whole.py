"""Every printed cell and figure of every paper stands on its page, filled or with its reason."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.papers import PAPERS
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.published import published
from leukoscope.papers.reproduce import reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress

FIVE = tuple(paper for paper in PAPERS if paper != "cnmc2019")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Reproduced without any data: what can be counted is filled, the rest says why not."""
    out = tmp_path_factory.mktemp("pages")
    found = {}
    for paper in PAPERS:
        made = reproduce(Request(paper), out / paper, Progress(quiet=True))
        found[paper] = (made.folder / "reproduction.html").read_text(encoding="utf-8")
    return found


@cache
def sections(page: str) -> dict[str, str]:
    """Name of a table → its part of the page."""
    found = {}
    for part in re.findall(r'<section id="table-\d+".*?</section>', page, flags=re.DOTALL):
        name = re.search(r'data-table="(.*?)"', part)
        assert name
        found[name[1]] = part
    return found


def text(piece: str) -> str:
    piece = re.sub(r'<span class="severity">.*?</span>', "", piece)
    return html.unescape(re.sub(r"<[^>]+>", "", piece)).strip()


def printed(part: str) -> Counter[str]:
    return Counter(text(cell) for cell in re.findall(r"<td.*?</td>", part, flags=re.DOTALL))


@pytest.mark.parametrize("paper", PAPERS)
def test_every_published_cell_is_a_cell_of_its_table(paper: str, pages: dict[str, str]) -> None:
    found = sections(pages[paper])
    protocol = read_protocol(paper)
    assert list(found) == [table.name for table in protocol.tables]
    for table in protocol.tables:
        mine = [cell for cell in published(protocol) if cell.table == table.name]
        # What a line was measured with stands under its name, in the grid's words.
        wanted = Counter(cell.value or "—" for cell in mine if cell.kind != "setting")
        missing = wanted - printed(found[table.name])
        assert not missing, (table.name, missing)
        for cell in mine:
            if cell.kind == "setting":
                setting = cell.cell.partition("/")[2].replace(",", ", ")
                assert setting in found[table.name].replace("<wbr>", "")


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_absent_has_its_reason_once(paper: str, pages: dict[str, str]) -> None:
    protocol, page = read_protocol(paper), pages[paper]
    for name, part in sections(page).items():
        kinds = Counter(cell.kind for cell in published(protocol) if cell.table == name)
        absent = sum(kinds[kind] for kind in ("result", "mean", "images", "parts"))
        columns = 1 if kinds["images"] or kinds["parts"] else len(protocol.editions)
        marks = re.findall(r'<span class="none">not (?:run|measured)<a class="why"', part)
        assert len(marks) == absent * columns, name
    asked = set(re.findall(r'href="#(why-[a-z]+)"', page))
    told = re.findall(r'<dt id="(why-[a-z]+)"', page)
    assert asked
    assert asked <= set(told)
    assert len(told) == len(set(told))
    reasons = re.findall(r'<dt id="why-[a-z]+">.*?</dt><dd>(.*?)</dd>', page, flags=re.DOTALL)
    short = [text(re.sub(r"<ul.*?</ul>", "", one, flags=re.DOTALL)) for one in reasons]
    assert len(set(short)) == len(short)
    assert all(len(one) < 200 and "/" not in one for one in short), short


@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_has_a_twin_or_says_why_not(paper: str, pages: dict[str, str]) -> None:
    parts = re.findall(r'<section id="figure-\d+" class="twin".*?</section>', pages[paper], re.S)
    shown = " ".join(text(re.search(r"<h3>.*?</h3>", part, re.S)[0]) for part in parts)  # type: ignore[index]
    for figure in read_protocol(paper).figures:
        for number in figure.numbers:
            assert number.removeprefix("Figure ") in shown
    assert all('data-field="reproduction.figure.not_run"' in part for part in parts)


def test_lengths_and_layers_are_filled_without_any_run(pages: dict[str, str]) -> None:
    """Table 6 and Figure 4.8 by arithmetic; the two OCR errors of the figure stand out."""
    table = sections(pages["varol2024"])["Table 6"]
    assert printed(table)["204,800"] == 1
    assert "not run" not in table
    figure = sections(pages["abed2022"])["Figure 4.8"]
    assert "not run" not in figure
    assert figure.count('<span class="severity">differs</span>') == 2
    assert printed(figure)["58,982,528"] == 1


@pytest.mark.real
def test_the_pages_have_all_transcribed_cells(pages: dict[str, str], real_data: Path) -> None:
    """By the transcription itself: 930 cells, of which settings stand in the grid's words."""
    cells = json.loads((real_data.parent / "papers" / "tables.json").read_text("utf-8"))
    settings = re.compile(r"(Opt\. Func\.|Image size|Epoch)$")
    for paper in FIVE:
        found = sections(pages[paper])
        mine = [cell for cell in cells if cell["paper"] == paper]
        for name in dict.fromkeys(cell["table"] for cell in mine):
            wanted = Counter(
                cell["value"].strip() or "—"
                for cell in mine
                if cell["table"] == name and not settings.search(cell["row"])
            )
            missing = wanted - printed(found[name])
            assert not missing, (paper, name, missing)


def test_a_substitute_is_told_before_anything_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("blast", "normal"):
        for number in range(4):
            path = tmp_path / "cells" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(path)
    nowhere = tmp_path / "weights"
    nowhere.mkdir()
    request = Request("fata2023", substitutes={"cnmc": tmp_path / "cells"}, weights=str(nowhere))
    made = reproduce(request, tmp_path / "out", Progress(quiet=True))
    page = (made.folder / "reproduction.html").read_text(encoding="utf-8")
    assert "Substitute data:</strong> cells in place of C-NMC 2019" in page
    assert page.index("page.substitute") < page.index("<h1")


def test_a_part_of_the_grid_is_called_one(tmp_path: Path, pages: dict[str, str]) -> None:
    only = ("backbone=vgg16,epochs=10,optimiser=adam",)
    request = Request("fata2023", editions=("leak-free",), only=only, weights="none")
    made = reproduce(request, tmp_path / "out", Progress(quiet=True))
    page = (made.folder / "reproduction.html").read_text(encoding="utf-8")
    assert "0 of 1 cell asked for were run" in page
    assert "The whole grid has 64 cells." in page
    asked = page[page.index('data-field="reproduction.asked"') :].split("</p>")[0]
    assert f"<code>--only {only[0]}</code>, <code>--edition leak-free</code>" in asked
    assert "every axis of the grid is run" not in page
    assert "of the cells that were asked for every value of every axis is run" in page
    assert "began at random" not in page, "nothing ran"
    whole = pages["fata2023"]
    assert "0 of 64 cells of the grid were run" in whole
    assert "every axis of the grid is run, with every value" in whole
    assert "reproduction.asked" not in whole
