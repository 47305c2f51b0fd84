"""What is asked for and cannot be meant: refused before any data is looked at.

The command line and ``leukoscope.reproduce`` come through here, so both refuse the same; options
are called as on the command line.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

from ..errors import ProtocolError, suggestion
from ..records.experiment import weights_kind
from .cells import Budget
from .cluster import import_ray
from .engines import refuse_jobs
from .request import EngineName, Request

__all__ = ["refuse_request"]

LEAST_IMAGES = 8
LEAST_SUBJECTS = 4


def refuse_request(request: Request) -> None:
    """Raise unless everything that is asked for can be had, as far as that is known at once.

    Raises
    ------
    ProtocolError
        For a budget or engine that there is not, numbers out of range, a choice that contradicts
        another one, a path that does not exist, or an address without Ray.
    MissingExtraError
        For Ray that is not installed.
    """
    _one_of("--budget", request.budget, get_args(Budget))
    _one_of("--engine", request.engine, get_args(EngineName))
    _refuse_numbers(request)
    _refuse_data(request)
    _refuse_weights(request.weights)
    if request.engine == "ray":
        import_ray()
    elif request.address:
        raise ProtocolError(f"--address {request.address}: is of a Ray cluster. Add --engine ray.")
    elif request.jobs is not None:
        refuse_jobs(request.jobs)


def _one_of(option: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ProtocolError(
            f"{option} {name}: {' or '.join(known)} is expected. {suggestion(name, known)}"
        )


def _refuse_numbers(request: Request) -> None:
    """Minutes of a budget that has some; numbers of drawn data where data is drawn."""
    minutes = request.minutes
    if minutes is not None and not 0 < minutes < math.inf:
        raise ProtocolError(f"--minutes {minutes:g}: a number above 0 is expected.")
    if minutes is not None and request.budget == "full":
        raise ProtocolError(
            f"--minutes {minutes:g} is of the smoke budget; --budget full runs everything. "
            "Leave one of them out."
        )
    drawn = (
        ("--images", request.images, LEAST_IMAGES),
        ("--subjects", request.subjects, LEAST_SUBJECTS),
    )
    for option, count, least in drawn:
        if count is None:
            continue
        if not request.rendered:
            raise ProtocolError(f"{option} is about drawn data: add --rendered, or leave it out.")
        if count < least:
            raise ProtocolError(f"{option} {count}: at least {least} are needed.")


def _refuse_data(request: Request) -> None:
    for option, paths in (("--data", request.data), ("--substitute", request.substitutes)):
        for name, path in paths.items():
            if not path.exists():
                raise ProtocolError(f"{option} {name}={path}: there is no file or folder {path}.")
    twice = sorted(request.data.keys() & request.substitutes.keys())
    if twice:
        raise ProtocolError(
            f"{twice[0]} is named with --data and with --substitute. Leave one of them out: --data "
            "is the paper's own set, --substitute another one in its place."
        )


def _refuse_weights(weights: str) -> None:
    """A path that is not there; of a hybrid two may be joined by ``+``."""
    if not weights or Path(weights).expanduser().exists():
        return
    for part in weights.split("+"):
        place = part.strip().removeprefix("run:")
        if weights_kind(part.strip()) in ("none", "hub") or Path(place).expanduser().exists():
            continue
        near = suggestion(place, ["none", "hub"]) if place.isalpha() else ""
        raise ProtocolError(
            f"--weights {weights}: there is no file or folder {place}. {near}".rstrip()
            + " Name one that is there, none for networks that begin at random, or leave it out "
            "for the hub's."
        )
