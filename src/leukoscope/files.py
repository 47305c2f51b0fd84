"""Files that are either whole or absent: atomic writes, hashes, JSON with a schema number."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import LeukoscopeError, OutputError, StorageError

__all__ = [
    "article",
    "atomic_path",
    "cache_folder",
    "canonical_json",
    "read_json",
    "sha256_bytes",
    "sha256_file",
    "verify_output",
    "verify_schema",
    "write_atomic",
    "write_json",
]

KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
"""What may lie where a file is to be written."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success fsync it and rename it into place.

    A reader sees the old file or the new one, never half of it; a failure leaves no debris. A
    link stays and what it leads to is replaced.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    OutputError
        When ``path`` is there and is no regular file (a rename would replace a device with a
        file, also ``/dev/null``).
    """
    _verify_replaceable(path)
    path = path.resolve() if path.is_symlink() else path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror}). "
            "Free some space or choose another folder."
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("r+b") as written:  # Windows syncs only what may be written
            os.fsync(written.fileno())
        # mkstemp makes private files; ours are as readable as any other file of the user.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path}: writing failed ({error.strerror}). "
            "What was there before is unchanged; free some space or choose another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _verify_replaceable(path: Path) -> None:
    """Refuse a target that a rename would destroy, or cannot replace."""
    try:
        mode = path.stat().st_mode
    except OSError:  # not there, or not to be looked at: creating it will say why
        return
    if stat.S_ISREG(mode):
        return
    found = next((name for fits, name in KINDS if fits(mode)), "something else")
    raise OutputError(
        f"{path}: is {found}; a file is written whole and then put in its place, which "
        f"{found} does not allow. Name a file"
        + (f" in it, such as {path / 'NAME'}." if stat.S_ISDIR(mode) else ".")
    )


def verify_output(
    path: Path, *, suffixes: tuple[str, ...] = (), inputs: Iterable[Path | str] = ()
) -> None:
    """Refuse a place that a verb cannot or must not write to, before it has worked for it.

    Parameters
    ----------
    path
        The file or folder to be written; folders above it may be absent.
    suffixes
        How a file's name may end (``(".csv", ".parquet")``), so that a slip of the hand does not
        replace an image; without any a folder is to be written.
    inputs
        What the verb reads: it is not replaced.

    Raises
    ------
    OutputError
        When ``path`` is of another kind, has another suffix, or is one of ``inputs``.
    StorageError
        When nothing can be written there.
    """
    if suffixes:
        _verify_replaceable(path)
    elif os.path.lexists(path) and not path.is_dir():
        raise OutputError(f"{path}: is no folder, and a folder is to be written. Name a new one.")
    if suffixes and path.suffix not in suffixes:
        raise OutputError(
            f"{path}: what is written here has a name that ends in {' or '.join(suffixes)}. "
            f"Name it so, such as {path.with_suffix(suffixes[0])}."
        )
    for given in inputs:
        if os.path.exists(path) and os.path.exists(given) and os.path.samefile(path, given):
            raise OutputError(
                f"{path}: is what is read, and would be replaced by what is written. Choose "
                "another name."
            )
    _verify_writable(path, path.parent if suffixes else path)


def _verify_writable(path: Path, folder: Path) -> None:
    """Make and remove a file in ``folder``, or in the nearest one above it that is there."""
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(
            f"{path}: {folder} is no folder, so nothing can lie in it. Choose another folder."
        )
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".leukoscope.", suffix=".tmp")
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written: {folder} takes no file ({error.strerror}). Choose "
            "another folder."
        ) from error


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` (text as UTF-8 with ``\\n``), atomically."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically; NaN is refused (it is not JSON)."""
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, *, what: str, schema: int, error: type[LeukoscopeError]) -> Any:
    """Read a JSON object whose ``schema`` number is at most ``schema``.

    ``what`` names the artefact in messages ("split"); ``error`` is the class that is raised.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{path}: there is no such {what} file.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as reason:
        empty = path.is_file() and not path.stat().st_size
        why = "the file is empty" if empty else str(reason).rstrip(".")
        raise error(f"{path}: cannot be read as {article(what)} file: {why}.") from reason
    if not isinstance(value, Mapping):
        raise error(f"{path}: {article(what)} file is a JSON object, found {type(value).__name__}.")
    verify_schema(value.get("schema"), path, what=what, schema=schema, error=error)
    return value


def article(what: str) -> str:
    """``what`` with its article: *a split*, *an experiment*."""
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def verify_schema(
    found: Any, path: Path, *, what: str, schema: int, error: type[LeukoscopeError]
) -> None:
    """Raise ``error`` unless ``found`` is a schema number from 1 to ``schema``."""
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        numbers = "1" if schema == 1 else f"1 to {schema}"
        raise error(
            f"{path}: {article(what)} file has a number 'schema' ({numbers}), found {found!r}."
        )
    if found > schema:
        raise error(
            f"{path}: written by a newer leukoscope ({what} schema {found}, this one reads "
            f"up to {schema}). Upgrade leukoscope to read it."
        )


def canonical_json(value: Any) -> str:
    """``value`` as JSON with sorted keys and no white space: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Where caches go: ``$LEUKOSCOPE_CACHE``, or the user's cache folder of the system."""
    named = os.environ.get("LEUKOSCOPE_CACHE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("leukoscope", appauthor=False))
