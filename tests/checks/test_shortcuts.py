"""Probes: each shortcut planted in noise is found, nothing is found in noise alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from leukoscope.checks import run_checks
from leukoscope.checks.context import Context
from leukoscope.checks.measuring.columns import COLUMNS
from leukoscope.checks.measuring.table import Measurements
from leukoscope.checks.probing import (
    MOST_ROWS,
    PROBES,
    classifier,
    folds_of,
    p_by_permutation,
    predicted,
    probe,
    probed_rows,
)
from leukoscope.checks.shortcuts import severity_of
from leukoscope.datasets.manifest import Manifest
from leukoscope.figures import FIGURES
from leukoscope.figures.by_class import MeasuredByClass
from leukoscope.records.findings import Finding

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
Make = Callable[..., Manifest]
Saved = Callable[..., Manifest]


def measured(
    make: Make, images: int = 160, groups: int = 40, classes: tuple[str, ...] = ("blast", "normal"),
    **planted: Callable[[np.ndarray, np.random.Generator], np.ndarray],
) -> Context:  # fmt: skip
    """A context of noise, in which the planted measurements are functions of the class's number.

    Groups are of one class each, as patients and healthy donors are.
    """
    rng = np.random.default_rng(3)
    group = np.arange(images) % groups
    label = group % len(classes)
    data = make(
        [
            {"image": f"{n}.png", "label": classes[label[n]], "group": f"g{group[n]}"}
            for n in range(images)
        ],
        classes={name: name if name in ("blast", "normal") else "" for name in classes},
    )
    # Rows of a manifest are in the order of their names.
    order = [int(name.removesuffix(".png")) for name in data.column("image")]
    values = rng.normal(size=(images, len(COLUMNS)))
    for name, of in planted.items():
        values[:, list(COLUMNS).index(name)] = of(label[order], rng)
    context = Context(data)
    context.__dict__["measurements"] = Measurements(values)
    return context


def found(context: Context, name: str) -> Any:
    rows = probed_rows(context)
    return probe(context, PROBES[name], rows, folds_of(context, rows))


def test_noise_tells_nothing(make: Make) -> None:
    context = measured(make)
    for name in PROBES:
        result = found(context, name)
        assert severity_of(result) is None, name
        assert result.chance == 0.5


@pytest.mark.parametrize(
    ("name", "column", "severity"),
    [
        ("image-size", "width_px", "error"),
        ("compression", "jpeg_quality", "error"),
        ("border", "border_green_mean", "error"),
        ("background", "background_blue_sd", "error"),
        ("marks", "mark_share", "error"),
        ("file-size", "file_bytes", "warning"),
        ("metadata", "metadata_tags", "warning"),
        ("colours", "red_mean", "warning"),
        ("object-area", "object_area_px", "warning"),
        ("file-numbers", "name_number_2", "note"),
    ],
)
def test_a_planted_shortcut_is_found_with_its_measurement(
    make: Make, name: str, column: str, severity: str
) -> None:
    context = measured(make, **{column: lambda k, rng: 3.0 * k + rng.normal(size=len(k))})
    result = found(context, name)
    assert result.metric == "auroc"
    assert result.column == column
    assert result.estimate.low > 0.85
    assert severity_of(result) == severity
    others = {probe for probe in PROBES if severity_of(found(context, probe))}
    assert others == {name}


def test_severity_follows_the_lower_end(make: Make) -> None:
    grades = [
        severity_of(found(measured(make, images=400, groups=400, border_red_mean=lambda k, rng, d=d:
                                   d * k + rng.normal(size=len(k))), "border"))
        for d in (0.3, 1.0, 3.0)
    ]  # fmt: skip
    assert grades == [None, "warning", "error"]


def test_a_shortcut_that_is_neither_more_nor_less_is_found(make: Make) -> None:
    """One class in the middle, the other on both sides: no linear model tells them apart."""
    context = measured(
        make,
        file_bytes=lambda k, rng: k * 5 * rng.choice([-1, 1], len(k)) + rng.normal(size=len(k)),
    )
    estimate = found(context, "file-size").estimate
    assert estimate.value > 0.95
    assert estimate.low > 0.5


def test_the_value_is_scikit_learns_within_the_folds(make: Make) -> None:
    context = measured(make, red_mean=lambda k, rng: 0.8 * k + rng.normal(size=len(k)))
    rows = probed_rows(context)
    folds = folds_of(context, rows)
    result = probe(context, PROBES["colours"], rows, folds)
    features = context.measurements.columns(PROBES["colours"].columns)[rows]
    table = predicted(context, rows, features, folds, classifier)
    areas, sizes = [], []
    for _, part in table.groupby("fold"):
        areas.append(roc_auc_score(part["label"] == "blast", part["p_blast"]))
        sizes.append(len(part))
    assert result.estimate.value == pytest.approx(np.average(areas, weights=sizes), abs=1e-9)
    assert result.estimate.groups == 40
    assert sum(sizes) == len(rows) == 160


def test_groups_are_never_cut(make: Make) -> None:
    context = measured(make)
    rows = probed_rows(context)
    groups = context.manifest.column("group")[rows]
    for train, test in folds_of(context, rows):
        assert not set(groups[train]) & set(groups[test])


def test_what_a_group_has_in_common_is_no_shortcut(make: Make) -> None:
    """A value for each group, the same in all its images: it tells the group, not the class."""
    rng = np.random.default_rng(0)
    context = measured(make, images=400, groups=20)
    of_group = dict(zip(sorted(set(context.manifest.column("group"))), rng.normal(size=20),
                        strict=True))  # fmt: skip
    values = context.measurements.values.copy()
    values[:, list(COLUMNS).index("file_bytes")] = [
        of_group[name] for name in context.manifest.column("group")
    ]
    context.__dict__["measurements"] = Measurements(values)
    result = found(context, "file-size")
    assert severity_of(result) is None
    assert result.estimate.high - result.estimate.low > 0.2, "twenty groups know little"


def test_several_classes_are_told_by_balanced_accuracy(make: Make) -> None:
    context = measured(
        make,
        groups=80,
        classes=("benign", "early", "pre", "pro"),
        width_px=lambda k, rng: 100.0 + 10 * k,
    )
    result = found(context, "image-size")
    assert result.metric == "balanced_accuracy"
    assert result.chance == 0.25
    assert result.estimate.value == 1
    assert severity_of(result) == "error"
    assert severity_of(found(context, "border")) is None


def test_a_number_that_only_spells_the_label_is_left_out(make: Make) -> None:
    context = measured(make, **{f"name_number_{n}": lambda k, rng: k.astype(float)
                                for n in range(1, 5)})  # fmt: skip
    assert found(context, "file-numbers") is None


def test_constants_and_absent_values(make: Make) -> None:
    context = measured(make, jpeg_quality=lambda k, rng: 90.0 + 0 * k,
                       jpeg_subsampling=lambda k, rng: np.full(len(k), np.nan))  # fmt: skip
    assert found(context, "compression") is None
    context = measured(make, file_format=lambda k, rng: np.where(k == 1, np.nan, 2.0))
    assert severity_of(found(context, "file-format")) == "warning", "known or not tells the class"


@pytest.mark.parametrize(
    ("labels", "groups", "rows"),
    [
        (["blast"] * 20, None, 0),
        ([""] * 20, None, 0),
        (["blast"] * 17 + ["normal"] * 3, None, 0),
        (["blast"] * 10 + ["normal"] * 10, ["a"] * 10 + ["b"] * 10, 0),
        (["blast"] * 10 + ["normal"] * 10, [""] * 20, 20),
        (["blast"] * 8 + ["normal"] * 8 + [""] * 4, None, 16),
        (["blast"] * 10 + ["normal"] * 7 + ["odd"] * 3, None, 17),
    ],
    ids=["one class", "no labels", "three images", "one group each", "no groups", "some labels",
         "a rare class"],
)  # fmt: skip
def test_which_rows_are_probed(
    make: Make, labels: list[str], groups: list[str] | None, rows: int
) -> None:
    data = make(
        [{"image": f"{n:02d}.png", "label": name} for n, name in enumerate(labels)],
        classes={"blast": "blast", "normal": "normal", "odd": ""},
    )
    if groups:
        data = data.with_columns(
            group=groups, group_source=["inferred" if g else "" for g in groups]
        )
    context = Context(data)
    context.__dict__["measurements"] = Measurements(np.ones((len(data), len(COLUMNS))))
    assert len(probed_rows(context)) == rows
    assert len(folds_of(context, probed_rows(context))) == (5 if rows else 0)


def test_of_many_rows_every_group_keeps_some(make: Make) -> None:
    context = measured(make, images=6000, groups=300)
    rows = probed_rows(context)
    assert len(rows) == MOST_ROWS
    _, counts = np.unique(context.manifest.column("group")[rows], return_counts=True)
    assert set(counts) == {10}


def found_in(data: Manifest) -> dict[str, Finding]:
    return {f.evidence["probe"]: f for f in run_checks(data, only=["shortcuts"])}


def test_shortcuts_of_real_files_are_found_told_and_drawn(
    tmp_path: Path, make: Make, cell: Callable[..., np.ndarray]
) -> None:
    """JPEG for one class and PNG for the other: format, compression and size tell them apart."""
    rows = []
    for n in range(48):
        label, suffix = (("blast", "jpg"), ("normal", "png"))[n % 2]
        name = f"Zelle {n} ü.{suffix}"
        Image.fromarray(cell(n, side=40, diameter=20)).save(tmp_path / name)
        rows.append({"image": name, "label": label})
    findings = found_in(make(rows, tmp_path))
    assert {"file-format", "compression", "file-size"} <= set(findings)
    finding = findings["file-format"]
    assert finding.severity == "warning"
    assert finding.summary.startswith("The class can be told from the file format: AUROC 1.000 [")
    assert "chance 0.5 (48 images, 48 groups)" in finding.summary
    plot = finding.evidence["plot"]
    assert plot["categories"] == ["JPEG", "PNG"]
    assert plot["counts"] == {"blast": [24, 0], "normal": [0, 24]}
    size = findings["file-size"].evidence["plot"]
    assert sum(size["counts"]["blast"]) == 24
    assert len(size["edges"]) == len(size["counts"]["blast"]) + 1
    for one in (plot, size):
        assert "<svg" in FIGURES["by_class"](MeasuredByClass(**one)).svg


def test_of_few_groups_what_looks_like_a_shortcut_is_told_as_perhaps(make: Make) -> None:
    """Four groups in a class: no interval that says anything, and 1 of 70 ways to deal labels."""
    context = measured(make, images=40, groups=8, border_red_sd=lambda k, rng: 9.0 * k)
    result = found(context, "border")
    assert severity_of(result) != "error"
    # The two ways that part the groups as the labels do, of 70.
    assert p_by_permutation(context, result) == pytest.approx(2 / 70, abs=0.02)
    noise = found(measured(make, images=40, groups=8), "border")
    assert p_by_permutation(measured(make, images=40, groups=8), noise) > 0.05


@pytest.mark.real
def test_the_size_of_allidb1_is_found_against_its_label(real_data: Path) -> None:
    from leukoscope.api import open_data

    data, _ = open_data(real_data / "allidb1")
    assert "image-size" in found_in(data)


@pytest.mark.real
@pytest.mark.slow
def test_the_colours_of_taleghani_are_found_against_its_label(real_data: Path) -> None:
    from leukoscope.datasets.reading import read_folder

    data = read_folder(real_data / "taleghani" / "Original").manifest
    data = data.with_table(data.table.iloc[::4])
    finding = found_in(data)["colours"]
    assert finding.severity == "warning"
    assert finding.evidence["chance"] == 0.25
    assert finding.evidence["low"] > 0.4
