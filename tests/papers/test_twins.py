"""A small reproduction, and the figures and tables that its page shows."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from leukoscope.papers.cells import cells
from leukoscope.papers.found import Found, cell_names
from leukoscope.papers.protocol import Figure, read_protocol
from leukoscope.papers.reasons import Legend, short
from leukoscope.papers.reproduce import Reproduction, image_sides, reproduce
from leukoscope.papers.request import Request
from leukoscope.papers.sources import gather
from leukoscope.papers.systems import systems
from leukoscope.papers.twins import twins
from leukoscope.progress import Progress

QUIET = Progress(quiet=True)
REQUEST = Request(
    paper="abed2022",
    only=("main,dataset=allidb,network=simple-cnn",),
    rendered=True,
    images=60,
    subjects=20,
    settings={"preprocess.size": 32, "training.device": "cpu", "training.epochs": 2},
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reproduction]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEUKOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield reproduce(REQUEST, tmp_path_factory.mktemp("twins") / "abed", QUIET)


@pytest.fixture(scope="module")
def found(done: Reproduction) -> Found:
    sources = gather(done.plan.protocol, REQUEST, image_sides(done.plan), done.folder, QUIET)
    return Found(done.plan, done.outcomes, done.lines, sources)


def page(done: Reproduction) -> str:
    return (done.folder / "reproduction.html").read_text(encoding="utf-8")


def test_both_editions_of_a_figure_stand_side_by_side(found: Found) -> None:
    blocks = {block.title: block for block in twins(found)}
    block = blocks["Figures 5.7, 5.8 and 5.9"]
    (pair,) = block.pairs
    assert [column.edition for column in pair.columns] == ["as-published", "leak-free"]
    for column in pair.columns:
        assert [one.name for one in column.drawings] == ["learning_curves", "confusion"]
        for drawing in column.drawings:
            words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(drawing.svg)))
            assert column.edition in words
            assert "Rendered" in words, "nobody takes it for the paper's data"
            assert "smoke budget" in words
        assert column.report is not None
        # --set gave two epochs to a cell that has one at this budget.
        assert "after 2." in column.drawings[0].caption


def test_what_was_not_run_says_so(found: Found) -> None:
    blocks = {block.title: block for block in twins(found)}
    absent = blocks["Figures 5.1, 5.2 and 5.3"]
    assert absent.pairs == ()
    assert absent.reasons == ("not among the cells that were asked for",)
    (told,) = (block for block in blocks.values() if "§5.4.6, ROC curve" in block.title)
    assert [heading.claimed for heading in told.headings] == [False, False, True]
    bars = blocks["Figure 5.19"].pairs[0].across[0]
    assert "published 0.942" in bars.caption
    assert "as published" in bars.caption
    assert "leak-free" in bars.caption


def test_a_system_that_was_not_asked_for_is_named_beside_the_curves(found: Found) -> None:
    figure = Figure(
        numbers=("Figure 1",),
        title="two systems",
        kind="roc",
        names=("Simple CNN", "VGG19"),
        cells=("main,dataset=allidb,network=simple-cnn", "main,dataset=allidb,network=vgg19"),
    )
    protocol = found.protocol.model_copy(update={"figures": (figure,)})
    plan = replace(found.plan, protocol=protocol)
    (block,) = twins(Found(plan, found.outcomes, found.lines, found.sources))
    for column in block.pairs[0].columns:
        assert [one.title for one in column.drawings] == ["ROC curve: Simple CNN"]
        assert column.absent == (("VGG19", "not among the cells that were asked for"),)


def test_the_matrix_and_the_report_are_of_the_predictions(done: Reproduction, found: Found) -> None:
    for outcome in done.outcomes:
        assert outcome.folder is not None
        table = pd.read_csv(outcome.folder / "predictions.csv", keep_default_na=False)
        test = table[table["part"] == "test"]
        matrix = found.shown(outcome).run.metrics["confusion"]
        theirs = confusion_matrix(test["label"], test["predicted"], labels=matrix["labels"])
        assert matrix["counts"] == theirs.tolist()
        (pair,) = next(b for b in twins(found) if "5.7" in b.title).pairs
        report = next(c.report for c in pair.columns if c.edition == outcome.cell.edition)
        assert report is not None
        rows = {row.name: row for row in report.rows}
        assert rows["accuracy"].scores[2] is not None
        assert rows["accuracy"].scores[2].value == pytest.approx(
            accuracy_score(test["label"], test["predicted"])
        )


def test_the_page_stands_alone_and_shows_every_figure_of_the_paper(done: Reproduction) -> None:
    text = page(done)
    for figure in done.plan.protocol.figures:
        for number in figure.numbers:
            assert number.removeprefix("Figure ") in text, number
    assert "<script" not in text
    assert 'src="http' not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "every drawing's ids are its own"
    assert "Context: results of others" in text
    assert "parameters</span>" in text
    assert len(text) < 400_000


def test_every_measured_row_says_what_it_cost(done: Reproduction) -> None:
    rows = list(csv.DictReader((done.folder / "reproduction.csv").open(encoding="utf-8")))
    measured = [row for row in rows if row["as_published"]]
    assert len(measured) == 4 + 4 + 4  # Tables 5.2 and 5.6 and the text
    for row in measured:
        # Three convolutions, and at 32 px 4 · 4 · 128 values into a layer of 128.
        assert int(row["vector_length"]) == 2048
        assert int(row["parameters"]) == 896 + 18_496 + 73_856 + (2048 + 1) * 128 + 129
        assert 0 < float(row["gflop"]) < 0.1
        assert float(row["as_published_seconds"]) > 0
        assert float(row["leak_free_seconds"]) > 0
        assert row["worst_subject"]
        assert 0 <= float(row["worst_subject_right"]) <= 1
    assert not any(row["parameters"] for row in rows if not row["as_published"])


def test_every_measured_figure_says_what_it_stands_on(done: Reproduction) -> None:
    rows = list(csv.DictReader((done.folder / "reproduction.csv").open(encoding="utf-8")))
    figures = [row for row in rows if row["kind"] == "result" and row["leak_free"]]
    assert figures
    for outcome in done.outcomes:
        assert outcome.folder is not None
        table = pd.read_csv(outcome.folder / "predictions.csv", keep_default_na=False)
        test = table[table["part"] == "test"]
        name = outcome.cell.edition.replace("-", "_")
        assert {row[f"{name}_n"] for row in figures} == {str(len(test))}
        assert {row[f"{name}_groups"] for row in figures} == {str(test["group"].nunique())}
    measured = re.findall(r'<table class="measured" data-field="reproduction.table">.*?</table>',
                          page(done), flags=re.DOTALL)  # fmt: skip
    values = sum(part.count('class="value"') for part in measured)
    assert values == 2 * len(figures)
    assert sum(part.count('class="basis"') for part in measured) == values


def test_parts_are_counted_as_they_were_made(done: Reproduction) -> None:
    """Table 5.1: eight images of each before the split as published, originals leak-free."""
    rows = list(csv.DictReader((done.folder / "reproduction.csv").open(encoding="utf-8")))
    parts = {
        row["metric"]: row for row in rows if row["kind"] == "parts" and row["line"] == "ALL_IDB"
    }
    for edition in ("as_published", "leak_free"):
        sizes = {metric: int(row[f"{edition}_count"]) for metric, row in parts.items()}
        assert sizes["all"] == sizes["train"] + sizes["test"] + sizes["validation"]
    assert int(parts["all"]["leak_free_count"]) == 60
    assert int(parts["all"]["as_published_count"]) == 8 * 60
    images = {row["metric"]: row["leak_free_count"] for row in rows if row["kind"] == "images"
              and row["leak_free_count"]}  # fmt: skip
    assert int(images["normal"]) + int(images["blast"]) == int(images["all"]) == 60


def test_names_tell_cells_apart_by_what_differs() -> None:
    protocol = read_protocol("fata2023")
    some = cells(protocol, "leak-free", only=["transfer,backbone=vgg16,epochs=10+20"])
    assert cell_names(protocol, some) == [
        "Adam, 10 epochs",
        "Adam, 20 epochs",
        "RMSprop, 10 epochs",
        "RMSprop, 20 epochs",
    ]
    assert cell_names(protocol, some[:2], ["epochs"]) == ["Adam", "Adam"]


def test_the_page_begins_with_what_was_measured(done: Reproduction, found: Found) -> None:
    """Both editions of each system that was run, and what weakens their intervals."""
    legend = Legend()
    accuracy, auc = systems(found, legend)
    assert (accuracy.line, auc.line) == ("Simple CNN", "")
    assert accuracy.published == "94.24 %"
    # --set gave it two; the paper has ten, and the smoke budget would have had one.
    assert accuracy.cost is not None
    assert accuracy.cost.epochs == "2 epochs"
    assert accuracy.setting == "main/dataset=allidb,network=simple-cnn"
    for edition, one in zip(("as-published", "leak-free"), accuracy.measured, strict=True):
        outcome = next(o for o in done.outcomes if o.cell.edition == edition)
        assert outcome.folder is not None
        metrics = json.loads((outcome.folder / "metrics.json").read_text(encoding="utf-8"))
        entry = metrics["levels"]["image"]["accuracy"]
        assert one.value == f"{entry['value']:.3f}"
        assert one.basis == f"n = {entry['n']}, {entry['groups']} groups"
        few = min(metrics["groups"]["by_class"].values()) < 10
        assert ("few groups" in [mark.words for mark in one.cautions]) == few
    texts = dict(legend.rows)
    assert all(mark.letter in texts for one in accuracy.measured for mark in one.cautions)
    assert page(done).index('id="systems"') < page(done).index('id="table-1"')


def test_reasons_are_short_and_name_no_folder() -> None:
    long = (
        "not run: no weights of vgg19 lie in /home/somebody/project/weights. A file whose name "
        "begins with 'vgg19.' is looked for, found a.safetensors. Give the file itself."
    )
    assert short(long) == "no weights of vgg19 lie in weights"
    legend = Legend()
    first = legend.mark(long)
    assert (first.words, first.letter) == ("not run", "a")
    assert legend.mark("of what it is taken is not said").words == "not measured"
    assert legend.mark(long).letter == "a"
    assert [legend.mark(f"reason {k}").letter for k in range(26)][-3:] == ["z", "aa", "ab"]
