"""Validation of what people write: pydantic's verdict, told in leukoscope's words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import LeukoscopeError, suggestion

__all__ = ["Record", "parse", "read_toml"]


class Record(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


R = TypeVar("R", bound=Record)


def parse(
    record: type[R], data: Mapping[str, Any], *, where: str, error: type[LeukoscopeError]
) -> R:
    """Build ``record`` from ``data``; every fault becomes one sentence that names its key.

    ``where`` is the file (or "the call") that messages begin with.
    """
    try:
        return record.model_validate(dict(data))
    except ValidationError as failure:
        raise error(f"{where}: " + " ".join(_sentences(record, failure))) from None


def _sentences(record: type[BaseModel], failure: ValidationError) -> list[str]:
    sentences = []
    for fault in failure.errors(include_url=False):
        place = [str(part) for part in fault["loc"]]
        key = ".".join(place)
        if fault["type"] == "extra_forbidden":
            known = _fields_at(record, place[:-1])
            sentences.append(f"unknown key '{key}'. {suggestion(place[-1], known)}")
        elif fault["type"] == "missing":
            sentences.append(f"key '{key}' is missing.")
        else:
            message = fault["msg"].removeprefix("Value error, ").rstrip(".")
            shown = repr(fault["input"])
            shown = shown if len(shown) <= 60 else shown[:57] + "..."
            sentences.append(f"key '{key}' is {shown}: {message}.")
    return sentences


def _fields_at(record: type[BaseModel], place: list[str]) -> list[str]:
    """Names of the fields of the (nested) record that ``place`` leads to."""
    current: Any = record
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            current = field.annotation if field is not None else None
        for argument in get_args(current):
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                current = argument
                break
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def read_toml(
    path: Path, *, what: str, schema: int, error: type[LeukoscopeError]
) -> dict[str, Any]:
    """Read a TOML table whose ``schema`` number (1 where absent) is at most ``schema``."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{path}: there is no such {what} file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise error(f"{path}: cannot be read as a {what} file: {reason}.") from reason
    found = table.get("schema", 1)
    if isinstance(found, int) and found > schema:
        raise error(
            f"{path}: written by a newer leukoscope ({what} schema {found}, this one reads "
            f"up to {schema}). Upgrade leukoscope to read it."
        )
    return table
