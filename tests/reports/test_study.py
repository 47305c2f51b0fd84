"""Runs are told apart by the shortest words that do, and editions find each other."""

from __future__ import annotations

from typing import Any

from leukoscope.records.split import read_split, write_split
from leukoscope.reports.study import read_study


def names(*runs: Any) -> list[str]:
    return [shown.name for shown in read_study(runs).shown]


def test_names_say_what_differs(make_run: Any) -> None:
    one, two = {"model": {"name": "cnn-1"}}, {"model": {"name": "cnn-2"}}
    a = make_run("a", edition="as-published", settings=one)
    b = make_run("b", settings=one)
    c = make_run("c", settings=two)
    d = make_run("d", settings=two, seed=1)
    assert names(a, b) == ["as-published", "leak-free"]
    assert names(b, c) == ["cnn-1", "cnn-2"]
    assert names(a, b, c) == ["cnn-1, as-published", "cnn-1, leak-free", "cnn-2, leak-free"]
    assert names(c, d) == ["c", "d"]
    same = {"name": "same", **two}
    e, f = make_run("e", settings=same), make_run("f", settings=same)
    assert names(e, f) == ["e", "f"]


def test_editions_pair_with_the_nearest_experiment(make_run: Any) -> None:
    one, two = {"model": {"name": "cnn-1"}}, {"model": {"name": "cnn-2"}}
    runs = [
        make_run("a", settings=one),
        make_run("b", edition="as-published", settings=two),
        make_run("c", edition="as-published", settings=one),
        make_run("d", settings=two),
    ]
    study = read_study(runs)
    pairs = [(p.published.run.folder.name, p.leak_free.run.folder.name) for p in study.pairs]
    assert pairs == [("c", "a"), ("b", "d")]
    assert [pair.other_differences for pair in study.pairs] == [(), ()]
    assert study.lead.run.folder.name == "a"


def test_the_edition_itself_is_no_other_difference(make_run: Any) -> None:
    published = make_run(
        "a",
        edition="as-published",
        settings={"training": {"epoch": "best-test"}, "expand": {"before_split": True}},
    )
    (pair,) = read_study([published, make_run("b")]).pairs
    assert pair.other_differences == ()


def test_groups_are_called_what_they_are(make_run: Any) -> None:
    words = [
        read_study([make_run(source, groups=source)]).lead.grouped(28)
        for source in ("published", "inferred", "none")
    ]
    assert words == ["28 groups", "28 inferred groups", "28 images as groups"]
    assert read_study([make_run("one", groups="inferred")]).lead.grouped(1) == "1 inferred group"


def test_copies_that_an_edition_makes_before_it_divides_are_no_other_data(make_run: Any) -> None:
    free = make_run("free")
    published = make_run("published", edition="as-published")
    split = read_split(published / "split.json")
    write_split(split.model_copy(update={"manifest_sha256": "f" * 64}), published / "split.json")
    (pair,) = read_study([free, published]).pairs
    assert pair.other_differences == ()
