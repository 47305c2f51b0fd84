"""What is asked of a reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import ProtocolError
from .budget import SMOKE_MINUTES, SMOKE_SUBJECTS
from .cells import Budget

__all__ = ["EngineName", "Request", "dataset_paths"]

EngineName = Literal["local", "ray"]


@dataclass(frozen=True)
class Request:
    """What is asked for; ``refusals.refuse_request`` says whether it can be meant.

    One edition or condition may be a text of its own.
    """

    paper: str
    editions: tuple[str, ...] = ()
    """Empty: all that the paper has."""
    budget: Budget = "smoke"
    minutes: float | None = None
    """Of an edition at the smoke budget, as estimated on two cores; None: 60."""
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
    subjects: int | None = None
    """Of each set that is drawn; None: 40."""
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    engine: EngineName = "local"
    jobs: int | None = 1
    """Trainings at once, each in a process of its own; None: as many as fit. With more than one a
    script needs ``if __name__ == "__main__":``, because the processes import it."""
    address: str = ""
    """Of a Ray cluster; empty: ``RAY_ADDRESS``, else one is started here."""

    def __post_init__(self) -> None:
        for name in ("editions", "only"):
            asked = getattr(self, name)
            several = (asked,) if isinstance(asked, str) else tuple(asked)
            object.__setattr__(self, name, several)
        for name in ("data", "substitutes"):
            places = {key: Path(path).expanduser() for key, path in getattr(self, name).items()}
            object.__setattr__(self, name, places)

    @property
    def smoke_minutes(self) -> float:
        """Of an edition, where none are asked for the house's."""
        return SMOKE_MINUTES if self.minutes is None else self.minutes

    @property
    def drawn_subjects(self) -> int:
        """Of each set that is drawn."""
        return SMOKE_SUBJECTS if self.subjects is None else self.subjects

    @property
    def names_data(self) -> bool:
        """Whether it says what stands for any data set of the paper."""
        return bool(self.data or self.substitutes or self.rendered)


def dataset_paths(texts: Sequence[str], option: str) -> dict[str, Path]:
    """``NAME=PATH`` texts as a mapping.

    Raises
    ------
    ProtocolError
        For a text without ``=``, or a name that is given twice.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, mark, place = text.partition("=")
        if not mark or not place:
            raise ProtocolError(f"{option} {text}: expected NAME=PATH, as in cnmc=~/data/cnmc.")
        if name in found:
            raise ProtocolError(
                f"{option} {text}: {name} is named twice, first as {found[name]}. Leave one out; "
                "several folders are joined with: leukoscope data read."
            )
        found[name] = Path(place)
    return found
