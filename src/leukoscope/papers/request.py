"""What is asked of a reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import ProtocolError
from .budget import SMOKE_MINUTES, SMOKE_SUBJECTS
from .cells import Budget

__all__ = ["Request", "dataset_paths"]


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    paper: str
    editions: tuple[str, ...] = ()
    """Empty: all that the paper has."""
    budget: Budget = "smoke"
    minutes: float = SMOKE_MINUTES
    """Of an edition at the smoke budget, as estimated on two cores."""
    only: tuple[str, ...] = ()
    reading: str = "full"
    data: Mapping[str, Path] = field(default_factory=dict)
    """The paper's data set → where it lies."""
    substitutes: Mapping[str, Path] = field(default_factory=dict)
    """The paper's data set → another one that stands in for it."""
    rendered: bool = False
    """Draw what is neither."""
    images: int | None = None
    """Of each set that is drawn; None: as many as hold 2,000 cells."""
    subjects: int = SMOKE_SUBJECTS
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    engine: Literal["local", "ray"] = "local"
    jobs: int | None = 1
    """Trainings at once, each in a process of its own; None: as many as fit. With more than one a
    script needs ``if __name__ == "__main__":``, because the processes import it."""
    address: str = ""
    """Of a Ray cluster; empty: ``RAY_ADDRESS``, else one is started here."""

    @property
    def names_data(self) -> bool:
        """Whether it says what stands for any data set of the paper."""
        return bool(self.data or self.substitutes or self.rendered)


def dataset_paths(texts: Sequence[str], option: str) -> dict[str, Path]:
    """``NAME=PATH`` texts as a mapping.

    Raises
    ------
    ProtocolError
        For a text without ``=``, or a path that does not exist.
    """
    found = {}
    for text in texts:
        name, mark, place = text.partition("=")
        if not mark or not place:
            raise ProtocolError(f"{option} {text}: expected NAME=PATH, as in cnmc=~/data/cnmc.")
        path = Path(place).expanduser()
        if not path.exists():
            raise ProtocolError(f"{option} {text}: there is no file or folder {path}.")
        found[name] = path
    return found
