"""The check's own page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows
from leukoscope.errors import ReportError
from leukoscope.records.findings import Finding
from leukoscope.reports import write_check_report


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
        check="identical-pixels",
        severity="error",
        summary="14 images are alike.",
        evidence={"pairs": 1234, "groups": [["blast/01.png", "blast/03.png"]] * 9},
        images=(*manifest.keys[:13], "blast/gone.png"),
        mend="Remove the copies.",
    )
    write_check_report(manifest, [finding], tmp_path / "out" / "check.html")
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
    write_check_report(manifest, [finding], tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert not page.all("img")
    assert page.fields["checks.images"] == ["blast/gone.png ../outside.png"]


def test_the_gravest_stands_first(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    findings = [
        Finding(check=severity, severity=severity, summary=f"A {severity}.")
        for severity in ("note", "warning", "error")
    ]
    write_check_report(manifest, findings, tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert page.fields["checks.severity"] == ["error", "warning", "note"]


def test_nothing_found_is_a_result_too(manifest: Manifest, parse: Any, tmp_path: Path) -> None:
    write_check_report(manifest, [], tmp_path / "check.html")
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
    write_check_report(manifest, [finding], tmp_path / "check.html")
    page = parse(tmp_path / "check.html")
    assert "<script" not in page.text
    assert page.fields["checks.summary"] == [hostile]


def test_rendered_data_is_said_across_the_top(
    manifest: Manifest, parse: Any, tmp_path: Path
) -> None:
    write_check_report(manifest.with_card(rendered=True), [], tmp_path / "check.html")
    assert "page.rendered" in parse(tmp_path / "check.html").fields


def test_an_empty_manifest_and_a_folder_are_refused(manifest: Manifest, tmp_path: Path) -> None:
    empty = manifest.with_table(manifest.table.iloc[:0])
    with pytest.raises(ReportError, match=r"made-up: the manifest has no rows.*data read"):
        write_check_report(empty, [], tmp_path / "check.html")
    with pytest.raises(ReportError, match="is a folder"):
        write_check_report(manifest, [], tmp_path)
