"""The pixel store: once, whole, by several processes at a time, and through a kill."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.errors import ImageError, StorageError
from leukoscope.files import sha256_file
from leukoscope.images import journal, store
from leukoscope.images.decode import decode
from leukoscope.images.pipeline import Pipeline, apply
from leukoscope.images.steps import Median
from leukoscope.images.store import PixelStore, Source, checksum

SIZE = 16
PIPELINE = Pipeline(SIZE)


def write_images(folder: Path, count: int, side: int = 40) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(count)
    paths = []
    for number in range(count):
        path = folder / f"{number:04d}.bmp"
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return write_images(tmp_path / "images", 12)


def expected(path: Path, pipeline: Pipeline = PIPELINE) -> np.ndarray[Any, Any]:
    return apply(pipeline, decode(path).pixels)


def test_pixels_are_those_of_the_pipeline(tmp_path: Path, paths: list[Path]) -> None:
    pipeline = Pipeline(SIZE, (Median(),))
    stored = PixelStore(tmp_path / "store").fill([Source(path) for path in paths], pipeline)
    assert stored.failures == ()
    assert stored.decoded == len(paths)
    assert stored.array.shape[1:] == (SIZE, SIZE, 3)
    for row, path in enumerate(paths):
        assert np.array_equal(stored.array[stored.index[row]], expected(path, pipeline))


def test_the_second_use_decodes_nothing(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [Source(path, sha256=sha256_file(path)) for path in paths]
    first = PixelStore(tmp_path / "store").fill(sources, PIPELINE)

    def never(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("decoded again")

    monkeypatch.setattr(store, "decode", never)
    monkeypatch.setattr(store, "read_bytes", never)
    again = PixelStore(tmp_path / "store").fill(sources[::-1], PIPELINE)
    assert again.decoded == 0
    rows = list(range(len(paths)))
    assert np.array_equal(again.batch(rows), first.batch(rows[::-1]))


def test_another_pipeline_is_another_store_and_a_box_another_image(
    tmp_path: Path, paths: list[Path]
) -> None:
    here = PixelStore(tmp_path / "store")
    whole = here.fill([Source(paths[0])], PIPELINE)
    other = here.fill([Source(paths[0])], Pipeline(SIZE, (Median(),)))
    boxed = here.fill([Source(paths[0], box=(4, 4, 24, 24))], PIPELINE)
    assert other.decoded == boxed.decoded == 1
    cut = apply(PIPELINE, decode(paths[0], box=(4, 4, 24, 24)).pixels)
    assert np.array_equal(boxed.batch([0])[0], cut)
    assert not np.array_equal(whole.batch([0]), other.batch([0]))


def test_a_batch_is_a_view_where_rows_are_consecutive(tmp_path: Path, paths: list[Path]) -> None:
    stored = PixelStore(tmp_path / "store").fill([Source(path) for path in paths], PIPELINE)
    view = stored.batch([3, 4, 5])
    assert np.shares_memory(view, stored.array)
    assert not view.flags.writeable
    scattered = stored.batch(np.array([5, 3, 4]))
    assert np.array_equal(scattered, view[[2, 0, 1]])
    assert stored.batch([]).shape == (0, SIZE, SIZE, 3)


def test_bad_images_are_failures_and_the_others_are_stored(
    tmp_path: Path, paths: list[Path]
) -> None:
    paths[1].write_bytes(b"")
    paths[4].write_bytes(paths[4].read_bytes()[:1000])
    paths[6].write_text("<html>not found</html>")
    missing = tmp_path / "gone.bmp"
    sources = [Source(path) for path in [*paths, missing, missing]]
    sources.append(Source(paths[0], box=(0, 0, 500, 500)))
    stored = PixelStore(tmp_path / "store").fill(sources, PIPELINE)
    reasons = {failure.row: failure.reason for failure in stored.failures}
    assert sorted(reasons) == [1, 4, 6, 12, 13, 14]
    assert reasons[1] == f"{paths[1]}: is empty (0 bytes). Copy or download it again."
    assert "is truncated or damaged" in reasons[4]
    assert "HTML or XML data was found" in reasons[6]
    assert reasons[12] == reasons[13] == f"{missing}: there is no such file."
    assert "box 0,0,500,500 does not lie in the image" in reasons[14]
    assert stored.failures[0].image == str(paths[1])
    assert (stored.index[sorted(reasons)] == -1).all()
    assert stored.decoded == 9
    good = [row for row in range(12) if row not in reasons]
    assert np.array_equal(stored.batch(good), np.stack([expected(paths[row]) for row in good]))
    with pytest.raises(ImageError, match=r"row 4 has no pixels: .*truncated.* Leave it out"):
        stored.batch([3, 4])


def test_only_bad_images_leave_an_empty_store(tmp_path: Path) -> None:
    stored = PixelStore(tmp_path / "store").fill([Source(tmp_path / "no.png")], PIPELINE)
    assert len(stored.array) == 0
    assert len(stored.failures) == 1
    assert PixelStore(tmp_path / "store").fill([], PIPELINE).index.shape == (0,)


def test_a_mended_image_is_decoded_then(tmp_path: Path, paths: list[Path]) -> None:
    whole = paths[2].read_bytes()
    paths[2].write_bytes(whole[:500])
    here = PixelStore(tmp_path / "store")
    assert len(here.fill([Source(path) for path in paths], PIPELINE).failures) == 1
    paths[2].write_bytes(whole)
    again = here.fill([Source(path) for path in paths], PIPELINE)
    assert (again.failures, again.decoded) == ((), 1)


def test_a_changed_file_is_not_taken_for_what_it_was(tmp_path: Path, paths: list[Path]) -> None:
    here = PixelStore(tmp_path / "store")
    here.fill([Source(paths[0])], PIPELINE)
    before = paths[0].stat()
    other = paths[1].read_bytes()
    paths[0].write_bytes(other)  # as long as it was, a moment later
    os.utime(paths[0], ns=(before.st_atime_ns, before.st_mtime_ns))  # and with its old date
    again = here.fill([Source(paths[0])], PIPELINE)
    assert np.array_equal(again.batch([0])[0], expected(paths[1]))


def test_a_file_altered_behind_its_manifest_does_not_poison_the_store(
    tmp_path: Path, paths: list[Path]
) -> None:
    known = sha256_file(paths[0])
    original = paths[0].read_bytes()
    here = PixelStore(tmp_path / "store")
    paths[0].write_bytes(paths[1].read_bytes())
    verified = here.fill([Source(paths[0], sha256=known)], PIPELINE, verify=True)
    assert (
        f"its content is not what its SHA-256 {known[:12]}... says" in verified.failures[0].reason
    )
    here.fill([Source(paths[0], sha256=known)], PIPELINE)
    restored = tmp_path / "restored.bmp"
    restored.write_bytes(original)
    stored = here.fill([Source(restored, sha256=known)], PIPELINE)
    assert np.array_equal(stored.batch([0])[0], expected(restored))


def test_equal_content_is_stored_once(tmp_path: Path, paths: list[Path]) -> None:
    known = sha256_file(paths[0])
    copies = [paths[0], tmp_path / "copy.bmp", tmp_path / "elsewhere.bmp"]
    for copy in copies[1:]:
        shutil.copy2(paths[0], copy)  # as cp -p, tar and a moved folder keep its date
    stored = PixelStore(tmp_path / "store").fill(
        [Source(copy, sha256=known) for copy in copies], PIPELINE
    )
    assert stored.decoded == 1
    assert len(set(stored.index.tolist())) == 1


FILL = """
    import sys
    from pathlib import Path
    from leukoscope.images.pipeline import Pipeline
    from leukoscope.images.store import PixelStore, Source
    folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
    sources = [Source(path) for path in sorted(folder.glob("*.bmp"))]
    print("ready", flush=True)
    stored = PixelStore(cache).fill(sources, Pipeline(int(sys.argv[3])), workers=2)
    print(stored.decoded, len(stored.failures), int(stored.batch(range(len(sources))).sum()))
