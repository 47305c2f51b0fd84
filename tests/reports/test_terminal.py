"""A few lines for the terminal."""

from __future__ import annotations

import re
from typing import Any

from leukoscope.reports import summary


def test_one_run(make_run: Any) -> None:
    lines = summary([make_run()]).splitlines()
    assert re.fullmatch(
        r"leak-free: AUROC 0\.\d{3} \(95 % interval 0\.\d{3} to [01]\.\d{3}; 28 groups\); "
        r"by subject [01]\.\d{3} \(.*\)",
        lines[0],
    )
    assert lines[1:] == ["Research use only; not for diagnosis."]


def test_two_editions_end_with_the_leak(make_run: Any) -> None:
    runs = [
        make_run("a", edition="as-published", skill=2.0, groups="inferred"),
        make_run("b", groups="inferred"),
    ]
    published, leak_free, leak, research = summary(runs).splitlines()
    assert published.startswith("as-published: AUROC")
    assert leak_free.startswith("leak-free (inferred): AUROC")
    assert re.match(
        r"the leak: \+0\.\d{3} AUROC \(95 % interval .* to .*; 28 inferred groups\)", leak
    )
    assert research.startswith("Research use only")


def test_rendered_and_few_groups_are_said(make_run: Any) -> None:
    text = summary([make_run(subjects=12, folds=3, card={"rendered": True})])
    assert "rendered data: says nothing about patients" in text
    assert "fewer than 10 groups in a class: do not trust the interval" in text
