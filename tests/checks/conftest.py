"""Manifests for the checks' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows
from leukoscope.files import write_json
from leukoscope.records.experiment import Experiment
from leukoscope.records.predictions import predictions_from_table
from leukoscope.records.run import DataSummary, Run
from leukoscope.records.split import Fold, Split

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


Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def draw_cell(
    seed: int = 0, side: int = 96, diameter: float = 40, light: float = 225, noise: float = 4
) -> Pixels:
    """A purple disc with grains and a smooth rim on a pale ground: enough to be measured."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside = 1 / (1 + np.exp(np.hypot(x, y) - diameter / 2))
    # Grains of a tenth of the diameter, so that scale changes with size.
    grains = rng.normal(size=(12, 12, 1))
    step = np.linspace(0, 12, side, endpoint=False) * 40 / diameter
    grains = grains[np.ix_(step.astype(int) % 12, step.astype(int) % 12)]
    cell = np.array([105, 60, 150]) + 18 * grains
    ground = np.array([light, light - 12, light - 4])
    pixels = ground + inside[..., None] * (cell - ground) + rng.normal(0, noise, (side, side, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture
def cell() -> Callable[..., Pixels]:
    """The function that draws one cell."""
    return draw_cell


@pytest.fixture
def saved(tmp_path: Path, make: Callable[..., Manifest]) -> Callable[..., Manifest]:
    """A manifest of pictures, each saved as PNG (or as its name says) with its row."""

    def saved(pictures: dict[str, Pixels], **columns: Any) -> Manifest:
        rows = []
        for number, (name, pixels) in enumerate(pictures.items()):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / name)
            row = {column: values[number] for column, values in columns.items()}
            rows.append({"image": name, **row})
        return make(rows, tmp_path)

    return saved


@pytest.fixture
def clean(tmp_path: Path) -> Manifest:
    """Images of 120 subjects a class at two sites, with which nothing is wrong.

    Noise, so that no two are alike and none of their measurements tells the class.
    """
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


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """A run of two folds with model.json and history.csv, as training writes them."""

    def made(
        experiment: dict[str, Any] | None = None,
        *,
        model: dict[str, Any] | None = None,
        history: dict[str, list[float]] | None = None,
        predicted: str = "",
        pretraining: dict[str, Any] | None = None,
    ) -> Run:
        settings = Experiment.model_validate(experiment or {})
        curve = {"epoch": [1, 2, 3], "loss": [3, 2, 1], "validation_loss": [0.5, 0.3, 0.4]}
        facts = {"schema": 1, "epoch": 2, "epochs": 3, "fitted_rows": "none"}
        for number in range(2):
            folder = tmp_path / f"fold-{number}"
            write_json(folder / "model.json", facts | {"prediction": "inductive"} | (model or {}))
            pd.DataFrame(curve | (history or {})).to_csv(folder / "history.csv", index=False)
        if pretraining is not None:
            write_json(tmp_path / "pretraining.json", {"schema": 1, **pretraining})
        rows = [f"{n}.png" for n in range(8)]
        p = np.linspace(0.1, 0.9, 8)
        table = pd.DataFrame({"image": rows, "p_blast": p, "p_normal": 1 - p, "dataset": "PCam"})
        table["label"] = np.where(p > 0.5, "blast", "normal")
        table["predicted"] = predicted or table["label"]
        folds = tuple(
            Fold(name=f"fold-{k}", train=tuple(rows[k::2]), test=tuple(rows[1 - k :: 2]))
            for k in range(2)
        )
        split = Split(
            kind="kfold", edition=settings.edition, unit="group", groups="published", seed=0,
            manifest_sha256="0" * 64, folds=folds,
        )  # fmt: skip
        data = DataSummary(
            card={}, manifest_sha256="1" * 64, rows=8, used=8, excluded={},
            classes={"blast": 4, "normal": 4}, subjects=8, groups={"blast": 4, "normal": 4},
            groups_total=8, groups_inferred=False, rendered=False,
        )  # fmt: skip
        predictions = predictions_from_table(table)
        return Run(tmp_path, settings, split, data, (), predictions, {}, {})

    return made
