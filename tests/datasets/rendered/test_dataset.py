"""Whole rendered sets: layouts, truth on disk, exact counts, equal bytes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukoscope.datasets import read_manifest
from leukoscope.datasets.rendered import LAYOUTS, render_dataset
from leukoscope.datasets.rendered.dataset import encode
from leukoscope.datasets.rendered.layouts.taleghani import segment
from leukoscope.errors import ManifestError, StorageError
from leukoscope.files import sha256_file
from leukoscope.images.decode import decode, pixels_sha256
from leukoscope.progress import Progress

SMALL = {
    "rendered-cnmc": {"subjects": 6, "images": 24, "size": 48},
    "rendered-allidb1": {"subjects": 2, "images": 4, "size": 300},
    "rendered-allidb2": {"subjects": 4, "images": 12, "size": 96},
    "rendered-taleghani": {"subjects": 5, "images": 20, "size": 112},
    "rendered-pcam": {"subjects": 12, "images": 24, "size": 48},
    "rendered-snam": {"subjects": 2, "images": 4, "size": 320},
}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every set once, small."""
    root = tmp_path_factory.mktemp("sets")
    for name, numbers in SMALL.items():
        render_dataset(name, root / name, seed=3, **numbers)
    return {name: root / name for name in SMALL}


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_layout_is_tested() -> None:
    assert set(SMALL) == set(LAYOUTS)


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    name: str, sets: dict[str, Path], tmp_path: Path
) -> None:
    render_dataset(name, tmp_path / "again", seed=3, **SMALL[name])
    first, again = files(sets[name]), files(tmp_path / "again")
    assert first == again
    render_dataset(name, tmp_path / "other", seed=4, **SMALL[name])
    other = files(tmp_path / "other")
    manifest = read_manifest(sets[name] / "manifest.csv")
    changed = [image for image in manifest.column("image") if other.get(image) != first[image]]
    assert len(changed) == len(manifest)


@pytest.mark.parametrize("name", SMALL)
def test_the_manifest_says_rendered_and_who(name: str, sets: dict[str, Path]) -> None:
    manifest = read_manifest(sets[name] / "manifest.csv")
    assert manifest.card.rendered
    assert manifest.card.name == name
    assert not manifest.card.groups_inferred
    assert len(manifest) == SMALL[name]["images"]
    assert set(manifest.column("dataset")) == {name}
    assert set(manifest.column("group_source")) == {"published"}
    assert all(subject.startswith(f"{name}:") for subject in manifest.column("subject"))
    assert set(manifest.column("label")) == set(manifest.card.classes)
    table = manifest.table
    assert table.groupby("subject")["label"].nunique().eq(1).all()
    assert table["subject"].nunique() == SMALL[name]["subjects"]
    for row in range(len(manifest)):
        assert sha256_file(manifest.path(row)) == table["sha256"][row]
        assert pixels_sha256(decode(manifest.path(row)).pixels) == table["pixels_sha256"][row]


@pytest.mark.parametrize("name", SMALL)
def test_truth_fits_the_masks_and_the_masks_fit_the_pixels(
    name: str, sets: dict[str, Path]
) -> None:
    folder = sets[name]
    truth = pd.read_csv(folder / "truth.csv", dtype={"subject": str})
    cells = pd.read_csv(folder / "truth-cells.csv")
    assert len(truth) == SMALL[name]["images"]
    darker = []
    for row in truth.itertuples():
        mask = np.array(Image.open(folder / f"{row.masks}.cells.png"))
        nuclei = np.array(Image.open(folder / f"{row.masks}.nuclei.png"))
        image = decode(folder / row.image).pixels
        assert mask.shape == nuclei.shape == image.shape[:2] == (row.height_px, row.width_px)
        assert np.array_equal(nuclei[nuclei > 0], mask[nuclei > 0])
        own = cells[cells["image"] == row.image]
        assert len(own) == row.cells
        assert set(own["cell"]) == set(np.unique(mask)) - {0}
        for found in own.itertuples():
            rows, columns = np.nonzero(mask == found.cell)
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert (found.x0, found.y0, found.x1, found.y1) == box
            assert found.cell_area_px == len(rows)
            assert found.nucleus_area_px == (nuclei == found.cell).sum()
        if nuclei.any():
            inside = image[nuclei > 0].mean()
            around = image[(nuclei == 0) & (image.max(2) > 0)].mean()
            darker.append(inside < around)
    assert np.mean(darker) == 1


