"""Files that are either whole or absent: atomic writes, hashes, JSON with a schema number."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import LeukoscopeError, StorageError

__all__ = [
    "article",
    "atomic_path",
    "cache_folder",
    "canonical_json",
    "read_json",
    "sha256_bytes",
    "sha256_file",
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
        When the disk is full, the folder cannot be written, or ``path`` is there and is no
        regular file (a rename would replace a device with a file, also ``/dev/null``).
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
    raise StorageError(
        f"{path}: is {found}; a file is written whole and then put in its place, which "
        f"{found} does not allow. Name a file"
        + (f" in it, such as {path / 'NAME'}." if stat.S_ISDIR(mode) else ".")
    )


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
