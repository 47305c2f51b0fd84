"""Validation of what people write: pydantic's verdict, told in leukoscope's words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from .errors import LeukoscopeError, suggestion
from .files import article, verify_schema

__all__ = ["Record", "parse", "read_toml"]


class Record(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
    unknown: dict[str, list[str]] = {}
    for fault in failure.errors(include_url=False):
        if fault["type"] == "default_factory_not_called":
            continue  # a consequence of another fault, which is told
        place, candidates = _followed(record, fault["loc"][:-1])
        last = str(fault["loc"][-1]) if fault["loc"] else ""
        key = ".".join([*place, last])
        if fault["type"] == "extra_forbidden":
            known = [name for candidate in candidates for name in _keys(candidate)]
            unknown.setdefault(suggestion(last, known), []).append(f"'{key}'")
        else:
            sentences.append(_sentence(fault, key))
    # What is known is said once, however many keys are not.
    told = [
        f"unknown key{'s' if len(keys) > 1 else ''} {', '.join(keys)}. {advice}"
        for advice, keys in unknown.items()
    ]
    return told + sentences


def _sentence(fault: ErrorDetails, key: str) -> str:
    """One fault: its key as it is written, what was found, and what was expected."""
    context, found = fault.get("ctx", {}), fault["input"]
    if fault["type"] == "missing":
        return f"key '{key}' is missing."
    if fault["type"] == "union_tag_invalid":
        discriminator = str(context["discriminator"]).strip("'")
        tag, tags = str(context["tag"]), _quoted(str(context["expected_tags"]))
        return f"key '{key}.{discriminator}' is '{tag}'. {suggestion(tag, tags)}"
    if fault["type"] == "union_tag_not_found":
        discriminator = str(context["discriminator"]).strip("'")
        return f"key '{key}.{discriminator}' is missing."
    if fault["type"] == "literal_error" and isinstance(found, str):
        return f"key '{key}' is '{found}'. {suggestion(found, _quoted(context['expected']))}"
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if fault["type"] == "value_error" and isinstance(found, Mapping):
        # Two keys that do not go together: the message names them, the table would be noise.
        return f"[{key}]: {message}." if key else f"{message}."
    shown = repr(found)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    expected = EXPECTED.get(fault["type"], _expectation(message))
    return f"key '{key}' is {shown}: {expected}."


EXPECTED = {
    "model_type": "expected a table",
    "dict_type": "expected a table",
    "tuple_type": "expected a list",
    "string_type": "expected a text in quotes",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_type": "expected a whole number",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
}
"""What pydantic says in words of its own, said in those of the file."""


def _expectation(message: str) -> str:
    """pydantic's message for a limit, as what was expected."""
    for comparison in ("greater", "less"):
        message = message.replace(
            f"Input should be {comparison}", f"expected a number {comparison}"
        )
    return message.replace("Input should", "it should")


def _keys(record: type[BaseModel]) -> list[str]:
    """The keys of a record as a file has them."""
    return [field.alias or name for name, field in record.model_fields.items()]


def _quoted(text: str) -> list[str]:
    """The names in pydantic's list ``'a', 'b' or 'c'``."""
    return re.findall(r"'([^']*)'", text)


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
    """Read a TOML table whose ``schema`` number (1 where absent) is at most ``schema``.

    An empty file is refused: it is one that was cut short, or the wrong one.
    """
    try:
        # Editors on Windows begin files with a byte order mark, which is no TOML.
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise error(f"{path}: there is no such {what} file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as reason:
        raise error(
            f"{path}: cannot be read as {article(what)} file: {str(reason).rstrip('.')}."
        ) from reason
    if not table:
        raise error(f"{path}: the file is empty; {article(what)} was expected.")
    verify_schema(table.get("schema", 1), path, what=what, schema=schema, error=error)
    return table
