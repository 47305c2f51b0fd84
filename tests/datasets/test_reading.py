"""Recognition, hashing, failures: from a folder of whatever kind to rows that hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets import READERS, Reader
from leukoscope.datasets.fingerprints import AHEAD, WORKERS, in_order
from leukoscope.datasets.readers.tree import list_tree
from leukoscope.datasets.reading import open_data, read_folder, reader_of
from leukoscope.errors import ManifestError, StorageError
from leukoscope.progress import Progress

Draw = Callable[[Path, Iterable[str]], None]
TWO = ["all/1.png", "hem/2.png"]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: act as a user who may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refusal(folder: Path, *arguments: str) -> str:
    with pytest.raises(ManifestError) as caught:
        read_folder(folder, *arguments)
    return str(caught.value)


def test_hashes_are_those_of_the_file_and_its_pixels(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, TWO)
    with Image.open(tmp_path / "all/1.png") as image:
        image.save(tmp_path / "all/again.bmp")
    manifest = read_folder(tmp_path).manifest
    for row in range(len(manifest)):
        data = manifest.path(row).read_bytes()
        assert manifest.column("sha256")[row] == hashlib.sha256(data).hexdigest()
        with Image.open(manifest.path(row)) as image:
            pixels = np.asarray(image.convert("RGB"))
        shape = f"{pixels.shape[0]}x{pixels.shape[1]}:".encode()
        expected = hashlib.sha256(shape + pixels.tobytes()).hexdigest()
        assert manifest.column("pixels_sha256")[row] == expected
    assert len(set(manifest.column("sha256"))) == 3
    assert len(set(manifest.column("pixels_sha256"))) == 2
    quick = read_folder(tmp_path, hash_pixels=False).manifest
    assert list(quick.column("sha256")) == list(manifest.column("sha256"))
    assert set(quick.column("pixels_sha256")) == {""}


def test_unreadable_images_are_listed_and_left_out(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, [*TWO, "all/3.png"])
    (tmp_path / "all/empty.png").write_bytes(b"")
    (tmp_path / "all/renamed.png").write_text("not an image")
    whole = (tmp_path / "all/3.png").read_bytes()
    (tmp_path / "all/3.png").write_bytes(whole[: len(whole) // 2])
    imported = read_folder(tmp_path)
    assert list(imported.manifest.column("image")) == TWO
    reasons = dict(imported.failures)
    assert set(reasons) == {"all/3.png", "all/empty.png", "all/renamed.png"}
    # The card remembers them for whatever reads the manifest later.
    assert all(image in imported.manifest.card.notes[-1] for image in reasons)
    assert reasons["all/empty.png"].startswith("is empty (0 bytes)")
    assert "truncated or damaged" in reasons["all/3.png"]
    assert str(tmp_path) not in " ".join(reasons.values())
    quick = dict(read_folder(tmp_path, hash_pixels=False).failures)
    assert set(quick) >= {"all/empty.png", "all/renamed.png"}


def test_nothing_readable(tmp_path: Path) -> None:
    for name in TWO:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("no image")
    message = refusal(tmp_path)
    assert "nothing is readable: 2 of 2 rows failed. The first: all/1.png: " in message


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "no images are in this folder; found nothing"),
        (["a.txt", "b.txt", "README"], "no images are in this folder; found 2 .txt, 1 no suffix"),
        (["a.png", "b.png"], "no reader knows this layout. Found 2 images: the folder itself (2)"),
        (["x/a.png"], "Put each class into a folder of its own, or write a CSV with the columns"),
    ],
)
def test_an_unknown_layout_says_what_was_seen(
    tmp_path: Path, files: list[str], sentence: str
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"x")
    message = refusal(tmp_path)
    assert message.startswith(str(tmp_path))
    assert sentence in message
    if any(file.endswith(".png") for file in files):
        assert all(f"\n  {name}: {reader.layout}" in message for name, reader in READERS.items())


def test_several_layouts_are_listed(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["idb/Im001_1.tif", "cnmc/fold_0/all/UID_1_1_1_all.bmp"])
    message = refusal(tmp_path)
    first, cnmc, allidb2, folders, *parts, last = message.splitlines()
    assert first == f"{tmp_path}: several layouts fit:"
    assert cnmc.startswith("  cnmc: 1 cells named")
    assert (allidb2, folders) == (
        "  allidb2: 1 crops ImNNN_Y.tif",
        "  class-folders: 2 class folders: cnmc, idb",
    )
    assert parts == [
        "The folders in it, each by itself:",
        "  cnmc/ → cnmc",
        "  idb/ → allidb2",
    ]
    assert last == "Read one folder at a time, or say which is meant: --as cnmc."
    assert len(read_folder(tmp_path, "allidb2").manifest) == 1


def test_a_few_known_names_do_not_make_a_known_set(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, ["a/Im001_1.tif", *(f"{c}/{n}.png" for c in "ab" for n in range(3))])
    message = refusal(tmp_path)
    assert "allidb2: 1 crops" in message
    assert "class-folders: 2 class folders: a, b" in message
    assert len(read_folder(tmp_path, "class-folders").manifest) == 7


def test_a_name_that_is_no_reader(tmp_path: Path) -> None:
    assert "--as alidb2: there is no such reader. Did you mean 'allidb2'" in refusal(
        tmp_path, "alidb2"
    )


def test_a_reader_that_does_not_fit(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, TWO)
    message = refusal(tmp_path, "cnmc")
    assert "this is not C-NMC 2019. Expected: fold_*/{all,hem}/UID_" in message
    assert "Found 2 images: all/ (1), hem/ (1)" in message


def test_no_folder(tmp_path: Path) -> None:
    assert "a folder of images was expected, found nothing" in refusal(tmp_path / "none")
    (tmp_path / "a.txt").write_text("x")
    assert "expected, found a file ending in '.txt'" in refusal(tmp_path / "a.txt")
    (tmp_path / "a.csv").write_text("image,label\n")
    assert "found a file to be read as cnmc" in refusal(tmp_path / "a.csv", "cnmc")
    with pytest.raises(ManifestError, match="was expected, found a file"):
        list_tree(tmp_path / "a.txt")


def test_a_folder_without_permission(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, TWO)
    tmp_path.chmod(0)
    try:
        with as_nobody():
            message = refusal(tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert f"{tmp_path}: the folder cannot be read (Permission denied). Give yourself" in message
    assert "the right to list and enter it and the folders above it (chmod u+rx)" in message


def test_a_part_without_permission_is_listed(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path, [*TWO, "other/3.png"])
    real = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "other":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    imported = read_folder(tmp_path)
    assert len(imported.manifest) == 2
    reason = "the folder cannot be read, so its images are not here (Permission denied)"
    assert imported.failures == (("other", reason),)


def test_names_that_are_no_utf8_are_listed(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, TWO)
    shutil.copy(tmp_path / TWO[0], os.fsencode(tmp_path) + b"/all/\xe4.png")
    imported = read_folder(tmp_path)
    assert imported.failures == (("all/\\xe4.png", "the name is not UTF-8; rename the file"),)


def test_links_are_followed_and_loops_are_not(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "set", TWO)
    draw(tmp_path / "far", ["3.png"])
    (tmp_path / "set/third").symlink_to(tmp_path / "far")
    (tmp_path / "set/all/loop").symlink_to(tmp_path / "set")
    assert list_tree(tmp_path / "set").images == (*TWO, "third/3.png")


def test_hidden_files_are_not_read(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, [*TWO, "all/._1.png", ".git/x.png", "__MACOSX/all/1.png"])
    assert list_tree(tmp_path).images == tuple(TWO)


def zipped(tmp_path: Path, names: dict[str, bytes]) -> Path:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def test_a_zip_is_unpacked_once(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path, TWO)
    path = zipped(tmp_path, {name: (tmp_path / name).read_bytes() for name in TWO})
    first, second = read_folder(path).manifest, read_folder(path).manifest
    assert list(first.column("image")) == TWO
    assert first.folder == second.folder
    assert not first.folder.is_relative_to(tmp_path / "set.zip")
    assert open_data(path).sha256 == first.sha256


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "C:\\out.png", "a/../../b.png"])
def test_a_zip_that_leads_outside(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path, {name: b"x"})
    assert "a path that leads outside" in refusal(path)
    assert not list(tmp_path.rglob("*.png"))


def test_a_zip_bomb_and_a_broken_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.datasets.archives.RATIO_LIMIT", 100)
    assert "bytes claim to be 1,000,000: refused" in refusal(zipped(tmp_path, {"a": bytes(10**6)}))
    (tmp_path / "set.zip").write_bytes(b"PK and nothing")
    assert "is neither a zip nor a tar" in refusal(tmp_path / "set.zip")


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"cannot be written .*move the cache with LEUKOSCOPE"):
        read_folder(zipped(tmp_path, {"a.png": b"x"}))


def test_a_full_disk_while_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    with pytest.raises(StorageError, match=r"unpacking set\.zip failed \(No space left"):
        read_folder(zipped(tmp_path, {"a.png": b"x"}))
    cache = Path(os.environ["LEUKOSCOPE_CACHE"])
    assert not [path for path in cache.rglob("*") if path.is_file() or "partial" in path.name]


def test_open_data_takes_a_manifest_or_a_folder(tmp_path: Path, draw: Draw) -> None:
    from leukoscope.datasets import write_manifest

    draw(tmp_path / "set", TWO)
    folder = open_data(tmp_path / "set")
    write_manifest(folder, tmp_path / "m.csv")
    assert list(open_data(tmp_path / "m.csv").column("sha256")) == list(folder.column("sha256"))
    with pytest.raises(ManifestError, match="there is no such manifest"):
        open_data(tmp_path / "none.csv")


def test_order_is_kept_and_work_stays_close_ahead() -> None:
    started, most = 0, 0
    lock = threading.Lock()

    def work(item: int) -> int:
        nonlocal started
        with lock:
            started += 1
        return item * item

    taken = []
    for value in in_order(work, range(500)):
        taken.append(value)
        most = max(most, started - len(taken))
    assert taken == [n * n for n in range(500)]
    assert most <= WORKERS * AHEAD


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("cnmc", "cnmc"),
        ("rendered-cnmc", "cnmc"),
        ("taleghani-4class", "taleghani"),
        ("wbc-seg-2", "wbc-seg"),
        ("my-set", None),
        ("pbcs", None),
    ],
)
def test_reader_of_a_dataset(dataset: str, name: str | None) -> None:
    reader = reader_of(dataset)
    assert (reader.name if reader else None) == name


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_reader_is_complete(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    assert isinstance(reader, Reader)
    assert reader.name == name
    assert reader.title
    assert reader.layout
    assert reader.recognise(tmp_path) is None


def test_the_order_of_listing_never_matters(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path, [f"{c}/{n}.png" for c in ("all", "hem") for n in range(5)])
    first = read_folder(tmp_path).manifest
    real = os.scandir

    class Backwards:
        def __init__(self, path: Path) -> None:
            self.entries = list(real(path))[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", Backwards)
    assert read_folder(tmp_path).manifest.sha256 == first.sha256


def test_progress_is_shown(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path, TWO)
    monkeypatch.setattr("leukoscope.progress.SILENT_SECONDS", -1.0)
    read_folder(tmp_path, progress=Progress())
    captured = capsys.readouterr()
    assert "reading images: 0 of 2" in captured.err
    assert captured.out == ""


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "recognised", "rows"),
    [
        ("cnmc", "cnmc", 87),
        ("allidb1", "allidb1", 15),
        ("allidb2", "allidb2", 175),
        ("taleghani", "taleghani", 1012),
        ("pbc", "pbc", 316),
        ("segmentation_wbc", "wbc-seg", 289),
        ("bccd", "bccd", 260),
        ("pcam", "pcam", 15),
    ],
)
def test_every_real_set_is_recognised(
    real_data: Path, folder: str, recognised: str, rows: int
) -> None:
    imported = read_folder(real_data / folder, hash_pixels=False)
    assert imported.recognised.split(" ")[0] == recognised
    assert len(imported.manifest) == rows
    assert imported.failures == imported.passed_over == ()


@pytest.mark.real
def test_the_real_whole_lists_its_candidates(real_data: Path) -> None:
    message = refusal(real_data)
    for name in ("cnmc", "allidb1", "allidb2", "taleghani", "pcam", "pbc", "bccd", "wbc-seg"):
        assert f"{name}: " in message
    assert "no reader knows this layout" in refusal(real_data / "not_smears")


IMPORT = """
import sys
from pathlib import Path
from leukoscope.splits.grouping import open_grouped
for folder in sys.argv[1:]:
    manifest, _ = open_grouped(Path(folder))
    status = Path("/proc/self/status").read_text().splitlines()
    # Not ru_maxrss: a child begins with its parent's.
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    print(len(set(manifest.column("pixels_sha256"))), len(set(manifest.column("group"))), peak)
"""


@pytest.mark.slow
def test_importing_all_of_cnmc_would_stay_below_600_mb(tmp_path: Path) -> None:
    """By what an image more costs, near-identical search included: 10,661 are too slow for a test.

    Every image is another picture, because of identical ones only one is compared. Small as they
    are, who holds them decoded (43 KB each) or their details and masks in floats (74 KB) is above.
    `benchmarks/memory.py` measures the whole at real size.
    """
    rng = np.random.default_rng(0)
    counts = {"few": 500, "many": 2500}
    for folder, count in counts.items():
        for number in range(count):
            place = tmp_path / folder / ("blast" if number % 2 else "normal")
            place.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 255, (120, 120, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.bmp")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *(str(tmp_path / folder) for folder in counts)],
        capture_output=True,
        text=True,
        check=True,
    )
    peaks = []
    for line, count in zip(done.stdout.splitlines(), counts.values(), strict=True):
        pictures, groups, peak = line.split()
        assert int(pictures) == int(groups) == count
        peaks.append(float(peak))
    each = (peaks[1] - peaks[0]) / (counts["many"] - counts["few"])
    assert peaks[0] + each * (10_661 - counts["few"]) < 600, peaks


def test_every_reader_is_in_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "reading-data.md"
    rows = [
        line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    named = [row.split("`")[1] for row in rows]
    assert [name for name in named if name in READERS] == list(READERS)