def test_cnmc_layout(sets: dict[str, Path]) -> None:
    folder = sets["rendered-cnmc"]
    pattern = re.compile(
        r"C-NMC_training_data/fold_(\d)/(all|hem)/UID_(H?\d+)_\d+_\d+_(all|hem)\.bmp"
    )
    manifest = read_manifest(folder / "manifest.csv")
    folds: dict[str, set[str]] = {}
    for row in manifest.table.itertuples():
        found = pattern.fullmatch(row.image)
        assert found is not None
        assert found[2] == found[4] == row.source_label
        assert (found[2] == "all") == (row.label == "blast") == (not found[3].startswith("H"))
        assert row.subject == f"rendered-cnmc:{found[3]}"
        assert row.official_split == f"fold_{found[1]}"
        folds.setdefault(row.subject, set()).add(found[1])
    assert all(len(own) == 1 for own in folds.values())
    assert sorted(set().union(*folds.values())) == ["0", "1", "2"]
    assert manifest.table["label"].value_counts().to_dict() == {"blast": 12, "normal": 12}
    image = np.array(Image.open(folder / manifest.table["image"][0]))
    assert not image[0].any()


def test_allidb1_centres_lie_on_their_cells(sets: dict[str, Path]) -> None:
    folder = sets["rendered-allidb1"]
    cells = pd.read_csv(folder / "truth-cells.csv")
    for path in sorted((folder / "im").iterdir()):
        assert re.fullmatch(r"Im\d{3}_[01]\.jpg", path.name)
        own = cells[cells["image"] == f"im/{path.name}"]
        mask = np.array(Image.open(folder / "truth" / f"{path.stem}.cells.png"))
        for kind, table in (("blast", "xyc"), ("other", "other_xyc")):
            text = (folder / table / f"{path.stem}.xyc").read_text()
            places = [tuple(map(int, line.split("\t"))) for line in text.splitlines() if line]
            wanted = own[(own["kind"] == "blast") == (kind == "blast")]
            assert len(places) == len(wanted)
            for (x, y), row in zip(places, wanted.itertuples(), strict=True):
                if row.cell_area_px > 200:  # whole, not a sliver at the edge
                    assert row.x0 - 3 <= x <= row.x1 + 3
                    assert row.y0 - 3 <= y <= row.y1 + 3
                    near = mask[max(y - 12, 0) : y + 13, max(x - 12, 0) : x + 13]
                    assert row.cell in near
        if path.stem.endswith("_0"):
            assert (folder / "xyc" / f"{path.stem}.xyc").read_text() == "\n"


def test_allidb2_crops_hold_their_cell_in_the_middle(sets: dict[str, Path]) -> None:
    folder = sets["rendered-allidb2"]
    cells = pd.read_csv(folder / "truth-cells.csv")
    for path in sorted((folder / "img").iterdir()):
        found = re.fullmatch(r"Im\d{3}_([01])\.tif", path.name)
        assert found is not None
        first = cells[(cells["image"] == f"img/{path.name}") & (cells["cell"] == 1)].iloc[0]
        assert (first["kind"] == "blast") == (found[1] == "1")
        assert first["x0"] < 48 < first["x1"]


def test_taleghani_names_and_twins(sets: dict[str, Path]) -> None:
    folder = sets["rendered-taleghani"]
    manifest = read_manifest(folder / "manifest.csv")
    # 504 : 985 : 963 : 804 of 20 by largest remainders.
    counts = manifest.table["label"].value_counts().to_dict()
    assert counts == {"benign": 3, "early": 6, "pre": 6, "pro": 5}
    for row in manifest.table.itertuples():
        found = re.fullmatch(
            r"Original/(Benign|Early|Pre|Pro)/WBC-(Benign|Malignant-\1)-(\d{3})\.jpg", row.image
        )
        assert found is not None
        assert found[2] == row.source_label
        twin = decode(folder / row.image.replace("Original", "Segmented", 1)).pixels
        original = decode(folder / row.image).pixels
        black = (twin.max(2) < 30).mean()
        assert 0.2 < black < 1
        assert original.shape == twin.shape == (112, 112, 3)


