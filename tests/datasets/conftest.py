"""Small pictures in whatever layout a test needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[[Path, Iterable[str]], None]


@pytest.fixture
def draw() -> Draw:
    """Write a different small picture at each of the given relative paths."""

    def write(folder: Path, files: Iterable[str]) -> None:
        rng = np.random.default_rng(7)
        for file in files:
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (12, 10, 3), dtype=np.uint8)).save(path)

    return write
