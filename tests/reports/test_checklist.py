"""The reporting checklists: complete, filled where the run knows, open where a person must."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from leukoscope.reports.answers import ANSWERS
from leukoscope.reports.sections import SECTIONS
from leukoscope.reports.sections.checklist import build, guidelines
from leukoscope.reports.study import read_study

TRIPOD_LETTERS = {
    3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc",
    23: "ab", 27: "abc",
}  # fmt: skip


def test_both_guidelines_have_all_their_items_once() -> None:
    claim, tripod = guidelines()
    assert [item["number"] for item in claim["items"]] == [str(n) for n in range(1, 45)]
    expected = [
        f"{number}{letter}"
        for number in range(1, 28)
        for letter in (TRIPOD_LETTERS.get(number) or ("",))
    ]
    assert [item["number"] for item in tripod["items"]] == expected


def test_every_item_can_be_answered_by_the_run_or_by_a_person() -> None:
    for guideline in guidelines():
        for item in guideline["items"]:
            assert set(item) <= {"number", "section", "text", "answer", "authors"}
            assert item.get("answer") or item.get("authors"), item
            if "answer" in item:
                assert item["answer"] in ANSWERS
    used = {item.get("answer") for g in guidelines() for item in g["items"]} - {None}
    assert used == set(ANSWERS), "an answer that no item asks for"
    assert {section for _, section in ANSWERS.values()} <= set(SECTIONS)


def test_answers_come_from_the_run(make_run: Any) -> None:
    run = make_run(
        settings={
            "preprocess": {"size": 48},
            "training": {"epoch": "last", "class_weights": "balanced"},
        }
    )
    claim, tripod = build(read_study([run])).guidelines
    by_number = {item.number: item for item in claim.items}
    assert "48 × 48" in by_number["9"].answer
    assert by_number["20"].answer.startswith("Group: the union of subject")
    assert by_number["20"].status == "answered"
    assert by_number["26"].answer == "The last epoch, without selection."
    assert re.search(r"AUROC 0\.\d{3}, 95 % interval .* 28 groups", by_number["37"].answer)
    assert by_number["35"].answer.startswith("Of 171 rows in the manifest 168 were used")
    assert "numpy" in by_number["23"].answer
    by_number = {item.number: item for item in tripod.items}
    assert by_number["13"].answer.startswith("Classes were weighted")
    assert by_number["20a"].answer.endswith("(28 subjects).")


@pytest.mark.usefixtures("without_figures")
def test_what_only_a_person_knows_is_visibly_open(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    from leukoscope.reports import write_report

    run = make_run()
    claim, tripod = build(read_study([run])).guidelines
    for guideline, numbers in (
        (claim, ("2", "11", "14", "16", "44")),
        (tripod, ("14", "17", "19")),
    ):
        for item in guideline.items:
            if item.number in numbers:
                assert item.status == "open"
                assert item.answer == ""
    assert claim.answered + claim.partly + claim.open == 44
    assert min(claim.answered, claim.partly, claim.open) > 5
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    open_items = page.fields["checklist.authors"]
    assert all(text.startswith("To be answered by the authors:") for text in open_items)
    expected = sum(bool(item.authors) for g in (claim, tripod) for item in g.items)
    assert len(open_items) == expected
    assert f"{claim.open} open" in page.fields["checklist.counts"][0]


def test_an_answer_that_the_run_lacks_leaves_the_item_open(make_run: Any) -> None:
    run = make_run(settings={"model": {"name": "resnet50.a1_in1k"}})
    claim, _ = build(read_study([run])).guidelines
    (item,) = (item for item in claim.items if item.number == "24")
    assert item.status == "open"
    assert item.authors == "The run does not tell; please answer."
    assert item.link == ""


def test_editions_are_named_where_they_differ(make_run: Any) -> None:
    runs = [
        make_run("a", edition="as-published", settings={"training": {"epoch": "best-test"}}),
        make_run("b"),
    ]
    claim, _ = build(read_study(runs)).guidelines
    by_number = {item.number: item.answer for item in claim.items}
    assert "as-published: the best epoch on the test part" in by_number["26"]
    assert "leak-free: the best epoch on the validation part" in by_number["26"]
    assert "as-published: image (one subject’s images stand in several parts)" in by_number["20"]
