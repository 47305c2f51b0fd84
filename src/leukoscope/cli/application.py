"""All verbs under one name, and what becomes of an error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

import typer

from ..errors import LeukoscopeError, suggestion
from . import (
    audit,
    bench,
    check,
    compare,
    data,
    demo,
    doctor,
    evaluate,
    report,
    reproduce,
    split,
    train,
)

__all__ = ["app", "run"]

INTERRUPTED = 130
# Newer typers carry a click of their own; this finds the class that "wrong call" errors share.
ClickException: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
STORAGE = 3
CHOICE = re.compile(r"'([^']*)' is not one of ('.*')\.?$")
"""How a choice that is none is refused."""

app = typer.Typer(
    name="leukoscope",
    help="Cells of acute lymphoblastic leukemia: from a folder of images to a figure one can "
    "defend. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)

VERBS: dict[str, Callable[..., Any]] = {
    "demo": demo.demo,
    "doctor": doctor.doctor,
    "check": check.check,
    "split": split.split,
    "train": train.train,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "audit": audit.audit,
    "report": report.report,
    "reproduce": reproduce.reproduce,
    "bench": bench.bench,
}

for _name, _verb in VERBS.items():
    app.command(_name)(_verb)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leukoscope {metadata.version('leukoscope')}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Options that stand before the verb."""


def run(arguments: list[str]) -> int:
    """Run one command line; every failure becomes one sentence on stderr and an exit code."""
    if arguments in ([], ["data"]):
        arguments = [*arguments, "--help"]
    verbs = [*VERBS, "data"]
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first is not None and first not in verbs:
        sys.stderr.write(f"error: no command '{first}'. {suggestion(first, verbs)}\n")
        return LeukoscopeError.exit_code
    try:
        outcome = app(arguments, standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0
    except LeukoscopeError as error:
        return _failed(str(error), type(error).__name__, error.exit_code, arguments)
    except ClickException as error:
        message = _wrong_call(error.format_message())
        return _failed(message, "UsageError", LeukoscopeError.exit_code, arguments)
    except MemoryError:
        return _failed(
            "memory ran out; what was finished is kept. Use smaller images or a smaller batch.",
            "MemoryError",
            STORAGE,
            arguments,
        )
    except BrokenPipeError:
        # The reader of our output went away (``| head``): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # Rooms turn what they expect into errors of ours; what is left is a full disk or a pipe.
        place = f"{error.filename}: " if error.filename else ""
        what = f"{place}reading or writing failed ({error.strerror or error})."
        return _failed(what, "OSError", STORAGE, arguments)
    except typer.Exit as stop:
        code = int(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("\ninterrupted: the same command goes on where it stopped\n")
    return code


def _wrong_call(message: str) -> str:
    """What was wrong with an option, in our words: a misspelt choice suggests the right one."""
    message = message.replace("Value error, ", "")
    refused = CHOICE.search(message)
    if refused is None:
        return message
    name, known = refused[1], re.findall(r"'([^']*)'", refused[2])
    return f"{message[: refused.start()]}'{name}' is not known. {suggestion(name, known)}"


def _failed(message: str, kind: str, code: int, arguments: list[str]) -> int:
    if "--json" in arguments:
        sys.stderr.write(json.dumps({"error": {"kind": kind, "message": message}}) + "\n")
    else:
        sys.stderr.write(f"error: {message}\n")
    return code
