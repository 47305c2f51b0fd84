"""Files that are whole or absent, hashes, and JSON with a schema number."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path

import pytest

from leukoscope import files
from leukoscope.errors import OutputError, RunError, StorageError
from leukoscope.files import (
    article,
    atomic_path,
    cache_folder,
    canonical_json,
    read_json,
    sha256_bytes,
    sha256_file,
    verify_output,
    write_atomic,
    write_json,
)


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.txt"
    write_atomic(path, "ä\n")
    assert path.read_bytes() == "ä\n".encode()
    write_atomic(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert list(path.parent.iterdir()) == [path]


def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomic(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_debris(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_storage_error_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StorageError, match=r"a\.txt: writing failed \(No space left on device\)"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="writing failed"),
        atomic_path(tmp_path / "a"),
    ):
        Path("/dev/full").write_bytes(b"x" * 10_000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot be written .* choose another folder"):
        write_atomic(tmp_path / "file" / "below.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"folder: is a folder; .* Name a file in it, such as"):
        write_atomic(tmp_path / "folder", "x")
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match=r"pipe: is a pipe; .* Name a file\."):
        write_atomic(pipe, "x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link = tmp_path / "link"  # so that nothing real is lost, should this fail as root
    link.symlink_to(os.devnull)
    with pytest.raises(OutputError, match=r"link: is a device; "):
        write_atomic(link, "x")
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("name", "suffixes", "message"),
    [
        ("cell.png", (".csv", ".parquet"), r"ends in \.csv or \.parquet.* such as .*cell\.csv"),
        ("new", (".json",), r"ends in \.json"),
        ("read.json", (".json",), "is what is read, and would be replaced"),
        ("link.json", (".json",), "is what is read, and would be replaced"),
        (".", (".json",), "is a folder; "),
        ("read.json", (), "is no folder, and a folder is to be written"),
        ("cell.png/run", (), r"cell\.png is no folder, so nothing can lie in it"),
        ("cell.png/a/b.json", (".json",), r"cell\.png is no folder, so nothing can lie in it"),
    ],
)
def test_a_place_that_is_another_things_is_refused(
    tmp_path: Path, name: str, suffixes: tuple[str, ...], message: str
) -> None:
    for file in ("cell.png", "read.json"):
        (tmp_path / file).write_text(file)
    (tmp_path / "link.json").symlink_to(tmp_path / "read.json")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=message):
        verify_output(tmp_path / name, suffixes=suffixes, inputs=[tmp_path / "read.json"])
    assert sorted(tmp_path.iterdir()) == before


def test_a_place_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    for place, suffixes in (
        ("old.json", (".json",)),
        ("far/new.json", (".json",)),
        ("far/run", ()),
    ):
        verify_output(tmp_path / place, suffixes=suffixes, inputs=[tmp_path, "-"])
    assert list(tmp_path.iterdir()) == [tmp_path / "old.json"]


def test_a_place_that_takes_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> tuple[int, str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    # Permission bits would not stop root, as whom a container may run this.
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(StorageError, match=r"cannot be written: .* takes no file \(Permission den"):
        verify_output(tmp_path / "run")


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "deep" / "a.txt")  # leads to nothing yet
    for content in ("new", "newer"):
        write_atomic(link, content)
        assert link.is_symlink()
        assert (tmp_path / "deep" / "a.txt").read_text() == content
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "a.txt"]


def test_json_round_trip_and_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"schema": 1, "text": "µm", "list": [1, 2.5, None]}
    write_json(path, value)
    assert read_json(path, what="run", schema=1, error=RunError) == value
    assert "µm" in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"schema": 1, "x": float("nan")})
    assert read_json(path, what="run", schema=1, error=RunError) == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such environment file"),
        ("", "cannot be read as an environment file: the file is empty"),
        ("{", "cannot be read as an environment file: Expecting"),
        ("\xff", "cannot be read as an environment file: 'utf-8' codec"),
        ("[" * 100_000, "cannot be read as an environment file: maximum recursion"),
        ("[]", "an environment file is a JSON object, found list"),
        ("{}", r"has a number 'schema' \(1 to 2\), found None"),
        ('{"schema": true}', r"has a number 'schema' \(1 to 2\), found True"),
        ('{"schema": 0}', r"has a number 'schema' \(1 to 2\), found 0"),
        ('{"schema": 3}', r"newer leukoscope \(environment schema 3, .* up to 2\)\. Upgrade"),
    ],
)
def test_bad_json(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(RunError, match=message):
        read_json(path, what="environment", schema=2, error=RunError)


def test_a_folder_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read as a run file"):
        read_json(tmp_path, what="run", schema=1, error=RunError)


def test_hashes(tmp_path: Path) -> None:
    data = b"leukoscope" * 300_000
    (tmp_path / "a").write_bytes(data)
    expected = hashlib.sha256(data).hexdigest()
    assert sha256_bytes(data) == sha256_file(tmp_path / "a") == expected


def test_equal_values_have_equal_text() -> None:
    assert canonical_json({"b": [1, 2.0], "a": "ä"}) == '{"a":"ä","b":[1,2.0]}'
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})


def test_articles() -> None:
    assert (article("split"), article("experiment")) == ("a split", "an experiment")


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LEUKOSCOPE_CACHE")
    assert cache_folder().name == "leukoscope"