def test_segmenting_keeps_violet_and_drops_the_rest() -> None:
    image = np.full((10, 10, 3), 245, np.uint8)
    image[:5] = (120, 60, 190)
    kept = segment(image)
    assert np.array_equal(kept[:5], image[:5])
    assert not kept[5:].any()


def test_pcam_hdf5(sets: dict[str, Path]) -> None:
    h5py = pytest.importorskip("h5py")
    folder = sets["rendered-pcam"]
    manifest = read_manifest(folder / "manifest.csv")
    seen = 0
    for part, split in (("train", "train"), ("valid", "validation"), ("test", "test")):
        head = folder / f"camelyonpatch_level_2_split_{part}"
        with h5py.File(f"{head}_x.h5") as images, h5py.File(f"{head}_y.h5") as labels:
            x, y = images["x"][:], labels["y"][:]
        own = manifest.table[manifest.table["official_split"] == split].reset_index(drop=True)
        slides = pd.read_csv(f"{head}_meta.csv")["wsi"].tolist()
        assert x.shape == (len(own), 48, 48, 3)
        assert y.shape == (len(own), 1, 1, 1)
        for row in own.itertuples():
            assert np.array_equal(x[row.Index], decode(folder / row.image).pixels)
            assert bool(y[row.Index]) == (row.label == "tumour")
            assert row.subject == f"rendered-pcam:{slides[row.Index]}"
        seen += len(own)
    assert seen == 24


def test_pcam_tumour_lies_in_the_centre(sets: dict[str, Path]) -> None:
    cells = pd.read_csv(sets["rendered-pcam"] / "truth-cells.csv")
    x, y = (cells["x0"] + cells["x1"]) / 2, (cells["y0"] + cells["y1"]) / 2
    central = cells[(x - 24).abs().lt(8) & (y - 24).abs().lt(8)]
    by_image = central.groupby("image")["kind"].agg(lambda kinds: (kinds == "tumour nucleus").any())
    for image, tumour in by_image.items():
        assert tumour == image.endswith("_1.png")


