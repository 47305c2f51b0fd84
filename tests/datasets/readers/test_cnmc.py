"""C-NMC 2019: names, folds, the preliminary test's table, the final test, and the facts."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukoscope.datasets import READERS
from leukoscope.datasets.facts import cnmc_files, cnmc_linked_subjects, components, known_hashes
from leukoscope.datasets.reading import read_folder
from leukoscope.errors import ManifestError

Draw = Callable[[Path, Iterable[str]], None]
READER = READERS["cnmc"]
TABLE = "C-NMC_test_prelim_phase_data_labels.csv"


def columns(folder: Path, *names: str) -> dict[str, tuple[str, ...]]:
    manifest = READER.read(folder)
    return {
        image: tuple(manifest.column(name)[row] for name in names)
        for row, image in enumerate(manifest.column("image"))
    }


def test_training_folds(tmp_path: Path, draw: Draw) -> None:
    draw(
        tmp_path,
        [
            "C-NMC_training_data/fold_0/all/UID_11_10_1_all.bmp",
            "C-NMC_training_data/fold_1/hem/UID_H10_2_1_hem.bmp",
            "C-NMC_training_data/fold_2/hem/UID_h3_1_1_hem.bmp",
        ],
    )
    found = columns(tmp_path, "label", "source_label", "subject", "official_split", "group")
    assert list(found.values()) == [
        ("blast", "all", "cnmc:11", "fold_0", "cnmc:11"),
        # H10 and H3 share byte-identical images in the published set: one group.
        ("normal", "hem", "cnmc:H10", "fold_1", "cnmc:H10"),
        ("normal", "hem", "cnmc:H3", "fold_2", "cnmc:H10"),
    ]
    assert set(READER.read(tmp_path).column("group_source")) == {"published"}


@pytest.mark.parametrize("start", ["", "C-NMC_training_data", "C-NMC_training_data/fold_1"])
def test_the_folder_may_be_named_at_any_level(tmp_path: Path, draw: Draw, start: str) -> None:
    draw(tmp_path, ["C-NMC_training_data/fold_1/all/UID_16_12_2_all.bmp"])
    (row,) = columns(tmp_path / start, "subject", "official_split").values()
    assert row == ("cnmc:16", "fold_1")


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        f"C-NMC_test_prelim_phase_data/{TABLE}",
    ],
)
def test_preliminary_test(tmp_path: Path, draw: Draw, table: str) -> None:
    draw(tmp_path, [f"C-NMC_test_prelim_phase_data/{n}.bmp" for n in (1, 2, 10)])
    (tmp_path / table).write_text(
        "Patient_ID,new_names,labels\nUID_57_29_1_all.bmp,1.bmp,1\n"
        "UID_H57_1_2_hem.bmp,2.bmp,0\nUID_58_1_2_all.bmp,10.bmp,1\n"
    )
    found = columns(tmp_path, "label", "subject", "official_split")
    assert found == {
        "C-NMC_test_prelim_phase_data/1.bmp": ("blast", "cnmc:57", "preliminary"),
        "C-NMC_test_prelim_phase_data/2.bmp": ("normal", "cnmc:H57", "preliminary"),
        "C-NMC_test_prelim_phase_data/10.bmp": ("blast", "cnmc:58", "preliminary"),
    }


def test_preliminary_table_beside_the_folder_that_is_named(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["C-NMC_test_prelim_phase_data/1.bmp"])
    (tmp_path / TABLE).write_text("Patient_ID,new_names,labels\nUID_H7_29_1_hem.bmp,1.bmp,0\n")
    found = columns(tmp_path / "C-NMC_test_prelim_phase_data", "label", "subject")
    assert found == {"1.bmp": ("normal", "cnmc:H7")}


def test_preliminary_test_without_its_table_says_so(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["C-NMC_test_prelim_phase_data/1.bmp"])
    manifest = READER.read(tmp_path)
    assert manifest.column("label")[0] == manifest.column("subject")[0] == ""
    assert TABLE in manifest.card.notes[-1]


def test_a_wrong_label_in_the_table(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["C-NMC_test_prelim_phase_data/1.bmp"])
    (tmp_path / TABLE).write_text("Patient_ID,new_names,labels\nUID_7_2_1_all.bmp,1.bmp,ALL\n")
    with pytest.raises(ManifestError, match=r"row 2: label is 'ALL'; expected 1 \(ALL\) or 0"):
        READER.read(tmp_path)


def test_final_test_has_no_labels(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["testing_data/C-NMC_test_final_phase_data/7.bmp"])
    (row,) = columns(tmp_path, "label", "subject", "official_split", "group").values()
    assert row == ("", "", "final", "")


def test_a_cell_in_two_formats_is_one_row(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["a/fold_0/all/UID_1_1_1_all.png", "b/fold_0/all/UID_1_1_1_all.bmp"])
    manifest = READER.read(tmp_path)
    assert list(manifest.column("image")) == ["b/fold_0/all/UID_1_1_1_all.bmp"]
    assert "1 cells stand here in two formats" in manifest.card.notes[-1]
    assert read_folder(tmp_path).passed_over == ()


def test_other_names_are_not_taken(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["fold_0/all/UID_x_1_1_all.bmp", "fold_0/all/1.bmp", "fold_0/hem/notes.png"])
    assert READER.recognise(tmp_path) is None


def test_facts_are_the_published_counts() -> None:
    parts = Counter(file["part"] for file in cnmc_files())
    assert sum(count for part, count in parts.items() if part.startswith("fold_")) == 10_661
    assert (parts["preliminary"], parts["final"]) == (1867, 2586)
    training = [file for file in cnmc_files() if file["subject"]]
    assert Counter("hem" in file["name"] for file in training) == {False: 7272, True: 3389}
    subjects = {file["subject"] for file in training}
    assert Counter(subject.startswith("H") for subject in subjects) == {False: 47, True: 26}
    assert all(re.fullmatch(r"[0-9a-f]{64}", file["sha256"]) for file in cnmc_files())
    twins = Counter(file["sha256"] for file in training)
    assert sum(count == 2 for count in twins.values()) == 104
    folds: dict[str, set[str]] = {}
    for file in training:
        folds.setdefault(file["sha256"], set()).add(file["part"])
    assert sum(len(parts) == 2 for parts in folds.values()) == 94


def test_identical_pairs_leave_66_groups() -> None:
    linked = cnmc_linked_subjects()
    assert (len(linked), len(set(linked.values()))) == (73, 66)
    assert {frozenset(p) for p in linked.items() if p[0] != p[1]} == {
        frozenset(pair)
        for pair in [
            ("20", "21"),
            ("51", "75"),
            ("51", "78"),
            ("H10", "H3"),
            ("H2", "H4"),
            ("H2", "H5"),
            ("H2", "H6"),
        ]
    }


def test_components_are_scipys() -> None:
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rng = np.random.default_rng(3)
    for size in (2, 10, 40):
        pairs = rng.integers(0, size, (size // 2, 2)).tolist()
        found = components([*pairs, *([n] for n in range(size))])
        ones, (rows, cols) = np.ones(len(pairs)), zip(*pairs, strict=True)
        count, labels = connected_components(coo_array((ones, (rows, cols)), (size, size)), False)
        assert len(set(found.values())) == count
        assert len({(found[n], labels[n]) for n in range(size)}) == count


def test_no_other_set_has_known_hashes() -> None:
    assert known_hashes("pbc") == {}


@pytest.mark.real
def test_the_real_sample(real_data: Path) -> None:
    folder = real_data / "cnmc" / "C-NMC_training_data"
    assert READERS["cnmc"].recognise(folder)
    imported = read_folder(folder)
    manifest = imported.manifest
    assert imported.failures == imported.passed_over == ()
    assert Counter(manifest.column("label")) == {"blast": 6, "normal": 6}
    assert Counter(manifest.column("official_split")) == {"fold_0": 4, "fold_1": 4, "fold_2": 4}
    with (real_data / "cnmc" / "cnmc_train_sha256.csv").open() as file:
        published = {row["name"]: row for row in csv.DictReader(file)}
    for row in range(len(manifest)):
        known = published[manifest.path(row).name]
        assert manifest.column("sha256")[row] == known["sha256"]
        assert manifest.column("subject")[row] == f"cnmc:{known['subject']}"
        assert manifest.column("official_split")[row] == f"fold_{known['fold']}"
        assert hashlib.sha256(manifest.path(row).read_bytes()).hexdigest() == known["sha256"]


@pytest.mark.real
def test_the_real_sample_as_png_has_the_same_pixels(real_data: Path) -> None:
    bmp = read_folder(real_data / "cnmc" / "C-NMC_training_data").manifest
    png = read_folder(real_data / "cnmc" / "as_png").manifest
    assert Counter(png.column("label")) == {"blast": 68, "normal": 19}
    assert len(set(png.column("subject"))) == 20
    assert "cnmc:H3" in set(png.column("subject"))
    pixels = {
        Path(image).stem: digest
        for image, digest in zip(png.column("image"), png.column("pixels_sha256"), strict=True)
    }
    for image, digest in zip(bmp.column("image"), bmp.column("pixels_sha256"), strict=True):
        assert pixels[Path(image).stem] == digest
    whole = read_folder(real_data / "cnmc").manifest
    assert len(whole) == 87
    assert sum(image.endswith(".bmp") for image in whole.column("image")) == 12


def test_another_table_in_the_folder_does_not_hide_the_labels(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["C-NMC_test_prelim_phase_data/1.bmp"])
    (tmp_path / "C-NMC_test_prelim_phase_data/manifest.csv").write_text("image,label\n1.bmp,\n")
    (tmp_path / TABLE).write_text("Patient_ID,new_names,labels\nUID_57_29_1_all.bmp,1.bmp,1\n")
    found = columns(tmp_path / "C-NMC_test_prelim_phase_data", "label", "subject")
    assert found == {"1.bmp": ("blast", "cnmc:57")}
