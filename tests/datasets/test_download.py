"""Downloads from a server on loopback: whole, cut off and resumed, wrong, refused, disk full."""

from __future__ import annotations

import errno
import hashlib
import http.server
import io
import sys
import tarfile
import threading
import types
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from leukoscope.datasets import archives, catalogue, download
from leukoscope.datasets.archives import unpack
from leukoscope.datasets.download import fetch, get
from leukoscope.datasets.entries import Entry, RemoteFile
from leukoscope.errors import DownloadError, ManifestError, MissingExtraError

BODY = bytes(range(256)) * 4000
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """A loopback server that can cut connections and forget how to send ranges."""

    url: str = ""
    body: bytes = BODY
    etag: str = '"one"'
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which each of the next connections is cut; then none is."""
    asked: list[str] = field(default_factory=list)
    """The Range header of each request."""
    sent: int = 0

    def remote(self, **changes: Any) -> RemoteFile:
        return replace(RemoteFile(f"{self.url}/cells.bin", "cells.bin", SHA), **changes)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.asked.append(asked)
            if self.path == "/gone":
                self.send_error(404)
                return
            start = int(asked[6:-1]) if asked and state.ranges else 0
            if start and self.headers.get("If-Range", state.etag) != state.etag:
                start = 0
            if start >= len(state.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.body)}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                last = len(state.body) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(state.body)}")
            self.send_header("Content-Length", str(len(state.body) - start))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            piece = state.body[start:]
            if state.cut_after:
                piece = piece[: state.cut_after.pop(0)]
            state.sent += len(piece)
            self.wfile.write(piece)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
        yield state
        listening.shutdown()


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_whole_download_is_checked_and_recorded(server: Server, tmp_path: Path) -> None:
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert contents(tmp_path) == {"cells.bin", "cells.bin.sha256"}
    assert (tmp_path / "cells.bin.sha256").read_text() == f"{SHA}  cells.bin\n"


def test_what_is_there_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    fetch(server.remote(sha256=""), tmp_path)
    fetch(server.remote(sha256=""), tmp_path)
    assert len(server.asked) == 1


def test_a_cut_connection_is_taken_up_again_at_once(server: Server, tmp_path: Path) -> None:
    server.cut_after = [300_000, 0, 200_000]
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.asked == ["", "bytes=300000-", "bytes=300000-", "bytes=500000-"]
    assert server.sent == len(BODY), "no byte came twice"
    assert contents(tmp_path) == {"cells.bin", "cells.bin.sha256"}


def test_the_next_call_goes_on_where_the_last_one_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"cut off 4 times; 100,000 bytes .* goes on there"):
        fetch(server.remote(), tmp_path)
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.asked[-1] == "bytes=100000-"
    assert server.sent == len(BODY)


def test_a_file_that_changed_meanwhile_is_begun_anew(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000, 0, 0, 0]
    with pytest.raises(DownloadError):
        fetch(server.remote(sha256=""), tmp_path)
    server.body, server.etag = BODY[::-1], '"two"'
    assert fetch(server.remote(sha256=""), tmp_path).read_bytes() == BODY[::-1]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_version_and_a_hash_two_pieces_are_not_joined(
    server: Server, tmp_path: Path, etag: str
) -> None:
    server.etag, server.cut_after = etag, [100_000]
    assert fetch(server.remote(sha256=""), tmp_path).read_bytes() == BODY
    assert server.asked == ["", ""]


def test_a_known_hash_lets_pieces_be_joined_without_a_version(
    server: Server, tmp_path: Path
) -> None:
    server.etag, server.cut_after = "", [100_000]
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.asked == ["", "bytes=100000-"]


def test_a_server_without_ranges_sends_everything_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.cut_after = False, [100_000]
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.asked == ["", "bytes=100000-"]


def test_a_whole_piece_needs_no_more_bytes(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.bin.part").write_bytes(BODY)
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.sent == 0


def test_a_piece_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.bin.part").write_bytes(BODY + b"more")
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY


def test_a_wrong_checksum_says_what_was_expected_found_and_done(
    server: Server, tmp_path: Path
) -> None:
    server.body = BODY[:-1] + b"x"
    found = hashlib.sha256(server.body).hexdigest()
    with pytest.raises(DownloadError) as error:
        fetch(server.remote(), tmp_path)
    message = str(error.value)
    for part in ("cells.bin", "SHA-256", found, SHA, "removed", server.url):
        assert part in message
    assert contents(tmp_path) == set(), "nothing of it stays"


def test_a_file_of_the_user_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cells.bin").write_bytes(b"mine")
    with pytest.raises(DownloadError, match="It was left as it is; move it away"):
        fetch(server.remote(), tmp_path)
    assert (tmp_path / "cells.bin").read_bytes() == b"mine"


def test_a_file_that_moved_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"/gone: the server answered 404 .* has moved"):
        fetch(server.remote(url=f"{server.url}/gone"), tmp_path)


def test_no_connection_is_said(tmp_path: Path) -> None:
    file = RemoteFile("http://127.0.0.1:9/cells.bin", "cells.bin")
    with pytest.raises(DownloadError, match=r"no connection \(.*refused.*check the network"):
        fetch(file, tmp_path)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: Usage(1000))
    with pytest.raises(DownloadError, match=r"needs 1,024,000 more bytes, 1,000 are free"):
        fetch(server.remote(), tmp_path)


def test_a_disk_that_fills_keeps_what_has_come(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    class Full:
        """A file on a disk with room for 300,000 bytes."""

        def __init__(self, file: IO[bytes]) -> None:
            self.file, self.room = file, 300_000

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, block: bytes) -> None:
            self.file.write(block[: self.room])
            if len(block) > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= len(block)

    def open_full(self: Path, mode: str = "r", **options: Any) -> Any:
        file = real(self, mode, **options)
        return Full(file) if mode == "ab" else file

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(DownloadError, match=r"the disk is full\). What has come is kept"):
        fetch(server.remote(), tmp_path)
    monkeypatch.undo()
    assert fetch(server.remote(), tmp_path).read_bytes() == BODY
    assert server.asked[-1] == "bytes=300000-"


# Archives


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, name * 10)
    return buffer.getvalue()


def test_a_zip_is_unpacked_once_and_removed(server: Server, tmp_path: Path) -> None:
    server.body = zipped("set/a.png", "set/b/c.png")
    file = server.remote(name="set.zip", sha256="", unpack=True)
    assert fetch(file, tmp_path) == tmp_path
    assert (tmp_path / "set/b/c.png").read_text() == "set/b/c.png" * 10
    assert contents(tmp_path) == {"set", "set.zip.sha256"}
    fetch(file, tmp_path)
    assert len(server.asked) == 1


def test_a_tar_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        member = tarfile.TarInfo("set/a.png")
        member.size = 3
        file.addfile(member, io.BytesIO(b"abc"))
    unpack(archive, tmp_path)
    assert (tmp_path / "set/a.png").read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png"])
def test_no_archive_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "set.zip").write_bytes(zipped("fine.png", name))
    with tarfile.open(inner / "set.tar", "w") as file:
        file.addfile(tarfile.TarInfo(name))
    for archive in ("set.zip", "set.tar"):
        with pytest.raises(DownloadError, match="a path that leads outside: refused"):
            unpack(inner / archive, inner)
    assert contents(tmp_path) == {"inner"}
    assert contents(inner) == {"set.zip", "set.tar"}, "nothing was unpacked at all"


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind, said in ((tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "link"), (b"3", "device")):
        with tarfile.open(tmp_path / "set.tar", "w") as file:
            member = tarfile.TarInfo("a.png")
            member.type, member.linkname = kind, "/etc/passwd"
            file.addfile(member)
        with pytest.raises(DownloadError, match=f"holds the {said} 'a.png'"):
            unpack(tmp_path / "set.tar", tmp_path)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as zipped_file:
        link = zipfile.ZipInfo("b.png")
        link.external_attr = 0o120777 << 16
        zipped_file.writestr(link, "/etc/passwd")
    with pytest.raises(DownloadError, match=r"holds the link 'b\.png'"):
        unpack(tmp_path / "set.zip", tmp_path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros.bin", bytes(5_000_000))
    with pytest.raises(DownloadError, match=r"bytes claim to be 5,000,000: refused"):
        unpack(tmp_path / "set.zip", tmp_path)


def test_an_archive_larger_than_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.zip").write_bytes(zipped("set/a.png"))

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: Usage(10))
    with pytest.raises(DownloadError, match=r"needs 90 bytes, 10 are free"):
        unpack(tmp_path / "set.zip", tmp_path)
    assert contents(tmp_path) == {"set.zip"}


def test_a_damaged_archive_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    whole = zipped("set/a.png", "set/b.png")
    (tmp_path / "set.zip").write_bytes(whole.replace(b"set/a.pngset/a.png", b"set/a.pngset/X.png"))
    (tmp_path / "set.bin").write_bytes(b"neither")
    with pytest.raises(DownloadError, match="cannot be unpacked: Bad CRC-32"):
        unpack(tmp_path / "set.zip", tmp_path)
    with pytest.raises(DownloadError, match="neither a zip nor a tar"):
        unpack(tmp_path / "set.bin", tmp_path)
    assert contents(tmp_path) == {"set.zip", "set.bin"}


def test_what_an_archive_would_replace_is_kept(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(zipped("set/a.png"))
    (tmp_path / "set").mkdir()
    with pytest.raises(DownloadError, match=r"exists already, so set\.zip was not unpacked"):
        unpack(tmp_path / "set.zip", tmp_path)


def test_an_archive_that_cannot_be_written_out_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.zip").write_bytes(zipped("set/a.png"))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    with pytest.raises(DownloadError, match=r"No space left on device\). The archive is kept"):
        unpack(tmp_path / "set.zip", tmp_path)
    assert contents(tmp_path) == {"set.zip"}


# By name


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Entry]:
    """A catalogue of the test's own."""
    own: dict[str, Entry] = {}
    monkeypatch.setattr(catalogue, "CATALOGUE", own)
    return own


