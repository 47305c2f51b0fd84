"""The fuzzy section: shown where a run's folder holds verdicts of its own predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukoscope.errors import FuzzyError
from leukoscope.files import sha256_file
from leukoscope.records.predictions import read_predictions, write_predictions
from leukoscope.records.verdicts import (
    Curves,
    Difference,
    Judged,
    Plane,
    Rule,
    Variable,
    Verdicts,
    write_curves,
    write_verdicts,
)
from leukoscope.reports import write_report
from leukoscope.reports.sections import fuzzy
from leukoscope.reports.study import read_study

pytestmark = pytest.mark.usefixtures("without_figures")


def estimate(value: float | None, **changes: Any) -> Difference:
    ends = (None, None) if value is None else (value - 0.05, value + 0.05)
    return Difference(**{
        "value": value, "low": ends[0], "high": ends[1], "groups": 28, "n": 168, **changes
    })  # fmt: skip


def add_verdicts(run: Path, name: str = "three", **changes: Any) -> Path:
    """A folder of verdicts as ``evaluate --fuzzy`` writes it: a third is referred."""
    folder = run / name
    table = read_predictions(run / "predictions.csv").part("test").table
    p = table["p_blast"].to_numpy()
    verdict = np.where(p >= 0.5, "blast", "normal")
    verdict[::3] = "refer"
    write_predictions(
        table.assign(calibrated=p, verdict=verdict, reason='rule <1> of "it"'),
        folder / "predictions.csv",
    )
    wrong = int(((verdict != "refer") & (verdict != table["label"])).sum())
    rule = {"answered": 112, "referred": 56, "missed": 3}
    counts = {
        label: {v: int(((table["label"] == label) & (verdict == v)).sum()) for v in fuzzy.VERDICTS}
        for label in ("blast", "normal")
    }
    values: dict[str, Any] = {
        "system": name,
        "source": "made up",
        "inputs": ("probability of blast", "nucleus-to-cell ratio"),
        "edition": "leak-free",
        "positive": "blast",
        "predictions_sha256": sha256_file(run / "predictions.csv"),
        "verdicts": {"normal": 56, "refer": 56, "blast": 56},
        "by_label": counts,
        "plain_by_label": counts,
        "measured": {"cells": 336, "flags": {"cut": 4}},
        "comparison": Judged(
            cells=168,
            groups=28,
            a=Rule(errors=wrong, rate=estimate(wrong / 112), **rule),
            b=Rule(errors=1, rate=estimate(None, reason="too few"), **rule),
            difference=estimate(0.25),
        ),
        "summary": "the fuzzy system is wrong: difference -0.250: the fuzzy system loses.",
        "notes": ("Fold 0: rough.",),
    }
    x = (0.0, 0.5, 1.0)
    sets = {"low": (1.0, 0.5, 0.0), "high": (0.0, 0.5, 1.0)}
    panels = (
        Variable(name="probability", title="probability of blast", x=x, sets=sets),
        Variable(name="score", title="score (verdict)", x=x, sets=sets, cuts=(0.3, 0.6)),
    )
    plane = Plane(
        x=x, y=x, score=((0.1, 0.5, 0.9), (0.1, 0.5, 0.9), (0.1, None, 0.9)),
        x_title="probability of blast", y_title="ratio", cuts=(0.3, 0.6), held={"entropy": 5.0},
    )  # fmt: skip
    write_curves(Curves(note="leak-free", memberships=panels, surface=plane), folder)
    write_verdicts(Verdicts(**(values | changes)), folder)
    return folder


def test_a_run_without_verdicts_has_no_section(make_run: Any) -> None:
    assert fuzzy.build(read_study([make_run()])) is None


def test_the_section_says_who_wins_and_shows_both_rules(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    run = make_run()
    folder = add_verdicts(run)
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    (summary,) = page.fields["fuzzy.summary"]
    assert summary.endswith("difference \u22120.250: the fuzzy system loses.")
    table = read_predictions(folder / "predictions.csv").table
    wrong = table[(table["verdict"] != "refer") & (table["verdict"] != table["label"])]
    (compared,) = page.fields["fuzzy.comparison"]
    assert f"Fuzzy system 56 112 {len(wrong)} 3" in compared
    assert "Plain band 56 112 1 3 too few" in compared
    assert "+0.250 +0.200 to +0.300" in compared
    (verdicts,) = page.fields["fuzzy.verdicts"]
    blasts = table[table["label"] == "blast"]["verdict"].value_counts()
    counts = " ".join(str(blasts[name]) for name in fuzzy.VERDICTS)
    assert f"blast {len(table[table['label'] == 'blast'])} {counts} {counts}" in verdicts
    # The surest wrong answer comes first; what data says is escaped.
    p = wrong["p_blast"].to_numpy()
    surest = wrong["row"].iloc[int(np.argmax(np.abs(p - 0.5)))]
    (listed,) = page.fields["fuzzy.wrong"]
    assert listed.index(surest) < 120
    assert 'rule <1> of "it"' in listed
    assert "rule &lt;1&gt;" in page.text
    drawn = {name for name in page.fields if name.startswith("fuzzy.figures.")}
    assert drawn == {"fuzzy.figures.memberships", "fuzzy.figures.decision_surface"}
    assert page.fields["fuzzy.notes"] == ["Fold 0: rough."]
    assert "336 cells measured" in page.fields["fuzzy.measured"][0]
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))


def test_two_systems_of_two_runs_stand_beside_each_other(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    runs = [make_run("a"), make_run("b", skill=2.0)]
    for name in ("three", "five"):
        add_verdicts(runs[0], name)
    add_verdicts(runs[1])
    write_report(runs, tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert len(page.fields["fuzzy.summary"]) == 3
    section = fuzzy.build(read_study(runs))
    assert section is not None
    headings = [one.heading for one in section.decided]
    assert len(set(headings)) == 3
    assert headings[0].endswith("system five")
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))


def test_verdicts_of_other_predictions_are_not_shown(
    make_run: Any, parse: Any, tmp_path: Path
) -> None:
    run = make_run()
    add_verdicts(run, predictions_sha256="0" * 64)
    write_report([run], tmp_path / "report.html")
    page = parse(tmp_path / "report.html")
    assert "made from other predictions than the run has now" in page.fields["fuzzy.stale"][0]
    assert "fuzzy.summary" not in page.fields


def test_a_damaged_file_is_named(make_run: Any) -> None:
    run = make_run()
    folder = add_verdicts(run)
    path = folder / "fuzzy.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"by_label"', '"by_lable"'))
    with pytest.raises(FuzzyError, match=r"fuzzy\.json.*unknown key 'by_lable'"):
        fuzzy.build(read_study([run]))
