"""The eight kinds of leakage: each fails, passes and is unknown where it should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leukoscope.checks import check_records, examine, examine_records
from leukoscope.checks.leakage import KINDS, Answer, Known, answer_all
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.findings import Checked, Finding
from leukoscope.records.run import Run

MakeRun = Callable[..., Run]
CLEAN = tuple(
    Checked(check=name, state="clean")
    for name in (
        "identical-parts", "near-identical-parts", "shortcuts", "fitted-on-test",
        "chosen-on-test", "tested-pretraining", "transductive",
    )
)  # fmt: skip


def by_number(answers: tuple[Answer, ...]) -> dict[str, Answer]:
    return {answer.kind.number: answer for answer in answers}


def of(
    run: Run | None = None, *findings: Finding, checked: Any = CLEAN, **split: Any
) -> dict[str, str]:
    """Kind → verdict."""
    division = run.split.model_copy(update=split) if run else None
    known = Known.of(findings, checked, division, run)
    return {number: one.verdict for number, one in by_number(answer_all(known)).items()}


def finding(check: str, severity: Any = "error", **evidence: Any) -> Finding:
    return Finding(check=check, severity=severity, summary="So it is.", evidence=evidence)


def test_the_kinds_are_kapoor_and_narayanans_eight() -> None:
    assert list(KINDS) == ["L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2", "L3.3"]


def test_an_honest_run_passes_what_its_records_show(make_run: MakeRun) -> None:
    assert of(make_run()) == {
        "L1.1": "pass", "L1.2": "pass", "L1.3": "pass", "L1.4": "pass", "L2": "pass",
        "L3.1": "cannot know", "L3.2": "pass", "L3.3": "cannot know",
    }  # fmt: skip


def test_without_a_split_hardly_anything_is_known() -> None:
    answers = of(checked=())
    assert set(answers.values()) == {"cannot know"}
    assert of(None, finding("identical-subjects"))["L3.2"] == "fail"
    official = finding("identical-parts", "warning", split="official")
    assert of(None, official)["L1.4"] == "fail"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("L1.1", finding("test-part")),
        ("L1.1", finding("chosen-on-test", "warning", chosen="epoch")),
        ("L1.1", finding("tested-pretraining")),
        ("L1.2", finding("fitted-on-test", "warning")),
        ("L1.2", finding("copies-before-split", "warning")),
        ("L1.2", finding("transductive", "warning")),
        ("L1.2", finding("cut-groups", unit="original")),
        ("L1.4", finding("identical-parts", split="made")),
        ("L1.4", finding("near-identical-parts", split="made")),
        ("L1.4", finding("copies-before-split", "warning", factor=8)),
        ("L1.4", finding("cut-groups", unit="original")),
        ("L2", finding("one-class-sources")),
        ("L2", finding("shortcuts", "warning")),
        ("L3.2", finding("cut-groups", unit="group")),
        ("L3.2", finding("foreign-split")),
        ("L3.2", finding("identical-subjects")),
    ],
)
def test_a_finding_fails_its_kind(make_run: MakeRun, kind: str, found: Finding) -> None:
    run = make_run()
    assert of(run, found)[kind] == "fail"
    (answer,) = [
        one for one in answer_all(Known.of([found], CLEAN, run.split, run))
        if one.kind.number == kind
    ]  # fmt: skip
    assert (answer.reason, answer.findings) == ("So it is.", (found.check,))


def test_what_does_not_fail(make_run: MakeRun) -> None:
    run = make_run()
    # Official parts that nobody used, notes, and subjects that were joined.
    assert of(run, finding("identical-parts", "warning", split="official"))["L1.4"] == "pass"
    assert of(run, finding("one-class-sources", "note"))["L2"] == "pass"
    assert of(run, finding("identical-subjects", "warning"))["L3.2"] == "pass"
    # A threshold that nobody accounts for is not known to be a leak.
    moved = finding("chosen-on-test", "warning", chosen="threshold")
    assert of(run, moved)["L1.1"] == "cannot know"


def test_what_was_not_checked_is_not_passed(make_run: MakeRun) -> None:
    run = make_run()
    for check, kind in {
        "identical-parts": "L1.4", "near-identical-parts": "L1.4", "shortcuts": "L2",
        "fitted-on-test": "L1.2", "transductive": "L1.2", "chosen-on-test": "L1.1",
        "tested-pretraining": "L1.1",
    }.items():  # fmt: skip
        gap = Checked(check=check, state="not checked", reason="nobody looked")
        rest = tuple(one for one in CLEAN if one.check != check)
        assert of(run, checked=(*rest, gap))[kind] == "cannot know", check
        assert of(run, checked=rest)[kind] == "cannot know", check


def test_unhashed_rows_and_inferred_groups_are_unknown(make_run: MakeRun) -> None:
    run = make_run()
    unhashed = finding("identical-images", "note", rows_without_hash=3)
    assert of(run, unhashed)["L1.4"] == "cannot know"
    assert of(run, groups="inferred")["L3.2"] == "cannot know"
    assert of(run, unit="image")["L3.2"] == "cannot know"


def test_what_is_tested_may_not_be_what_is_claimed(make_run: MakeRun) -> None:
    assert of(make_run({"data": {"leave_out": ["basophil"]}}))["L3.3"] == "fail"
    assert of(make_run({"data": {"balance": 500}}))["L3.3"] == "fail"
    copied = make_run({"edition": "as-published", "expand": {"factor": 8, "before_split": True}})
    assert of(copied)["L3.3"] == "fail"


def test_a_run_alone_answers_from_its_records(make_run: MakeRun) -> None:
    run = make_run({"edition": "as-published", "training": {"epoch": "best-test"}},
                   model={"fitted_rows": "all"})  # fmt: skip
    answers = by_number(examine_records(run, check_records(run)))
    assert (answers["L1.1"].verdict, answers["L1.2"].verdict) == ("fail", "fail")
    # Nobody kept what was checked before this run's training.
    assert answers["L1.4"].verdict == "cannot know"
    assert answers["L1.4"].reason == "no record says that it was looked for"


def test_the_verdict_says_what_to_do(
    make: Callable[..., Manifest], clean: Manifest, make_run: MakeRun
) -> None:
    hashes = ["a" * 64] * 2
    rows = [{"image": f"{n}.png", "sha256": h} for n, h in enumerate(hashes)]
    rows[1]["label"] = "normal"
    outcome = examine(make(rows), only=["identical-labels", "near-identical-images"])
    assert outcome.grade == "mend"
    assert outcome.verdict == (
        "Do not train on this data yet: first mend 1 error, beginning with “Identical pixels under "
        "different labels”."
    )
    states = {one.check: (one.state, one.reason) for one in outcome.checked}
    assert states == {
        "identical-labels": ("found", ""),
        "near-identical-images": ("not checked", "no image is at hand"),
    }
    sound = examine(clean, only=["identical-labels", "cut-groups"])
    assert sound.grade == "sound"
    assert sound.verdict == (
        "No error and no warning in what was checked of this data: divide it by whole groups "
        "(leukoscope split)."
    )
    unseen = examine(make(rows[:1]), only=["near-identical-images"])
    assert unseen.grade == "unseen"
    run = make_run(model={"prediction": "transductive"})
    careful = examine(clean, run=run, split=run.split, only=["transductive"])
    assert careful.verdict.startswith("Use this run with care: 1 warning must stand beside")
    assert careful.to_json()["verdict"]["grade"] == "care"
    assert [one["kind"] for one in careful.to_json()["leakage"]] == list(KINDS)
