"""A count with its noun."""

from __future__ import annotations

import pytest

from leukoscope.counting import counted


@pytest.mark.parametrize(
    ("number", "nouns", "words"),
    [
        (0, ("group",), "0 groups"),
        (1, ("group",), "1 group"),
        (1200, ("image",), "1,200 images"),
        (1, ("class",), "1 class"),
        (2, ("class",), "2 classes"),
        (2, ("batch", "batches"), "2 batches"),
    ],
)
def test_one_is_not_several(number: int, nouns: tuple[str, ...], words: str) -> None:
    assert counted(number, *nouns) == words