"""


def filling(folder: Path, cache: Path, size: int = SIZE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(FILL), str(folder), str(cache), str(size)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_fill_one_store(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 300)
    time.sleep(store.RACY_NS / 1e9)  # or a process may know a file by its content, the next by date
    processes = [filling(tmp_path / "images", tmp_path / "store") for _ in range(4)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert all(process.returncode == 0 for process in processes), outputs
    results = [tuple(map(int, out.split("\n")[1].split())) for out, _ in outputs]
    assert sum(decoded for decoded, _, _ in results) == len(paths)  # each image once, by somebody
    assert {failures for _, failures, _ in results} == {0}
    truth = sum(int(expected(path).sum()) for path in paths)
    assert {total for _, _, total in results} == {truth}


def test_a_kill_leaves_a_store_that_goes_on(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 40, side=700)
    # Many slow images: every one is there 30 times under another name.
    for path in paths:
        for copy in range(30):
            os.link(path, path.with_name(f"{path.stem}-{copy}.bmp"))
    everything = sorted((tmp_path / "images").glob("*.bmp"))
    time.sleep(store.RACY_NS / 1e9)  # or the names would be known by their content, and be one
    process = filling(tmp_path / "images", tmp_path / "store", 200)
    held = tmp_path / "store" / Pipeline(200).digest / "journal.txt"
    deadline = time.monotonic() + 60
    while not (held.exists() and held.stat().st_size) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    kept = len(journal.read(held))
    assert 0 < kept < len(everything)
    with held.open("ab") as file:  # as if the kill had come in the middle of a line
        file.write(b"0123456789abcdef 77")
    stored = PixelStore(tmp_path / "store").fill(
        [Source(path) for path in everything], Pipeline(200)
    )
    assert stored.decoded == len(everything) - kept
    assert stored.failures == ()
    truth = {path.stem: expected(path, Pipeline(200)) for path in paths}
    for row, path in enumerate(everything):
        assert np.array_equal(stored.batch([row])[0], truth[path.stem.split("-")[0]])


def test_pixels_lost_in_a_crash_of_the_machine_are_decoded_again(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = PixelStore(tmp_path / "store")
    sources = [Source(path) for path in paths]
    here.fill(sources, PIPELINE)
    pixels = tmp_path / "store" / PIPELINE.digest / "pixels.u8"
    content = bytearray(pixels.read_bytes())
    image = SIZE * SIZE * 3
    content[2 * image : 4 * image] = bytes(2 * image)  # pages that never reached the disk
    pixels.write_bytes(bytes(content[: 11 * image]))  # and an end that did not
    monkeypatch.setattr(journal, "boot", lambda: "another run of the machine")
    again = here.fill(sources, PIPELINE)
    assert again.decoded == 3
    assert np.array_equal(
        again.batch(range(len(paths))), np.stack([expected(path) for path in paths])
    )


def test_a_full_disk_is_said_and_what_was_stored_stays(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 30)
    here = PixelStore(tmp_path / "store")
    assert here.fill([Source(path) for path in paths[:5]], PIPELINE).decoded == 5
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10 * SIZE * SIZE * 3, limit[1]))
    try:
        with pytest.raises(StorageError) as caught:
            here.fill([Source(path) for path in paths], PIPELINE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    message = str(caught.value)
    assert "the pixel store cannot be written (File too large)" in message
    assert "Free some space, or name another folder in LEUKOSCOPE_CACHE" in message
    assert caught.value.exit_code == 3
    again = here.fill([Source(path) for path in paths], PIPELINE)
    assert again.decoded == 25
    assert np.array_equal(again.batch([29])[0], expected(paths[29]))


def test_a_disk_that_fills_while_pixels_are_written(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    real = os.pwrite

    def pwrite(handle: int, data: Any, start: int) -> int:
        if len(written) >= 4:
            raise OSError(28, "No space left on device")
        written.append(start)
        return real(handle, data, start)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(StorageError, match="No space left on device"):
        PixelStore(tmp_path / "store").fill([Source(p) for p in paths], PIPELINE, workers=1)
    monkeypatch.setattr(os, "pwrite", real)
    again = PixelStore(tmp_path / "store").fill([Source(p) for p in paths], PIPELINE)
    assert np.array_equal(again.batch(range(12)), np.stack([expected(p) for p in paths]))


def test_writes_that_come_back_short_are_continued(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, data, start: real(handle, data[:100], start))
    stored = PixelStore(tmp_path / "store").fill([Source(p) for p in paths], PIPELINE)
    assert np.array_equal(stored.batch([7])[0], expected(paths[7]))


def test_a_system_that_cannot_write_at_a_place(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has neither pwrite nor pread; the threads then take turns at the position."""
    for name in ("pwrite", "pread", "posix_fallocate"):
        monkeypatch.delattr(os, name)
    sources = [Source(path) for path in paths] * 3
    stored = PixelStore(tmp_path / "store").fill(sources, PIPELINE, workers=8)
    monkeypatch.setattr(journal, "boot", lambda: "another")  # so that all is read and added up
    again = PixelStore(tmp_path / "store").fill(sources, PIPELINE)
    assert (stored.decoded, again.decoded) == (12, 0)
    for row, path in enumerate(paths):
        assert np.array_equal(again.array[again.index[row]], expected(path))