def test_get_downloads_every_file_of_a_set(
    server: Server, entries: dict[str, Entry], tmp_path: Path
) -> None:
    files = (server.remote(), server.remote(name="labels.csv", sha256=""))
    entries["cells"] = Entry("cells", "Cells", how="http", files=files, licence="CC0")
    assert get("cells", tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    assert {"cells.bin", "labels.csv"} < contents(tmp_path / "new" / "folder")


def test_a_misspelt_name_is_answered_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Did you mean 'allidb2'"):
        get("alidb2", tmp_path)


def test_where_to_ask_and_where_to_put_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as error:
        get("allidb2", tmp_path)
    for part in ("cannot be downloaded", "Scotti", "unimi.it", str(tmp_path), "data read"):
        assert part in str(error.value)
    with pytest.raises(ManifestError, match="No way to get it is known"):
        get("pn-all", tmp_path)
    with pytest.raises(ManifestError, match="data render rendered-cnmc"):
        get("rendered-cnmc", tmp_path)


# Kaggle, with a kagglehub of our own


@dataclass
class Kaggle:
    """What the fake kagglehub was asked, and what it does."""

    cache: Path
    asked: list[str] = field(default_factory=list)
    failure: Exception | None = None


NAMES = (
    "UnauthenticatedError",
    "CredentialError",
    "DataCorruptionError",
    "BackendError",
    "NotFoundError",
)


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kaggle:
    state = Kaggle(tmp_path / "kaggle-cache")
    module, exceptions = types.ModuleType("kagglehub"), types.ModuleType("kagglehub.exceptions")
    for name in NAMES:
        setattr(exceptions, name, type(name, (Exception,), {}))

    def dataset_download(handle: str) -> str:
        state.asked.append(handle)
        if state.failure is not None:
            raise state.failure
        (state.cache / "Original").mkdir(parents=True)
        (state.cache / "Original" / "WBC-Benign-001.jpg").write_bytes(b"cell")
        return str(state.cache)

    module.dataset_download = dataset_download  # type: ignore[attr-defined]
    module.exceptions = exceptions  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)
    return state


