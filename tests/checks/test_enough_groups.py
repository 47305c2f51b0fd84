"""Whether there is enough to conclude from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scipy.stats import binomtest

from leukoscope.checks import run_checks
from leukoscope.checks.enough_groups import widest_wilson
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.findings import Finding
from leukoscope.splits.splitting import make_split

Make = Callable[..., Manifest]


@pytest.mark.parametrize("number", [2, 10, 28, 66, 400])
def test_the_widest_interval_is_scipys_at_one_half(number: int) -> None:
    interval = binomtest(number // 2, number).proportion_ci(method="wilson")
    assert widest_wilson(number) == pytest.approx((interval.low, interval.high), abs=1e-12)
    every = [binomtest(k, number).proportion_ci(method="wilson") for k in range(number + 1)]
    assert max(one.high - one.low for one in every) == pytest.approx(interval.high - interval.low)


def of(make: Make, blasts: int, normals: int, images: int = 5, **more: Any) -> Manifest:
    return make(
        [
            {"image": f"{label}{g}-{i}.png", "label": label, "group": f"{label}{g}"} | more
            for label, groups in (("blast", blasts), ("normal", normals))
            for g in range(groups)
            for i in range(images)
        ]
    )


def found(data: Manifest, **given: Any) -> list[Finding]:
    return list(run_checks(data, only=["enough-groups"], **given))


def test_a_class_of_one_group_is_an_error(make: Make) -> None:
    (finding,) = found(of(make, 20, 1))
    assert finding.severity == "error"
    assert "cannot both train and test" in finding.mend


def test_few_groups_are_a_warning_with_both_intervals(make: Make) -> None:
    (finding,) = found(of(make, 28, 9))
    assert finding.severity == "warning"
    low, high = widest_wilson(28)
    low_9, high_9 = widest_wilson(9)
    assert finding.summary == (
        "blast: 140 images of 28 groups, normal: 45 images of 9 groups. Tested on all of them, "
        f"expect 95 % intervals as wide as {low:.2f} to {high:.2f} for sensitivity and "
        f"{low_9:.2f} to {high_9:.2f} for specificity."
    )
    assert finding.evidence["classes"]["normal"]["groups"] == 9


def test_few_images_are_a_warning(make: Make) -> None:
    (finding,) = found(of(make, 12, 12, images=2))
    assert finding.severity == "warning"


def test_wide_intervals_are_a_note_and_narrow_ones_nothing(make: Make) -> None:
    (finding,) = found(of(make, 40, 40))
    assert finding.severity == "note"
    assert found(of(make, 100, 100)) == []


def test_inferred_groups_are_named_so(make: Make) -> None:
    (finding,) = found(of(make, 12, 12, group_source="inferred"))
    assert "groups are inferred; patients may be fewer" in finding.summary


def test_copies_do_not_count(make: Make) -> None:
    data = of(make, 12, 12)
    parents = ["" if i % 5 == 0 else str(key) for i, key in enumerate(data.keys)]
    (finding,) = found(data.with_columns(parent=parents))
    assert finding.evidence["classes"]["blast"]["images"] == 12


def test_the_split_says_how_few_groups_each_fold_tests(make: Make) -> None:
    data = of(make, 20, 10)
    split = make_split(data, SplitPlan(folds=5), seed=0, edition="leak-free")
    (finding,) = found(data, split=split)
    assert finding.evidence["classes"]["normal"]["fewest_test_groups"] == 2
    low, high = widest_wilson(2)
    tested = finding.evidence["classes"]["normal"]["widest_test_interval"]
    assert tested == pytest.approx([low, high], abs=1e-4)


def test_with_several_classes_the_smallest_is_named(make: Make) -> None:
    data = make(
        [
            {"image": f"{label}{i}.png", "label": label, "group": f"{label}{i}"}
            for label, n in (("a", 40), ("b", 50), ("c", 35))
            for i in range(n)
        ],
        classes={},
    )
    (finding,) = found(data)
    low, high = widest_wilson(35)
    assert f"as wide as {low:.2f} to {high:.2f} for the recall of c." in finding.summary


def test_two_classes_of_which_none_is_positive_have_recalls(make: Make) -> None:
    rows = [
        {"image": f"{label}{i}.png", "label": label, "group": f"{label}{i}"}
        for label in ("early", "late")
        for i in range(40)
    ]
    (finding,) = found(make(rows, classes={"early": "", "late": ""}))
    assert "for the recall of early and" in finding.summary
    assert finding.summary.endswith("for the recall of late.")
    (named,) = found(make(rows, classes={"early": "", "late": ""}).with_card(positive="late"))
    assert "for specificity and" in named.summary
    assert "for sensitivity." in named.summary


def test_images_count_where_there_are_no_groups(make: Make) -> None:
    data = of(make, 10, 10).with_columns(group=[""] * 100, group_source=[""] * 100)
    (finding,) = found(data)
    assert "blast: 50 images of 50 images" in finding.summary


def test_one_class_and_no_label(make: Make) -> None:
    findings = found(of(make, 20, 0))
    assert findings[0].severity == "error"
    assert findings[0].summary == (
        "100 rows, all of class 'blast': there is nothing to tell apart."
    )
    (finding,) = found(make([{"image": "a.png", "label": ""}]))
    assert finding.summary == "None of the 1 row has a label."
