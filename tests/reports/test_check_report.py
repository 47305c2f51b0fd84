"""The check's own page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.checks import Examination, examine
from leukoscope.checks.examination import examined
from leukoscope.checks.leakage import Known
from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows
from leukoscope.errors import ReportError
from leukoscope.records.findings import Checked, Finding
from leukoscope.records.split import Fold, Split
from leukoscope.reports import write_check_report


def outcome(*findings: Finding, checked: tuple[Checked, ...] = ()) -> Examination:
    return examined(findings, checked, {}, Known.of(findings, checked, None, None))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    card = DatasetCard(name="made-up", title="Made-up", classes={"blast": "blast", "normal": ""})
    rows = []
    for number in range(20):
        image = f"{'blast' if number % 2 else 'normal'}/{number:02d}.png"
        rows.append({"image": image, "label": image.split("/")[0]})
        path = tmp_path / image
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), 10 * number, dtype=np.uint8)).save(path)
    return manifest_from_rows(rows, card, tmp_path)


def test_findings_are_shown_with_their_images(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    finding = Finding(
        check="alike",
        severity="error",
        summary="14 images are alike.",
        evidence={"pairs": 1234, "groups": [["blast/01.png", "blast/03.png"]] * 9},
        images=(*manifest.keys[:13], "blast/gone.png"),
        mend="Remove the copies.",
    )
    write_check_report(manifest, outcome(finding), tmp_path / "out" / "check.html")
    page = parse(tmp_path / "out" / "check.html")
    assert page.fields["checks.counts"] == ["1 error in 20 rows."]
    assert page.fields["checks.severity"] == ["error"]
    assert page.fields["checks.mend"] == ["Mend: Remove the copies."]
    assert "1,234" in page.fields["checks.evidence"][0]
    assert page.fields["checks.evidence"][0].endswith("; and 1 more")
    assert len(page.all("img")) == 12
    assert "and 2 more images" in page.text
    assert page.fields["page.research"] == ["Research use only; not for diagnosis."] * 2


def test_absent_images_keep_their_names(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    finding = Finding(
        check="unreadable",
        severity="warning",
        summary="2 images.",
        images=("blast/gone.png", "../outside.png"),
    )
    (tmp_path.parent / "outside.png").write_bytes((tmp_path / "blast/01.png").read_bytes())
    write_check_report(manifest, outcome(finding), tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert not page.all("img")
    assert page.fields["checks.images"] == ["blast/gone.png ../outside.png"]


def test_the_gravest_stands_first(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    findings = [
        Finding(check=severity, severity=severity, summary=f"A {severity}.")
        for severity in ("note", "warning", "error")
    ]
    write_check_report(manifest, outcome(*findings), tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert page.fields["checks.severity"] == ["error", "warning", "note"]


def test_nothing_found_is_a_result_too(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    write_check_report(manifest, outcome(), tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert page.fields["checks.counts"] == ["Nothing was found in 20 rows."]
    assert "no proof that nothing is wrong" in page.text


def test_hostile_findings_are_escaped(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    finding = Finding(
        check=hostile,
        severity="error",
        summary=hostile,
        evidence={hostile: {hostile: [hostile]}},
        images=(hostile,),
        mend=hostile,
    )
    write_check_report(manifest, outcome(finding), tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert "<script" not in page.text
    assert page.fields["checks.summary"] == [hostile]


def test_rendered_data_is_said_across_the_top(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    write_check_report(manifest.with_card(rendered=True), outcome(), tmp_path / "check.html")
    assert "page.rendered" in parse(tmp_path / "check.html").fields


def test_an_empty_manifest_and_a_folder_are_refused(manifest: Manifest, tmp_path: Path) -> None:
    empty = manifest.with_table(manifest.table.iloc[:0])
    with pytest.raises(ReportError, match=r"made-up: the manifest has no rows.*data read"):
        write_check_report(empty, outcome(), tmp_path / "check.html")
    with pytest.raises(ReportError, match="is a folder"):
        write_check_report(manifest, outcome(), tmp_path)


def test_a_verdict_that_one_can_act_on_stands_on_top(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    finding = Finding(check="cells", severity="error", summary="2 are wrong.", mend="Mend them.")
    write_check_report(manifest, outcome(finding), tmp_path / "a.html", next_step="leukoscope x")
    page = parse(tmp_path / "a.html")
    assert page.fields["checks.verdict"] == [
        "Do not train on this data yet: first mend 1 error, beginning with “cells”."
    ]
    assert page.fields["checks.first"] == ["Begin here: Mend them."]
    assert page.fields["checks.next"] == ["Then: leukoscope x"]
    assert not page.all("script")
    assert page.text.index("checks.verdict") < page.text.index("checks.summary")


def test_what_is_clean_and_what_could_not_be_checked(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    checked = (
        Checked(check="identical-images", state="clean"),
        Checked(check="cut-groups", state="not checked", reason="no split was given"),
        Checked(check="test-part", state="not checked", reason="no split was given"),
        Checked(check="transductive", state="not checked", reason="no run was given (--run)"),
    )
    write_check_report(manifest, outcome(checked=checked), tmp_path / "a.html")
    page = parse(tmp_path / "a.html")
    assert page.fields["checks.clean"] == ["Identical pixels under different names"]
    (text,) = page.fields["checks.unchecked"]
    assert text.startswith("No split was given: A group, a subject, a field")
    assert "2 checks could not be made" in page.fields["checks.counts"][0]
    assert page.fields["leakage.kind"] == ["L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2",
                                           "L3.3"]  # fmt: skip
    assert set(page.fields["leakage.verdict"]) == {"cannot know"}


def test_pairs_stand_side_by_side_with_their_parts(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    """Rows 1 and 3 share their pixels and lie in two parts; the figure says which."""
    hashes = [f"{n:064x}" for n in range(len(manifest))]
    hashes[1] = hashes[0]
    data = manifest.with_columns(
        pixels_sha256=hashes, group=list(manifest.keys), group_source=["published"] * 20
    )
    split = Split(
        kind="given", edition="leak-free", unit="group", groups="published", seed=0,
        manifest_sha256=data.sha256,
        folds=(Fold(name="fold-0", train=tuple(data.keys[1:]), test=(data.keys[0],)),),
    )  # fmt: skip
    found = examine(data, split=split, only=["identical-parts"])
    write_check_report(data, found, tmp_path / "a.html", split=split)
    page = parse(tmp_path / "a.html")
    (figure,) = page.fields["checks.figure"]
    assert f"{data.keys[0]} (test) and {data.keys[1]} (train), identical" in figure
    assert page.fields["checks.verdict"][0].startswith("Do not use this split: first mend 1 error")
    verdicts = dict(zip(page.fields["leakage.kind"], page.fields["leakage.verdict"], strict=True))
    assert verdicts["L1.4"] == "fail"


def test_evidence_of_equal_rows_is_a_table(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    counts = {f"site {n}": {"blast": n, "normal": 2 * n} for n in range(30)}
    finding = Finding(check="sites", severity="note", summary="30.", evidence={"counts": counts})
    write_check_report(manifest, outcome(finding), tmp_path / "a.html")
    page = parse(tmp_path / "a.html")
    (table,) = page.fields["checks.table"]
    assert table.startswith("counts blast normal site 0 0 0 site 1 1 2")
    assert "and 6 more rows" in page.text
