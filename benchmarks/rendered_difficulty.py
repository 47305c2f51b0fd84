"""How hard rendered cells are: CNN-3 leak-free and as published, beside colour alone.

    python benchmarks/rendered_difficulty.py OUT --seeds 5

For each seed ``lk.render`` draws 2,000 cells of 40 subjects as rendered-cnmc, at 450 pixels, and
``lk.train`` trains CNN-3 of varol2024 at 32 pixels (Adam 3e-4, batch 32, ten epochs, the last is
kept) on 70 % and tests on 30 %: of the subjects (leak-free), then of the images (as published).
Colour statistics (mean, standard deviation and percentiles of R, G, B, H, S, V of the foreground)
go into a logistic regression and a random forest, and so does the area of the foreground, in five
folds grouped by subject. Stopped and started again, it goes on; the drawn images of a seed are
removed once it is measured.

Rendered data: nothing here says anything about patients. Research use only.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import leukoscope as lk
from leukoscope.datasets.manifest import Manifest
from leukoscope.progress import Progress
from leukoscope.records.run import read_run

Arrays = np.ndarray[Any, Any]
SIDE = 32
SETTINGS = {
    "model.name": "cnn-3",
    "preprocess.size": SIDE,
    "optimiser.learning_rate": 0.0003,
    "training.epochs": 10,
    "training.batch_size": 32,
    "training.epoch": "last",
    "training.precision": "auto",
    "split.test": 0.3,
    "split.validation": 0.0,
}
EDITIONS = {
    "leak-free": {"edition": "leak-free", "split.kind": "holdout"},
    "as-published": {"edition": "as-published", "split.kind": "image"},
}


@dataclass(frozen=True)
class Cells:
    """Rendered cells at a small size."""

    pixels: Arrays
    labels: Arrays
    subjects: Arrays


def load(manifest: Manifest) -> Cells:
    """Read the drawn images and bring them to ``SIDE`` pixels by area averaging."""
    pictures = [
        cv2.resize(
            cv2.imread(str(manifest.path(row)))[..., ::-1],
            (SIDE, SIDE),
            interpolation=cv2.INTER_AREA,
        )
        for row in range(len(manifest))
    ]
    return Cells(
        np.stack(pictures),
        np.array(manifest.column("label")) == "blast",
        np.array(manifest.column("subject")),
    )


def colour_features(pixels: Arrays) -> Arrays:
    """Mean, standard deviation, percentiles of R, G, B, H, S, V where the image is not black."""
    rows = []
    for image in pixels:
        inside = image.max(2) > 8
        both = np.concatenate([image, cv2.cvtColor(image, cv2.COLOR_RGB2HSV)], axis=2)
        values = both[inside].astype(float)
        parts = [values.mean(0), values.std(0), *np.percentile(values, (5, 25, 50, 75, 95), axis=0)]
        rows.append(np.concatenate(parts))
    return np.array(rows)


def area_feature(pixels: Arrays) -> Arrays:
    """How many pixels are not black."""
    return (pixels.max(3) > 8).sum((1, 2))[:, None].astype(float)


def grouped_auroc(features: Arrays, cells: Cells, model: Any) -> float:
    """AUROC in five folds grouped by subject, averaged within folds."""
    folds = list(
        StratifiedGroupKFold(5, shuffle=True, random_state=0).split(
            features, cells.labels, cells.subjects
        )
    )
    scores = cross_val_predict(
        model, features, cells.labels, cv=folds, method="predict_proba", n_jobs=1
    )[:, 1]
    return float(np.mean([roc_auc_score(cells.labels[test], scores[test]) for _, test in folds]))


def shallow(cells: Cells) -> dict[str, float]:
    """What colour alone and area alone give."""
    colour, area = colour_features(cells.pixels), area_feature(cells.pixels)

    def linear() -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))

    forest = RandomForestClassifier(200, min_samples_leaf=5, random_state=0, n_jobs=1)
    return {
        "colour, logistic regression": grouped_auroc(colour, cells, linear()),
        "colour, random forest": grouped_auroc(colour, cells, forest),
        "area, logistic regression": grouped_auroc(area, cells, linear()),
    }


def aurocs(manifest: Manifest, place: Path, seed: int) -> dict[str, float]:
    """AUROC by image of CNN-3 in both editions; a finished run is read back."""
    found = {}
    for edition, changes in EDITIONS.items():
        folder = place / edition
        if not folder.exists():
            settings = {"name": edition, "seed": seed, **SETTINGS, **changes}
            lk.train(manifest, folder, settings=settings, progress=Progress())
        figure = read_run(folder).metrics["levels"]["image"]["auroc"]["value"]
        found[f"CNN-3 {edition}"] = float(figure)
    return found


def measure(place: Path, seed: int) -> dict[str, float]:
    """All figures of a seed; kept in ``place``, so that none is measured twice."""
    known, drawn = place / "figures.json", place / "cells"
    if known.exists():
        return dict(json.loads(known.read_text()))
    if not (drawn / "manifest.csv").exists():
        shutil.rmtree(drawn, ignore_errors=True)
        lk.render("rendered-cnmc", drawn, seed=seed, images=2000, subjects=40)
    manifest = lk.read_dataset(drawn)
    figures = {**aurocs(manifest, place, seed), **shallow(load(manifest))}
    known.write_text(json.dumps(figures))
    shutil.rmtree(drawn)
    return figures


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        row = measure(asked.out / f"seed-{seed}", seed)
        if not rows:
            print("| seed | " + " | ".join(row) + " |\n|---" + "|---" * len(row) + "|")
        rows.append(row)
        print(line(f"{seed}", row), flush=True)
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    print(line("mean", means))


def line(name: str, row: dict[str, float]) -> str:
    """A row of the table."""
    return " | ".join([f"| {name}", *(f"{value:.3f}" for value in row.values())]) + " |"


if __name__ == "__main__":
    main()
