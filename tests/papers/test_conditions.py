"""A set of cells told shortly chooses those cells and no others."""

from __future__ import annotations

import random

import pytest

from leukoscope.papers import PAPERS
from leukoscope.papers.cells import Cell, cells
from leukoscope.papers.conditions import conditions_of, counts_of
from leukoscope.papers.protocol import read_protocol


def grid(paper: str) -> tuple[Cell, ...]:
    protocol = read_protocol(paper)
    return cells(protocol, protocol.editions[-1])


@pytest.mark.parametrize("paper", [*PAPERS])
@pytest.mark.parametrize("seed", [0, 1])
def test_conditions_choose_what_they_tell(paper: str, seed: int) -> None:
    protocol, all_ = read_protocol(paper), grid(paper)
    rng = random.Random(seed)
    some = [cell for cell in all_ if rng.random() < 0.4] or list(all_[:1])
    told = conditions_of(protocol, some)
    chosen = cells(protocol, protocol.editions[-1], only=told)
    assert {cell.id for cell in chosen} == {cell.id for cell in some}
    assert len(told) <= len(some)


def test_whole_products_are_one_condition() -> None:
    protocol, all_ = read_protocol("varol2024"), grid("varol2024")
    assert conditions_of(protocol, all_) == ["approach1", "approach2", "approach3"]
    assert conditions_of(protocol, []) == []
    wanted = ["approach1,network=2+3,size=48", "approach3,backbone=vgg16"]
    some = cells(protocol, "leak-free", only=wanted)
    assert conditions_of(protocol, some) == wanted


def test_many_are_counted_by_the_values_of_their_axes() -> None:
    protocol = read_protocol("varol2024")
    some = cells(protocol, "leak-free", only=["approach1,network=2,size=48", "approach1,network=3"])
    assert counts_of(protocol, some) == [
        "81 of approach1 (network 1: 0, 2: 27, 3: 54, 4: 0; size 32: 27, 48: 54)"
    ]
    assert counts_of(read_protocol("fata2023"), grid("fata2023")) == ["32 of transfer"]