def test_a_cache_that_cannot_be_written(tmp_path: Path, paths: list[Path]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot be written .* another folder in LEUKOSCOPE_CA"):
        PixelStore(blocked).fill([Source(path) for path in paths], PIPELINE)


def test_the_cache_is_where_it_is_told_to_be(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "named"))
    PixelStore().fill([Source(paths[0])], PIPELINE)
    assert (tmp_path / "named" / "pixels" / PIPELINE.digest / "journal.txt").exists()


def test_checksums_tell_pixels_apart() -> None:
    pixels = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    assert checksum(pixels) != checksum(np.zeros_like(pixels))
    assert checksum(pixels) == checksum(pixels[:, ::1])
    assert checksum(np.zeros((0,), np.uint8)) == 0


def test_a_journal_forgives_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.txt"
    assert journal.read(path) == {}
    journal.cut_torn_line(path)
    journal.append(path, [journal.Entry("a", 0, 5, "x"), journal.Entry("b", 1, 6, "x")])
    with path.open("ab") as file:
        file.write(b"nonsense\n\xff\xfe 1 2 3 4\nb 7 8 y\nc 9")
    entries = journal.read(path)
    assert {key: entry.slot for key, entry in entries.items()} == {"a": 0, "b": 7}
    journal.cut_torn_line(path)
    assert path.read_bytes().endswith(b"b 7 8 y\n")


MEMORY = """
    import re, sys
    from pathlib import Path
    from leukoscope.images.pipeline import Pipeline
    from leukoscope.images.store import PixelStore, Source
    names = sorted(Path(sys.argv[1]).glob("*.bmp"))
    stored = PixelStore(Path(sys.argv[2])).fill([Source(name) for name in names], Pipeline(224))
    assert stored.decoded == len(names), stored.decoded
    # Not ru_maxrss: a child begins with its parent's.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\\s+(\\d+)", status).group(1)) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no peak memory to read")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    """C-NMC's 10,661 images of 450 x 450 to 224 px: 1.6 GB of pixels in < 600 MB."""
    folder = tmp_path / "images"
    paths = write_images(folder, 61, side=450)
    for number in range(10_600):
        os.link(paths[number % 61], folder / f"link-{number}.bmp")
    time.sleep(store.RACY_NS / 1e9)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEMORY), str(folder), str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400
