"""Imbalance, inferred groups, and sources of one class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leukoscope.checks import run_checks
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.findings import Finding

Make = Callable[..., Manifest]


def found(data: Manifest, name: str) -> list[Finding]:
    return list(run_checks(data, only=[name]))


@pytest.mark.parametrize(
    ("blasts", "normals", "severity"), [(19, 10, None), (20, 10, "note"), (10, 100, "warning")]
)
def test_class_imbalance(make: Make, blasts: int, normals: int, severity: str | None) -> None:
    rows = [{"image": f"{i}.png", "label": "blast"} for i in range(blasts)]
    rows += [{"image": f"n{i}.png", "label": "normal"} for i in range(normals)]
    findings = found(make(rows), "class-imbalance")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if severity == "warning":
        assert findings[0].summary == (
            "'normal' has 100 images and 'blast' 10, 10.0 times as many: always answering "
            "'normal' is right for 90.9% of the images."
        )
        assert findings[0].evidence["counts"] == {"blast": 10, "normal": 100}


def test_one_class_is_not_imbalanced(make: Make) -> None:
    assert found(make([{"image": "a.png"}, {"image": "b.png"}]), "class-imbalance") == []


def test_published_subjects_need_no_note(make: Make) -> None:
    rows = [{"image": "a.png", "group": "s"}, {"image": "b.png", "group": "t"}]
    assert found(make(rows), "inferred-groups") == []


def test_inferred_groups_are_a_note_with_what_the_card_says(make: Make) -> None:
    rows = [{"image": f"{i}.png", "group": "g", "subject": "", "group_source": "inferred"}
            for i in range(3)]  # fmt: skip
    data = make(rows, group_note="Runs of 20 file numbers.")
    (finding,) = found(data, "inferred-groups")
    assert finding.severity == "note"
    assert finding.summary.startswith("3 of 3 rows without a published subject")
    assert finding.summary.endswith("too good (Runs of 20 file numbers).")


def test_groups_without_subjects_are_a_note(make: Make) -> None:
    (finding,) = found(make([{"image": "a.png", "group": "g", "subject": ""}]), "inferred-groups")
    assert "with a group but no subject" in finding.summary


def test_absent_groups_are_a_warning(make: Make) -> None:
    data = make([{"image": "a.png", "group": "", "group_source": ""}, {"image": "b.png"}])
    (finding,) = found(data, "inferred-groups")
    assert finding.severity == "warning"
    assert finding.summary.startswith("1 of 2 rows without a group")


def sources(make: Make, table: dict[str, dict[str, int]], column: str = "site") -> Manifest:
    return make(
        [
            {"image": f"{name}-{label}-{i}.png", "label": label, column: name}
            for name, of in table.items()
            for label, number in of.items()
            for i in range(number)
        ]
    )


def of_source(data: Manifest, source: str) -> list[Finding]:
    return [f for f in found(data, "one-class-sources") if f.evidence["source"] == source]


@pytest.mark.parametrize("column", ["site", "dataset"])
def test_sites_of_one_class_each_are_an_error(make: Make, column: str) -> None:
    data = sources(make, {"X": {"blast": 30}, "Y": {"normal": 20}}, column)
    (finding,) = of_source(data, column)
    assert finding.severity == "error"
    assert "Answering by " in finding.summary
    assert "is right for 100.0% of the images" in finding.summary
    assert "always the same class for 60.0%" in finding.summary
    assert finding.evidence["counts"] == {"X": {"blast": 30, "normal": 0},
                                          "Y": {"blast": 0, "normal": 20}}  # fmt: skip


def test_one_site_of_one_class_is_a_warning(make: Make) -> None:
    (finding,) = of_source(
        sources(make, {"X": {"blast": 30, "normal": 30}, "Y": {"normal": 20}}), "site"
    )
    assert finding.severity == "warning"
    assert "1 of 2 sites has images of one class only (Y: 20 normal)" in finding.summary


@pytest.mark.parametrize(
    "table",
    [
        {"X": {"blast": 30, "normal": 5}, "Y": {"blast": 4, "normal": 20}},
        {"X": {"blast": 30, "normal": 30}, "Y": {"normal": 9}},
        {"X": {"blast": 30, "normal": 30}},
        {"X": {"blast": 30}, "Y": {"blast": 20}},
    ],
    ids=["both classes", "too few images", "one site", "one class"],
)
def test_no_finding_about_sites(make: Make, table: dict[str, Any]) -> None:
    assert of_source(sources(make, table), "site") == []


def test_groups_of_one_class_are_a_note(make: Make) -> None:
    table = {f"g{i}": {("blast", "normal")[i % 2]: 3} for i in range(6)}
    (finding,) = of_source(sources(make, table, "group"), "group")
    assert finding.severity == "note"
    assert finding.summary.startswith("Each of the 6 groups has images of one class only")
    table["g0"]["normal"] = 1
    assert of_source(sources(make, table, "group"), "group") == []
