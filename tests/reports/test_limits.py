"""Limits that follow from a run are said; those that do not are not."""

from __future__ import annotations

from typing import Any

from leukoscope.records.findings import Finding
from leukoscope.reports.limits import ORDER, limits_of
from leukoscope.reports.study import read_study


def kinds(*runs: Any) -> dict[str, str]:
    return {limit.kind: limit.text for limit in limits_of(read_study(runs))}


def test_a_clean_run_has_only_the_limits_of_its_design(make_run: Any) -> None:
    found = kinds(make_run(findings=()))
    assert set(found) == {
        "one-data-set", "one-seed", "folds", "exclusions", "normal", "known-trap",
        "reference-standard",
    }  # fmt: skip
    assert list(found) == [kind for kind in ORDER if kind in found]
    assert found["exclusions"].startswith("3 of 171 rows were left out")
    assert "healthy donors" in found["normal"]
    assert found["known-trap"] == "Slide and label coincide on two slides."


def test_few_groups_in_a_class_are_said(make_run: Any) -> None:
    found = kinds(make_run(subjects=18, folds=3))
    assert found["few-groups"] == (
        "leak-free: fewer than 10 groups test in blast (9), normal (9); the intervals cannot be "
        "trusted."
    )
    assert "few-groups" not in kinds(make_run("enough", subjects=20))


def test_as_published_alone_is_a_limit(make_run: Any) -> None:
    published = make_run("a", edition="as-published")
    assert "run the leak-free edition" in kinds(published)["no-leak-free"]
    assert "no-leak-free" not in kinds(published, make_run("b"))


def test_an_error_of_the_checks_is_a_limit(make_run: Any) -> None:
    error = Finding(check="cut", severity="error", summary="A group is in two parts.")
    assert "1 error in the data" in kinds(make_run(findings=(error,)))["checks"]


def test_editions_that_differ_in_more_are_named(make_run: Any) -> None:
    runs = (
        make_run("a", edition="as-published", settings={"preprocess": {"size": 48}}),
        make_run("b"),
    )
    assert "(preprocess.size)" in kinds(*runs)["not-only-editions"]


def test_groups_that_are_not_published_are_a_limit(make_run: Any) -> None:
    inferred = kinds(make_run("a", groups="inferred", card={"group_note": "Runs of numbers."}))
    assert inferred["groups-inferred"].startswith("Groups are inferred. Runs of numbers.")
    unknown = kinds(make_run("b", groups="none"))
    assert unknown["groups-inferred"].startswith("Groups are not known. Nobody has published")


def test_what_the_card_does_not_say_is_a_limit(make_run: Any) -> None:
    found = kinds(make_run(card={"normal_means": "", "licence": "unknown", "rendered": True}))
    assert found["normal"].startswith("The card does not say what “normal” means")
    assert found["licence"] == "The licence of the images is unknown."
    assert found["rendered"].startswith("The images are rendered")


def test_two_seeds_are_not_one(make_run: Any) -> None:
    assert "one-seed" not in kinds(make_run("a"), make_run("b", seed=1))
