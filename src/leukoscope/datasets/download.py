"""Getting a data set where its licence allows; otherwise saying where to ask.

A direct download is resumed where it was cut off, as long as the server says that the file is
still the same; it is checked against a known SHA-256, or its own is recorded beside it; and it
gets its name only when it is whole.
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..errors import DownloadError, ManifestError, MissingExtraError
from ..files import sha256_file, write_atomic
from ..progress import Progress
from .archives import unpack
from .catalogue import entry_named
from .entries import Entry, RemoteFile

__all__ = ["fetch", "get"]

SILENT = Progress(quiet=True)
BLOCK = 1 << 20
TIMEOUT_SECONDS = 30.0
ATTEMPTS = 4
"""How often a connection that was cut off is taken up again within one call."""
PAUSE_SECONDS = 1.0
"""Before the second attempt; twice as long before each further one."""


def get(name: str, folder: Path, progress: Progress = SILENT) -> Path:
    """Download a data set into ``folder``; what is there already is not downloaded again.

    Returns
    -------
    Path
        ``folder``, which ``datasets.reading.read_folder`` now understands.

    Raises
    ------
    ManifestError
        When there is no such data set, or it cannot be downloaded: the message says where to ask
        and where to put it.
    DownloadError
        When the network, the server, the disk or a checksum failed; the same call goes on.
    MissingExtraError
        When it lies at Kaggle and ``kagglehub`` is not installed.
    """
    entry, folder = entry_named(name), Path(folder)
    if entry.how == "kaggle":
        return _from_kaggle(entry, folder)
    if entry.how != "http":
        raise ManifestError(_where_to_ask(entry, folder))
    if entry.licence:
        progress.say(f"{entry.title}: licence {entry.licence}")
    for file in entry.files:
        fetch(file, folder, progress)
    return folder


def _where_to_ask(entry: Entry, folder: Path) -> str:
    if entry.how == "render":
        return (
            f"{entry.name}: is drawn, not downloaded. "
            f"Draw it: leukoscope data render {entry.name} -o {folder}."
        )
    way = " ".join(part for part in (entry.ask, entry.url) if part)
    licence = f" ({entry.licence})" if entry.licence else ""
    return (
        f"{entry.name}: {entry.title} cannot be downloaded from here{licence}. "
        f"{way or 'No way to get it is known.'} "
        f"Put it into {folder}, then: leukoscope data read {folder}."
    )


def _from_kaggle(entry: Entry, folder: Path) -> Path:
    """Through kagglehub, which resumes and checks; its cache and ``folder`` share the bytes."""
    try:
        import kagglehub
        from kagglehub import exceptions as kaggle
    except ImportError:
        raise MissingExtraError(f"Downloading {entry.title} from Kaggle", "download") from None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ManifestError(
            f"{folder}: is not empty, so {entry.title} was not put there. "
            "Choose a new folder; what Kaggle sent before is not downloaded again."
        )
    try:
        source = Path(kagglehub.dataset_download(entry.kaggle))
    except (kaggle.UnauthenticatedError, kaggle.CredentialError) as reason:
        raise DownloadError(
            f"{entry.name}: Kaggle wants to know who asks: {reason}. Make a token on "
            "https://www.kaggle.com/settings and set KAGGLE_USERNAME and KAGGLE_KEY."
        ) from reason
    except (kaggle.DataCorruptionError, kaggle.BackendError, kaggle.NotFoundError) as reason:
        raise DownloadError(
            f"{entry.name}: Kaggle answered for {entry.kaggle}: {reason}. Try again later."
        ) from reason
    except OSError as reason:  # what requests raises is an OSError too
        raise DownloadError(
            f"{entry.name}: the download of {entry.kaggle} failed: {reason}. "
            "Run the same command again; it goes on where it stopped."
        ) from reason
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial, copy_function=_link_or_copy)
        if folder.exists():
            folder.rmdir()
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DownloadError(
            f"{folder}: cannot be written ({error.strerror or error}). "
            f"What Kaggle sent lies in {source}."
        ) from error
    return folder


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def fetch(file: RemoteFile, folder: Path, progress: Progress = SILENT) -> Path:
    """Download one file into ``folder``, and unpack it where its record says so.

    While it grows it is called ``NAME.part``; ``NAME.sha256`` beside it records what came (in the
    form that ``sha256sum -c`` reads).

    Returns
    -------
    Path
        The file; or the folder, where it was unpacked (the archive is then removed).

    Raises
    ------
    DownloadError
        See ``get``.
    """
    target, record = folder / file.name, folder / f"{file.name}.sha256"
    done = folder if file.unpack else target
    recorded = record.read_text(encoding="utf-8").split()[:1] if record.is_file() else []
    if file.unpack and recorded and not target.exists():
        return done
    if target.exists():
        _check_existing(target, file.sha256 or "".join(recorded))
    else:
        _stream(file, target, progress)
    digest = sha256_file(target)
    if file.unpack:
        unpack(target, folder, progress)
        target.unlink()
    write_atomic(record, f"{digest}  {file.name}\n")
    return done


def _check_existing(target: Path, expected: str) -> None:
    found = sha256_file(target)
    if expected and found != expected:
        raise DownloadError(
            f"{target}: SHA-256 is {found}, expected {expected}. It was left as it is; "
            "move it away and run the same command again."
        )


@dataclass(frozen=True)
class _Part:
    """The piece of a file that is here, and what the server called it (its ETag or date)."""

    path: Path

    @property
    def mark(self) -> Path:
        return self.path.with_name(self.path.name + ".mark")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def validator(self) -> str:
        return self.mark.read_text(encoding="utf-8") if self.mark.is_file() else ""

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)


def _stream(file: RemoteFile, target: Path, progress: Progress) -> None:
    """Fill ``NAME.part``, check it, and give it its name."""
    part = _Part(target.with_name(f"{target.name}.part"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            if _one_connection(file, part, progress):
                break
        else:
            raise DownloadError(
                f"{file.url}: the connection was cut off {ATTEMPTS} times; {part.size:,} bytes of "
                f"it are in {part.path}. Run the same command again; it goes on there."
            )
        found = sha256_file(part.path)
        if file.sha256 and found != file.sha256:
            part.drop()
            raise DownloadError(
                f"{target}: SHA-256 of what came is {found}, expected {file.sha256}. It was "
                f"removed; run the same command again. If it stays so, the file at {file.url} is "
                "another one now."
            )
        part.path.replace(target)
        part.drop()
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise DownloadError(
            f"{target}: cannot be written ({what}). What has come is kept; free some space or "
            "choose another folder, and run the same command again."
        ) from error


def _one_connection(file: RemoteFile, part: _Part, progress: Progress) -> bool:
    """Ask for what is missing and append it; False where the connection was cut off."""
    # Without a name for the version that the piece is of, only a known hash could tell whether
    # the two pieces belong together.
    if part.size and not (part.validator or file.sha256):
        part.drop()
    request = urllib.request.Request(file.url, headers={"Accept-Encoding": "identity"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if part.validator:
            request.add_header("If-Range", part.validator)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as refusal:
        return _refused(refusal, file, part)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as why:
        reason = why.reason if isinstance(why, urllib.error.URLError) else why
        raise DownloadError(
            f"{file.url}: no connection ({reason}). What has come is kept; check the network and "
            "run the same command again."
        ) from why
    with response:
        if response.status != 206 or _starts_at(response) != part.size:
            part.drop()
        if mark := _version(response):
            part.mark.write_text(mark, encoding="utf-8")
        length = response.headers.get("Content-Length")
        total = part.size + int(length) if length else None
        _refuse_large(file, part, total)
        return _append(response, file, part, total, progress)


def _refused(refusal: urllib.error.HTTPError, file: RemoteFile, part: _Part) -> bool:
    """What an HTTP error means: the piece is already whole, it is of no use, or it is the end."""
    with refusal:
        if refusal.code == 416 and part.size:
            whole = re.fullmatch(r"bytes \*/(\d+)", refusal.headers.get("Content-Range", ""))
            if whole and int(whole[1]) == part.size:
                return True
            part.drop()
            return False
        advice = (
            "The file has moved: look at the data set's page, and tell leukoscope's maintainers."
            if refusal.code in (403, 404, 410)
            else "Try again later."
        )
        raise DownloadError(
            f"{file.url}: the server answered {refusal.code} {refusal.reason}. {advice}"
        ) from refusal


def _version(response: http.client.HTTPResponse) -> str:
    """What the server calls these very bytes: a strong ETag, or when they last changed."""
    tag: str = response.headers.get("ETag", "")
    # A weak ETag names a page's meaning and not its bytes; If-Range refuses it.
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _starts_at(response: http.client.HTTPResponse) -> int:
    """Where the bytes of a partial answer begin; -1 where it does not say."""
    named = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(named[1]) if named else -1


def _refuse_large(file: RemoteFile, part: _Part, total: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - part.size > free:
        raise DownloadError(
            f"{part.path.parent}: {file.name} needs {total - part.size:,} more bytes, {free:,} are "
            "free. What has come is kept; free some space or choose another folder."
        )


def _append(
    response: http.client.HTTPResponse,
    file: RemoteFile,
    part: _Part,
    total: int | None,
    progress: Progress,
) -> bool:
    """Write what comes; True where all of it came."""
    began, start = time.monotonic(), part.size
    size = start
    with part.path.open("ab") as out:
        while True:
            try:
                block = response.read(BLOCK)
            except (http.client.HTTPException, ConnectionError, TimeoutError):
                return False
            if not block:
                break
            out.write(block)
            size += len(block)
            if total:
                elapsed = time.monotonic() - began
                progress.show(f"{file.name} (KB)", size >> 10, total >> 10, elapsed)
        out.flush()
        os.fsync(out.fileno())
    progress.close()
    return total is None or size >= total
