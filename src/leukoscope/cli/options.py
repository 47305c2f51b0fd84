"""Options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ExperimentError
from ..progress import Progress

__all__ = ["As", "Data", "Json", "Quiet", "Seed", "emit", "progress", "settings_of"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Data = Annotated[
    Path, typer.Argument(metavar="M.csv|FOLDER", help="A manifest, or a folder of images.")
]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="Read a folder as this layout; else it is seen."),
]


def progress(quiet: bool) -> Progress:
    """What work reports to: stderr, or nothing."""
    return Progress(quiet=quiet)


def emit(value: Any, text: str, as_json: bool) -> None:
    """Print the result on stdout: ``value`` as JSON for machines, or ``text`` for people."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1) if as_json else text)


def settings_of(pairs: list[str]) -> dict[str, Any]:
    """``key=value`` with the value read as TOML where it is TOML, else as text."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark or not key:
            raise ExperimentError(
                f"--set {pair}: expected KEY=VALUE, as in --set training.epochs=10."
            )
        try:
            settings[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = text
    return settings
