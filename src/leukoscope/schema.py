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
        place, candidates = _followed(record, fault["loc"][:-1])
        last = str(fault["loc"][-1]) if fault["loc"] else ""
        key = ".".join([*place, last])
        context = fault.get("ctx", {})
        if fault["type"] == "extra_forbidden":
            known = [name for candidate in candidates for name in candidate.model_fields]
            sentences.append(f"unknown key '{key}'. {suggestion(last, known)}")
        elif fault["type"] == "missing":
            sentences.append(f"key '{key}' is missing.")
        elif fault["type"] == "union_tag_invalid":
            tags = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
            found = str(context["tag"])
            discriminator = str(context["discriminator"]).strip("'")
            sentences.append(f"key '{key}.{discriminator}' is '{found}'. {suggestion(found, tags)}")
        elif fault["type"] == "union_tag_not_found":
            discriminator = str(context["discriminator"]).strip("'")
            sentences.append(f"key '{key}.{discriminator}' is missing.")
        else:
            message = fault["msg"].removeprefix("Value error, ").rstrip(".")
            shown = repr(fault["input"])
            shown = shown if len(shown) <= 60 else shown[:57] + "..."
            sentences.append(f"key '{key}' is {shown}: {message}.")
    return sentences


def _followed(
    record: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], list[type[BaseModel]]]:
    """Where a location of pydantic's leads: its keys as they are written, and the records there.

    pydantic puts the tag of a tagged union into its locations (``steps.0.median.size``); a file
    has no such level, so the tag only chooses among the records and leaves the keys.
    """
    keys: list[str] = []
    candidates = [record]
    for part in location:
        holders = [one for one in candidates if str(part) in one.model_fields]
        tagged = [one for one in candidates if _has_tag(one, part)]
        if holders:
            fields = [one.model_fields[str(part)] for one in holders]
            candidates = [found for field in fields for found in _records_in(field.annotation)]
        elif tagged:
            candidates = tagged
            continue
        keys.append(str(part))
    return keys, candidates


def _has_tag(record: type[BaseModel], tag: int | str) -> bool:
    """Whether one of the record's fields can only be ``tag``."""
    return any(get_args(field.annotation) == (tag,) for field in record.model_fields.values())


def _records_in(annotation: Any) -> list[type[BaseModel]]:
    """Every record that an annotation mentions, however nested."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _records_in(argument)]


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