def test_a_kaggle_set_goes_through_kagglehub(kaggle: Kaggle, tmp_path: Path) -> None:
    folder = get("taleghani", tmp_path / "data" / "taleghani")
    assert kaggle.asked == ["mehradaria/leukemia"]
    assert (folder / "Original" / "WBC-Benign-001.jpg").read_bytes() == b"cell"
    assert contents(folder.parent) == {"taleghani"}, "no partial folder stays"


def test_a_folder_with_files_is_not_mixed_with_a_kaggle_set(kaggle: Kaggle, tmp_path: Path) -> None:
    (tmp_path / "mine.png").touch()
    with pytest.raises(ManifestError, match="is not empty"):
        get("taleghani", tmp_path)
    assert not kaggle.asked


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("UnauthenticatedError", "Kaggle wants to know who asks.*KAGGLE_USERNAME"),
        ("CredentialError", "Kaggle wants to know who asks"),
        ("DataCorruptionError", "Kaggle answered for mehradaria/leukemia"),
        ("NotFoundError", "Kaggle answered for mehradaria/leukemia"),
    ],
)
def test_what_kaggle_answers_is_said(kaggle: Kaggle, tmp_path: Path, kind: str, said: str) -> None:
    kaggle.failure = getattr(sys.modules["kagglehub.exceptions"], kind)("no")
    with pytest.raises(DownloadError, match=said):
        get("taleghani", tmp_path / "t")


def test_a_cut_kaggle_download_goes_on(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.failure = ConnectionError("reset by peer")
    with pytest.raises(DownloadError, match=r"reset by peer.*goes on where it stopped"):
        get("taleghani", tmp_path / "t")


def test_a_disk_without_room_for_a_kaggle_set_is_said(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download.shutil, "copytree", full)
    with pytest.raises(DownloadError, match=r"What Kaggle sent lies in .*kaggle-cache"):
        get("taleghani", tmp_path / "t")


def test_without_kagglehub_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'leukoscope\[download\]'"):
        get("taleghani", tmp_path / "t")


def test_the_fake_has_the_names_of_the_real_kagglehub() -> None:
    """Else the tests above would prove nothing."""
    hub = pytest.importorskip("kagglehub")
    exceptions = pytest.importorskip("kagglehub.exceptions")
    assert callable(hub.dataset_download)
    for name in NAMES:
        assert issubclass(getattr(exceptions, name), Exception)
