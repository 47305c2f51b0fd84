"""What people write, validated: every fault is one sentence with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from leukoscope.errors import ExperimentError
from leukoscope.schema import Record, parse, read_toml


class Median(Record):
    name: Literal["median"] = "median"
    size: int = Field(default=3, ge=3)


class Gaussian(Record):
    name: Literal["gaussian"] = "gaussian"
    sigma: float = 1.0


class Inner(Record):
    rate: float = Field(default=0.1, ge=0, lt=1)
    kind: Literal["adam", "sgd"] = "adam"
    on: bool = False

    @model_validator(mode="after")
    def _together(self) -> Inner:
        if self.kind == "sgd" and self.on:
            raise ValueError("sgd is never on")
        return self


class Outer(Record):
    schema_: int = Field(default=1, alias="schema")
    title: str
    inner: Inner = Inner()
    steps: tuple[Annotated[Median | Gaussian, Field(discriminator="name")], ...] = ()
    pair: tuple[float, float] = (0, 1)

    @model_validator(mode="after")
    def _titled(self) -> Outer:
        if self.title == "none":
            raise ValueError("a title says something")
        return self


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "file: key 'title' is missing."),
        ({"title": "x", "tilte": 1}, "file: unknown key 'tilte'. Did you mean 'title'?"),
        (
            {"title": "x", "inner": {"rat": 1}},
            "file: unknown key 'inner.rat'. Did you mean 'rate'?",
        ),
        (
            {"title": "x", "zzz": 1},
            "file: unknown key 'zzz'. Known: inner, pair, schema, steps, title.",
        ),
        (
            {"title": "x", "zzz": 1, "qqq": 2},
            "file: unknown keys 'zzz', 'qqq'. Known: inner, pair, schema, steps, title.",
        ),
        (
            {"title": "x", "inner": {"kind": "adma"}},
            "file: key 'inner.kind' is 'adma'. Did you mean 'adam'?",
        ),
        (
            {"title": "x", "inner": {"rate": 2}},
            "file: key 'inner.rate' is 2: expected a number less than 1.",
        ),
        (
            {"title": "x", "inner": {"rate": -1}},
            "file: key 'inner.rate' is -1: expected a number greater than or equal to 0.",
        ),
        (
            {"title": "x", "inner": {"rate": float("inf")}},
            "file: key 'inner.rate' is inf: expected a finite number.",
        ),
        (
            {"title": "x", "inner": {"rate": "high"}},
            "file: key 'inner.rate' is 'high': expected a number.",
        ),
        ({"title": 3}, "file: key 'title' is 3: expected a text in quotes."),
        (
            {"title": "x", "inner": {"on": "maybe"}},
            "file: key 'inner.on' is 'maybe': expected true or false.",
        ),
        ({"title": "x", "inner": 3}, "file: key 'inner' is 3: expected a table."),
        ({"title": "x", "steps": "median"}, "file: key 'steps' is 'median': expected a list."),
        (
            {"title": "x", "steps": [{"name": "medain"}]},
            "file: key 'steps.0.name' is 'medain'. Did you mean 'median'?",
        ),
        ({"title": "x", "steps": [{"size": 3}]}, "file: key 'steps.0.name' is missing."),
        (
            {"title": "x", "steps": [{"name": "median"}, {"name": "gaussian", "sigm": 1}]},
            "file: unknown key 'steps.1.sigm'. Did you mean 'sigma'?",
        ),
        (
            {"title": "x", "steps": [{"name": "median", "size": 1}]},
            "file: key 'steps.0.size' is 1: expected a number greater than or equal to 3.",
        ),
        ({"title": "x", "inner": {"kind": "sgd", "on": True}}, "file: [inner]: sgd is never on."),
        ({"title": "none"}, "file: a title says something."),
        (
            {"title": ["long" * 40]},
            "file: key 'title' is " + repr(["long" * 40])[:57] + "...: expected a text in quotes.",
        ),
        (
            {"inner": {"kind": "adma"}},
            "file: key 'title' is missing. key 'inner.kind' is 'adma'. Did you mean 'adam'?",
        ),
    ],
)
def test_faults(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentError) as error:
        parse(Outer, data, where="file", error=ExperimentError)
    assert str(error.value) == message


def test_what_is_right_is_a_frozen_record() -> None:
    record = parse(Outer, {"title": "x", "schema": 1}, where="file", error=ExperimentError)
    assert record == Outer(title="x")
    with pytest.raises(ValidationError, match="frozen"):
        record.title = "y"  # type: ignore[misc]


def test_toml_is_read_whatever_the_editor(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbftitle = 'x'\r\n")
    table = read_toml(path, what="experiment", schema=1, error=ExperimentError)
    assert table == {"title": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such experiment file"),
        (b"", "the file is empty; an experiment was expected"),
        (b"# nothing\n", "the file is empty; an experiment was expected"),
        (b"a = [", "cannot be read as an experiment file: Invalid value"),
        (b"a = '\xff'", "cannot be read as an experiment file: 'utf-8' codec"),
        (b"schema = 2", r"newer leukoscope \(experiment schema 2, this one reads up to 1\)"),
        (b"schema = 'x'", r"an experiment file has a number 'schema' \(1\), found 'x'"),
        (b"schema = 0", r"has a number 'schema' \(1\), found 0"),
    ],
)
def test_bad_toml(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ExperimentError, match=message):
        read_toml(path, what="experiment", schema=1, error=ExperimentError)


def test_a_default_that_waits_for_a_wrong_key_is_no_fault_of_its_own() -> None:
    from leukoscope.records.experiment import Model

    with pytest.raises(ExperimentError) as told:
        parse(Model, {"reading": "R9"}, where="--set", error=ExperimentError)
    assert str(told.value) == "--set: key 'reading' is 'R9'. Known: R1, R2, R3."
