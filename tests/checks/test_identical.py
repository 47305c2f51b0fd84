"""Identical pixels under different names, labels, subjects and parts: found, and not invented."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukoscope.checks import run_checks
from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows
from leukoscope.records.findings import Finding
from leukoscope.records.split import Fold, Split
from leukoscope.splits.grouping import group

Make = Callable[..., Manifest]
A, B, C = "a" * 64, "b" * 64, "c" * 64


def found(data: Manifest, name: str, **given: Any) -> list[Finding]:
    return list(run_checks(data, only=[name], **given))


def test_identical_images_are_counted_in_pairs_and_sets(make: Make) -> None:
    hashes = [A, A, A, B, B, C]
    data = make([{"image": f"{i}.png", "sha256": h} for i, h in enumerate(hashes)])
    (finding,) = found(data, "identical-images")
    assert finding.severity == "note"
    assert finding.summary.startswith("4 pairs of images with identical pixels")
    assert "in 2 sets of 5 images" in finding.summary
    assert finding.evidence["groups"] == [["0.png", "1.png", "2.png"], ["3.png", "4.png"]]
    assert finding.images == ("0.png", "1.png", "2.png", "3.png", "4.png")


def test_pixels_count_where_files_differ(make: Make) -> None:
    rows = [
        {"image": "a.bmp", "sha256": A, "pixels_sha256": C},
        {"image": "a.png", "sha256": B, "pixels_sha256": C},
    ]
    (finding,) = found(make(rows), "identical-images")
    assert finding.evidence["pairs"] == 1


def test_different_images_and_boxes_in_one_file_are_not_identical(make: Make) -> None:
    box = {"x0": 0, "y0": 0, "x1": 9, "y1": 9}
    rows: list[dict[str, Any]] = [
        {"image": "a.png", "sha256": A},
        {"image": "b.png", "sha256": B},
        {"image": "field.png", "sha256": C} | box,
        {"image": "field.png", "sha256": C} | box | {"x0": 5},
    ]
    assert found(make(rows), "identical-images") == []


def test_rows_without_a_hash_are_said_to_be_unknown(make: Make) -> None:
    data = make([{"image": "a.png", "sha256": A}, {"image": "b.png"}])
    (finding,) = found(data, "identical-images")
    assert finding.severity == "note"
    assert finding.summary.startswith("1 row of 2 carry no hash")


def test_identical_labels(make: Make) -> None:
    rows = [
        {"image": "a.png", "sha256": A, "label": "blast"},
        {"image": "b.png", "sha256": A, "label": "normal"},
        {"image": "c.png", "sha256": B, "label": "normal"},
    ]
    (finding,) = found(make(rows), "identical-labels")
    assert finding.severity == "error"
    assert finding.summary == (
        "1 pair of images with identical pixels has different labels (blast and normal 1)."
    )
    assert finding.evidence["groups"] == [["a.png", "b.png"]]
    for label in ("blast", ""):
        rows[1]["label"] = label
        assert found(make(rows), "identical-labels") == []


def test_identical_subjects_are_an_error_until_their_groups_are_joined(make: Make) -> None:
    rows = [
        {"image": f"{subject}{i}.png", "subject": subject, "group": subject, "sha256": hash_}
        for subject, hash_, i in [("s1", A, 0), ("s2", A, 0), ("s3", B, 0), ("s1", C, 1)]
    ]
    (finding,) = found(make(rows), "identical-subjects")
    assert finding.severity == "error"
    assert finding.evidence["subject_pairs"] == [["s1", "s2", 1]]
    assert (finding.evidence["subjects"], finding.evidence["independent_groups"]) == (3, 2)
    assert "Join the tied subjects" in finding.mend
    (joined,) = found(group(make(rows), duplicates=False), "identical-subjects")
    assert joined.severity == "warning"
    assert joined.evidence["pairs_in_different_groups"] == 0


def test_identical_images_of_one_or_of_no_subject_tie_nothing(make: Make) -> None:
    for second in ("s1", ""):
        rows = [
            {"image": "a.png", "subject": "s1", "sha256": A},
            {"image": "b.png", "subject": second, "sha256": A},
        ]
        assert found(make(rows), "identical-subjects") == []


def split_of(data: Manifest, train: tuple[str, ...], test: tuple[str, ...], edition: Any) -> Split:
    return Split(
        kind="given",
        edition=edition,
        unit="image",
        groups="published",
        seed=0,
        manifest_sha256=data.sha256,
        folds=(Fold(name="fold-0", train=train, test=test),),
    )


def test_identical_parts_of_a_split(make: Make) -> None:
    hashes = [A, A, B, B]
    data = make([{"image": f"{i}.png", "sha256": h} for i, h in enumerate(hashes)])
    split = split_of(data, ("0.png", "2.png"), ("1.png", "3.png"), "leak-free")
    (finding,) = found(data, "identical-parts", split=split)
    assert finding.severity == "error"
    assert finding.summary.startswith("2 pairs of images with identical pixels lie in two parts")
    assert finding.evidence["groups"] == [["0.png", "1.png"], ["2.png", "3.png"]]
    declared = split.model_copy(update={"edition": "as-published"})
    (finding,) = found(data, "identical-parts", split=declared)
    assert finding.severity == "warning"
    assert "as published" in finding.summary
    apart = split_of(data, ("0.png", "1.png"), ("2.png", "3.png"), "leak-free")
    assert found(data, "identical-parts", split=apart) == []
    assert found(data, "identical-parts") == []


def test_identical_official_parts(make: Make) -> None:
    rows = [
        {"image": "a.png", "sha256": A, "official_split": "train"},
        {"image": "b.png", "sha256": A, "official_split": "test"},
    ]
    (finding,) = found(make(rows), "identical-parts")
    assert (finding.severity, finding.evidence["split"]) == ("warning", "official")
    rows[1]["official_split"] = "train"
    assert found(make(rows), "identical-parts") == []


@pytest.mark.real
def test_cnmc_from_its_hashes_alone(real_data: Path) -> None:
    """104 identical pairs, 94 across official folds, seven tied pairs of subjects, 66 groups."""
    with (real_data / "cnmc" / "cnmc_train_sha256.csv").open(encoding="utf-8") as file:
        rows = [
            {
                "image": f"fold_{row['fold']}/{row['label']}/{row['name']}",
                "label": {"all": "blast", "hem": "normal"}[row["label"]],
                "subject": f"cnmc:{row['subject'].upper()}",
                "official_split": f"fold_{row['fold']}",
                "sha256": row["sha256"],
            }
            for row in csv.DictReader(file)
        ]
    card = DatasetCard(name="cnmc", classes={"blast": "blast", "normal": "normal"})
    data = manifest_from_rows(rows, card, Path("/nowhere"))
    findings = {finding.check: finding for finding in run_checks(data)}
    assert findings["identical-images"].evidence["pairs"] == 104
    assert findings["identical-parts"].evidence["pairs"] == 94
    assert "None of the 10,661 images is at hand" in findings["unreadable-images"].summary
    tied = findings["identical-subjects"].evidence
    pairs = {frozenset(name.removeprefix("cnmc:") for name in (a, b))
             for a, b, _ in tied["subject_pairs"]}  # fmt: skip
    assert pairs == {
        frozenset(pair.split())
        for pair in ("20 21", "51 75", "51 78", "H10 H3", "H2 H4", "H2 H5", "H2 H6")
    }
    assert (tied["subjects"], tied["independent_groups"]) == (73, 66)
    grouped = group(data, duplicates=False)
    assert len(set(grouped.column("group"))) == 66
    (after,) = run_checks(grouped, only=["identical-subjects"])
    assert after.severity == "warning"
