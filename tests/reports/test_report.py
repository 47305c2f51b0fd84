"""The page as a whole: valid, self-contained, accessible, and with the run's own numbers."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukoscope.errors import ReportError, RunError, StorageError
from leukoscope.reports import write_report

MOST_BYTES = 5_000_000


def metrics_of(run: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def test_one_run_prints_the_figures_of_its_metrics_file(one_run: Any) -> None:
    page, run = one_run.page, one_run.runs[0]
    auroc = metrics_of(run)["levels"]["image"]["auroc"]
    assert page.fields["headline.figure"] == [f"{auroc['value']:.3f}"]
    assert page.fields["headline.interval"] == [
        f"95 % interval {auroc['low']:.3f} to {auroc['high']:.3f}"
    ]
    assert page.fields["headline.groups"] == ["28 groups, 168 images"]
    shown = " ".join(page.fields["results.image"])
    for name in ("accuracy", "sensitivity", "specificity", "mcc", "brier"):
        cell = metrics_of(run)["levels"]["image"][name]
        expected = f"{cell['value']:.3f} {cell['low']:.3f} to {cell['high']:.3f}"
        assert expected.replace("-", "\u2212") in shown, name
    by_subject = metrics_of(run)["levels"]["subject"]["accuracy"]
    assert any(
        text.startswith(f"{by_subject['value']:.3f}") for text in page.fields["results.subject"]
    )


def test_two_editions_stand_side_by_side_with_the_gap_on_top(two_editions: Any) -> None:
    page = two_editions.page
    (gap,) = page.fields["headline.gap"]
    published, leak_free = (
        metrics_of(run)["levels"]["image"]["auroc"] for run in two_editions.runs
    )
    assert float(gap) == pytest.approx(published["value"] - leak_free["value"], abs=1.1e-3)
    assert gap.startswith("+")
    assert page.text.index('data-field="headline.gap"') < page.text.index(
        'data-field="headline.figure"'
    )
    assert page.fields["headline.figure"] == [
        f"{leak_free['value']:.3f}",
        f"{published['value']:.3f}",
    ]
    assert "editions.figure" in page.fields
    assert (
        "28 groups" in page.fields["split.cut_groups"][0]
        or "groups of one fold" in (page.fields["split.cut_groups"][0])
    )
    (differences,) = page.fields["editions.differences"]
    assert "split.kind image kfold" in differences


@pytest.mark.usefixtures("without_figures")
def test_editions_tested_on_different_images_say_so(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    published = make_run("a", edition="as-published")
    path = published / "predictions.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[table["fold"] == "0"].to_csv(path, index=False)
    write_report([published, make_run("b")], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert page.fields["headline.gap_rows"] == ["tested on different images, 42 images in common"]


@pytest.mark.usefixtures("without_figures")
def test_a_gap_that_may_be_chance_is_called_so(make_run: Any, parse: Any, tmp_path: Path) -> None:
    runs = [make_run("a", edition="as-published"), make_run("b")]
    write_report(runs, tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    low, high = re.findall(r"[+−]?\d\.\d{3}", page.fields["headline.gap_interval"][0])
    assert float(low.replace("−", "-")) < 0 < float(high)
    assert page.fields["headline.answer"][0].endswith("; the interval includes no difference.")


@pytest.mark.usefixtures("without_figures")
def test_several_models_become_a_table_of_differences(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    runs = [
        make_run(name, skill=skill, settings={"model": {"name": name}})
        for name, skill in (("cnn-1", 1.0), ("cnn-2", 1.6), ("cnn-3", 0.6))
    ]
    write_report(runs, tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert len(page.fields["headline.figure"]) == 3
    reference, second, third = page.fields["editions.compared"]
    assert reference == "reference"
    assert second.startswith("+")
    assert third.startswith("\u2212")
    assert "168 rows" in second
    assert "headline.gap" not in page.fields


@pytest.mark.usefixtures("without_figures")
def test_comparison_can_be_left_out(two_editions: Any, parse: Any, tmp_path: Path) -> None:
    write_report(two_editions.runs, tmp_path / "report.html", comparison=False)
    page = parse(tmp_path / "report.html")
    assert "headline.gap" not in page.fields
    assert "editions.gap" not in page.fields
    assert len(page.fields["headline.figure"]) == 2


def test_several_classes_have_a_table_of_classes(make_run: Any, parse: Any, tmp_path: Path) -> None:
    run = make_run(classes=("early", "benign", "pre", "pro"), subjects=48)
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    (table,) = page.fields["results.classes"]
    support = metrics_of(run)["classes"]["pre"]["support"]
    assert f"pre {support}" in table
    assert "results.figures.decision_curve" not in page.fields
    value = metrics_of(run)["levels"]["image"]["balanced_accuracy"]["value"]
    assert page.fields["headline.figure"] == [f"{value:.3f}"]


def test_the_page_is_self_contained_and_runs_nothing(two_editions: Any) -> None:
    page = two_editions.page
    assert two_editions.out.stat().st_size < MOST_BYTES
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "data", "poster", "srcset"):
                assert value.startswith(("#", "data:image/")), (tag, name, value[:80])
    style = re.findall(r"<style[^>]*>(.*?)</style>", page.text, re.DOTALL)
    for css in style:
        assert "@import" not in css
        assert not re.search(r"url\((?!#)", css)
    assert str(two_editions.out.parent) not in page.text


def test_the_page_is_accessible(two_editions: Any) -> None:
    page = two_editions.page
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tables = page.all("table")
    assert len(page.words["caption"]) == len(tables) > 5
    assert all(page.words["caption"])
    assert all(image.get("alt") for image in page.all("img"))
    drawings = [a for a in page.all("svg") if a.get("role") == "img"]
    assert len(drawings) == len(page.words["figcaption"]) - len(page.all("img"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"].removeprefix("#") for a in page.all("a")]
    assert set(links) <= set(ids)
    for attributes in (a for _, a in page.elements if "aria-labelledby" in a):
        assert set(attributes["aria-labelledby"].split()) <= set(ids)
    assert page.all("html") == [{"lang": "en"}]


def test_research_use_only_stands_at_top_and_foot(one_run: Any) -> None:
    page = one_run.page
    assert page.fields["page.research"] == ["Research use only; not for diagnosis."] * 2
    first = page.text.index("Research use only", page.text.index("<body>"))
    assert first < page.text.index("<h1")
    assert page.text.rindex("Research use only") > page.text.index("<footer>")


@pytest.mark.usefixtures("without_figures")
def test_rendered_data_is_said_across_the_top(make_run: Any, parse: Any, tmp_path: Path) -> None:
    write_report([make_run(card={"rendered": True})], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert page.fields["page.rendered"] == ["Rendered data: says nothing about patients."]
    assert "limits.rendered" in page.fields
    assert page.text.index('data-field="page.rendered"') < page.text.index("<h1")


def test_real_data_is_not_called_rendered(one_run: Any) -> None:
    assert "page.rendered" not in one_run.page.fields


def test_inferred_groups_stand_beside_every_figure(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    run = make_run(groups="inferred", card={"group_note": "Runs of file numbers."})
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert page.fields["headline.edition"] == ["AUROC, leak-free (inferred)"]
    assert page.fields["headline.groups"] == ["28 inferred groups, 168 images"]
    assert "Groups (inferred)" in page.fields["results.table"][0]
    assert "limits.groups-inferred" in page.fields
    assert page.fields["data.group_note"] == ["How groups were made. Runs of file numbers."]
    svgs = re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)
    assert svgs
    for svg in svgs:
        assert "inferred" in svg


def test_hostile_names_are_escaped(make_run: Any, parse: Any, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    run = make_run(
        classes=("blast", "nor<b>mal&amp;"),
        card={
            "title": hostile,
            "normal_means": '"><img src=x onerror=alert(2)>',
            "notes": (hostile,),
            "group_note": hostile,
        },
        settings={"name": hostile},
    )
    table = (run / "predictions.csv").read_text(encoding="utf-8")
    (run / "predictions.csv").write_text(
        table.replace("made-up:03", hostile), encoding="utf-8", newline=""
    )
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert "<script" not in page.text.lower()
    assert "<b>" not in page.text
    assert not [a for a in page.all("img") if "onerror" in a]
    assert page.fields["data.title"] == [hostile]
    assert any("nor<b>mal&amp;" in text for text in page.fields["data.classes"])


@pytest.mark.usefixtures("without_figures")
def test_a_report_is_written_whole_or_not_at_all(make_run: Any, tmp_path: Path) -> None:
    run = make_run()
    out = tmp_path / "deep" / "er" / "report.html"
    write_report([run], out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["report.html"]
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        write_report([run], blocked / "report.html")


def test_the_same_runs_give_the_same_bytes(make_run: Any, tmp_path: Path) -> None:
    run = make_run(groups="none")
    write_report([run], tmp_path / "a.html")
    write_report([run], tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_what_cannot_be_reported_says_why(make_run: Any, tmp_path: Path) -> None:
    run = make_run()
    out = tmp_path / "report.html"
    with pytest.raises(ReportError, match=r"no run was given.*leukoscope train"):
        write_report([], out)
    with pytest.raises(ReportError, match=r"given 2 times"):
        write_report([run, tmp_path / "run" / "." / ""], out)
    with pytest.raises(RunError, match=r"there is no such run folder"):
        write_report([tmp_path / "nothing"], out)
    with pytest.raises(ReportError, match=r"is a folder. Name the file: .*report.html"):
        write_report([run], tmp_path)
    other = make_run("four", classes=("early", "benign", "pre", "pro"), subjects=32)
    with pytest.raises(ReportError, match=r"its classes are benign, early.*one report for each"):
        write_report([run, other], out)
    assert not out.exists()


def test_a_partial_run_is_told_how_to_finish(make_run: Any, tmp_path: Path) -> None:
    run = make_run()
    partial = run.rename(tmp_path / "run.partial")
    with pytest.raises(RunError, match=r"not finished.*same train command"):
        write_report([partial], tmp_path / "report.html")


@pytest.mark.parametrize("name", ["data.json", "findings.json", "environment.json", "metrics.json"])
def test_a_missing_file_is_named_with_a_remedy(make_run: Any, tmp_path: Path, name: str) -> None:
    run = make_run()
    (run / name).unlink()
    with pytest.raises(ReportError, match=rf"{name} is missing.*Train the run again"):
        write_report([run], tmp_path / "report.html")


def test_a_run_without_a_test_part_or_results_is_refused(make_run: Any, tmp_path: Path) -> None:
    run = make_run("untested")
    path = run / "predictions.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace(",test,", ",validation,"), encoding="utf-8"
    )
    with pytest.raises(ReportError, match=r"no row of part 'test'.*Use a split"):
        write_report([run], tmp_path / "report.html")
    run = make_run("unmeasured")
    (run / "metrics.json").write_text('{"schema": 1, "levels": {}}', encoding="utf-8")
    with pytest.raises(ReportError, match=r"no results at level 'image'.*leukoscope evaluate"):
        write_report([run], tmp_path / "report.html")


def test_a_test_part_of_one_class_has_a_report_without_roc(make_run: Any, tmp_path: Path) -> None:
    """Nothing can be ranked then: the curves are left out and the table says why."""
    from leukoscope.evaluation import evaluate
    from leukoscope.records.predictions import read_predictions

    run = make_run()
    table = pd.read_csv(run / "predictions.csv", dtype=str, keep_default_na=False)
    table[table["label"] == "blast"].to_csv(run / "predictions.csv", index=False)
    test = read_predictions(run / "predictions.csv").part("test")
    (run / "metrics.json").write_text(json.dumps(evaluate(test, resamples=100)))
    write_report([run], tmp_path / "one-class.html")
    page = (tmp_path / "one-class.html").read_text(encoding="utf-8")
    assert "no model was tested on items of both classes" in page
    assert "not for diagnosis" in page.lower()
