"""Manifests for the checks' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows

CARD = DatasetCard(name="made", classes={"blast": "blast", "normal": "normal"})
Rows = list[dict[str, Any]]


@pytest.fixture
def make() -> Callable[..., Manifest]:
    """A manifest of rows; every row has a group of its own unless it names one."""

    def made(rows: Rows, folder: Path = Path("/nowhere"), **card: Any) -> Manifest:
        completed = [
            {"label": "blast", "group": row["image"], "group_source": "published"}
            | ({"subject": row["group"]} if "group" in row else {})
            | row
            for row in rows
        ]
        return manifest_from_rows(completed, CARD.model_copy(update=card), folder)

    return made


@pytest.fixture
def clean(tmp_path: Path) -> Manifest:
    """Images of 120 subjects a class at two sites, with which nothing is wrong."""
    rng = np.random.default_rng(0)
    rows: Rows = []
    for label in ("blast", "normal"):
        for subject in range(120):
            for i in range(2):
                name = f"{label}-{subject}-{i}.png"
                Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(
                    tmp_path / name
                )
                rows.append(
                    {
                        "image": name,
                        "label": ("blast", "normal")[(label == "normal") ^ (subject % 5 == i == 0)],
                        "subject": f"made:{label}{subject}",
                        "group": f"made:{label}{subject}",
                        "group_source": "published",
                        "site": f"site{subject % 2}",
                        "sha256": f"{len(rows):064x}",
                    }
                )
    return manifest_from_rows(rows, CARD, tmp_path)