def test_snam_masks_part_the_field(sets: dict[str, Path]) -> None:
    folder = sets["rendered-snam"]
    for field in ("B-ALL/B-ALL_001", "MM/MM_001"):
        parts = [
            np.array(Image.open(folder / f"{field}_{part}.bmp")).astype(int)
            for part in ("nucleus", "cytoplasm", "background")
        ]
        assert np.array_equal(sum(parts), np.full_like(parts[0], 255))
        assert Image.open(folder / f"{field}.bmp").size == (320, 240)
    kinds = pd.read_csv(folder / "truth-cells.csv").groupby("image")["kind"].agg(set)
    assert all("plasma cell" in own for image, own in kinds.items() if image.startswith("MM"))
    assert all("blast" in own for image, own in kinds.items() if image.startswith("B-ALL"))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("rendered-cnmc", (450, 450)),
        ("rendered-allidb2", (257, 257)),
        ("rendered-taleghani", (224, 224)),
        ("rendered-pcam", (96, 96)),
        ("rendered-snam", (2560, 1920)),
    ],
)
def test_without_a_size_images_have_the_real_one(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    subjects = LAYOUTS[name].fewest_subjects
    manifest = render_dataset(name, tmp_path / "set", subjects=subjects, images=subjects)
    assert {Image.open(manifest.path(row)).size for row in range(len(manifest))} == {size}
    assert manifest.card.image_size == size


def test_allidb1_has_both_real_sizes(tmp_path: Path) -> None:
    manifest = render_dataset("rendered-allidb1", tmp_path / "set", subjects=2, images=2)
    sizes = {Image.open(manifest.path(row)).size for row in range(len(manifest))}
    assert sizes == {(1712, 1368), (2592, 1944)}


def test_marker(sets: dict[str, Path]) -> None:
    marker = tomllib.loads((sets["rendered-cnmc"] / "rendered.toml").read_text())
    assert marker["name"] == "rendered-cnmc"
    assert (marker["seed"], marker["subjects"], marker["images"]) == (3, 6, 24)
    assert (marker["schema"], marker["version"], marker["truth"]) == (1, 2, "truth.csv")
    assert "not real" in marker["note"]


def test_class_counts_are_exact_whatever_the_numbers(tmp_path: Path) -> None:
    for number, (subjects, images) in enumerate([(3, 17), (7, 31), (16, 40)]):
        manifest = render_dataset(
            "rendered-cnmc", tmp_path / str(number), subjects=subjects, images=images, size=16
        )
        counts = manifest.table["label"].value_counts().to_dict()
        assert counts == {"blast": -(-images // 2), "normal": images // 2}
        assert manifest.table["subject"].nunique() == subjects


def test_more_images_leave_the_first_ones_as_they_were(tmp_path: Path) -> None:
    few = render_dataset("rendered-cnmc", tmp_path / "a", subjects=2, images=6, size=32)
    more = render_dataset("rendered-cnmc", tmp_path / "b", subjects=2, images=10, size=32)
    known = dict(zip(more.column("image"), more.column("sha256"), strict=True))
    for image, digest in zip(few.column("image"), few.column("sha256"), strict=True):
        assert known[image] == digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "rendered-cnmcc"}, "Did you mean 'rendered-cnmc'"),
        ({"subjects": 1}, "1 subjects; at least 2 are needed"),
        ({"images": 3}, "3 images of 4 subjects"),
        ({"size": 4}, "size is 4; expected 16 to 450 pixels"),
        ({"size": 900}, "size is 900"),
        ({"seed": -1}, "seed is -1"),
        ({"name": "rendered-taleghani", "images": 4, "subjects": 5}, "4 images of 5 subjects"),
        ({"name": "rendered-taleghani", "images": 12, "subjects": 12}, "every subject needs one"),
    ],
)
def test_wrong_arguments_are_named(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    numbers: dict[str, object] = {"name": "rendered-cnmc", "subjects": 4, "images": 8}
    numbers |= changes
    name = str(numbers.pop("name"))
    with pytest.raises(ManifestError, match=re.escape(message)):
        render_dataset(name, tmp_path / "set", **numbers)  # type: ignore[arg-type]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ManifestError, match="is not empty"):
        render_dataset("rendered-cnmc", tmp_path, subjects=2, images=2, size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_disk_that_refuses_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left on device"):
        render_dataset("rendered-cnmc", tmp_path / "set", subjects=2, images=2, size=16)
    assert not (tmp_path / "set" / "rendered.toml").exists()


def test_encoding_keeps_the_channels_in_order() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[..., 0] = 200
    for suffix in (".bmp", ".png", ".tif"):
        assert np.array_equal(decode(encode(f"a{suffix}", pixels)).pixels, pixels)
    decoded = cv2.imdecode(np.frombuffer(encode("a.jpg", pixels), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded[0, 0, 2] > 190


def test_progress_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render_dataset(
        "rendered-cnmc",
        tmp_path / "set",
        subjects=2,
        images=2,
        size=16,
        progress=Progress(quiet=True),
    )
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", SMALL)
def test_the_readers_recognise_the_folder(name: str, sets: dict[str, Path]) -> None:
    from leukoscope.datasets.reading import read_folder

    drawn = read_manifest(sets[name] / "manifest.csv")
    read = read_folder(sets[name], progress=Progress(quiet=True))
    assert not read.failures
    assert read.manifest.card.rendered
    assert read.manifest.card.name == name
    for column in ("image", "label", "subject", "official_split", "pixels_sha256"):
        assert list(read.manifest.column(column)) == list(drawn.column(column)), column
