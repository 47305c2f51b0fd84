"""Small data sets that train in a second: noise whose colour tells the class, and a subject's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows, write_manifest
from leukoscope.files import sha256_file
from leukoscope.images.decode import pixels_sha256
from leukoscope.records.experiment import Experiment, with_settings

SIDE = 10
SMALL = {
    "preprocess.size": 8,
    "model.name": "cnn-1",
    "training.epochs": 2,
    "training.batch_size": 8,
    "training.device": "cpu",
    "split.kind": "holdout",
    "split.test": 0.25,
    "split.validation": 0.25,
}
"""CNN-1 at 8 px: the published network, small enough for a test."""


def make_cells(
    folder: Path,
    classes: tuple[str, ...] = ("blast", "normal"),
    *,
    subjects: int = 6,
    each: int = 3,
    card: dict[str, Any] | None = None,
    seed: int = 0,
) -> Manifest:
    """``subjects`` of each class with ``each`` images; written with ``cells.csv``."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, label in enumerate(classes):
        for subject in range(subjects):
            tint = rng.integers(-10, 10, 3)
            for image in range(each):
                pixels = rng.integers(90, 130, (SIDE, SIDE, 3)) + tint
                pixels[..., 1] -= 40  # purple, as a stained nucleus is
                pixels[..., number % 3] += 25
                name = f"{label}-{subject}-{image}.png"
                (folder / label).mkdir(parents=True, exist_ok=True)
                data = pixels.clip(0, 255).astype(np.uint8)
                Image.fromarray(data).save(folder / label / name)
                rows.append(
                    {
                        "image": f"{label}/{name}",
                        "label": label,
                        "source_label": label,
                        "subject": f"test:{label[0]}{subject}",
                        "group": f"test:{label[0]}{subject}",
                        "group_source": "published",
                        "sha256": sha256_file(folder / label / name),
                        "pixels_sha256": pixels_sha256(data),
                    }
                )
    known = {"blast": "blast", "normal": "normal"}
    facts = {"name": "test", "classes": {name: known.get(name, "") for name in classes}}
    manifest = manifest_from_rows(rows, DatasetCard(**{**facts, **(card or {})}), folder)
    write_manifest(manifest, folder / "cells.csv")
    return manifest


@pytest.fixture
def cells(tmp_path: Path) -> Manifest:
    """Thirty-six images of twelve subjects in two classes."""
    return make_cells(tmp_path / "cells")


@pytest.fixture
def small() -> Callable[..., Experiment]:
    """An experiment that runs in a moment; keyword ``a__b`` sets the key ``a.b``."""

    def make(**settings: Any) -> Experiment:
        changes = {key.replace("__", "."): value for key, value in settings.items()}
        return with_settings(Experiment(), {**SMALL, **changes})

    return make
