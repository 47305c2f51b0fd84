"""How hard rendered cells are: CNN-3 leak-free and as published, beside colour alone.

    python benchmarks/rendered_difficulty.py --seeds 5 -o difficulty.json

For each seed 2,000 cells of 40 subjects are drawn as rendered-cnmc draws them, at 450 pixels, and
brought to 32 by area averaging. CNN-3 of varol2024 (pixels scaled to −1…1, Adam 3e-4, batch 32,
binary cross-entropy, last epoch) is trained on 70 % and judged on 30 %: of the subjects
(leak-free), then of the images (as published). Colour statistics (mean, standard deviation and
percentiles of R, G, B, H, S, V of the foreground) go into a logistic regression and a random
forest, and so does the area of the foreground, in five folds grouped by subject.

Rendered data: nothing here says anything about patients. Research use only.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
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

from leukoscope.datasets.rendered.dataset import LAYOUTS
from leukoscope.datasets.rendered.plan import Plan

Arrays = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cells:
    """2,000 rendered cells at a small size."""

    pixels: Arrays
    labels: Arrays
    subjects: Arrays


def draw(seed: int, images: int, subjects: int, drawn_px: int, side: int) -> Cells:
    """Draw the cells and bring them to ``side`` pixels."""
    plan = Plan("rendered-cnmc", seed, subjects, images, drawn_px)
    pictures = [
        (cv2.resize(p.pixels, (side, side), interpolation=cv2.INTER_AREA), p.label, p.subject)
        for p in LAYOUTS["rendered-cnmc"].draw(plan)
    ]
    pixels, labels, names = zip(*pictures, strict=True)
    return Cells(np.stack(pixels), np.array(labels) == "blast", np.array(names))


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


def split_subjects(cells: Cells, seed: int) -> Arrays:
    """True for the training rows: 70 % of the subjects of each class."""
    rng = np.random.default_rng(seed)
    train = np.zeros(len(cells.labels), bool)
    for label in (False, True):
        names = np.unique(cells.subjects[cells.labels == label])
        chosen = rng.permutation(names)[: round(0.7 * len(names))]
        train |= np.isin(cells.subjects, chosen)
    return train


def split_images(cells: Cells, seed: int) -> Arrays:
    """True for the training rows: 70 % of the images, whoever they are of."""
    order = np.random.default_rng(seed).permutation(len(cells.labels))
    train = np.zeros(len(order), bool)
    train[order[: round(0.7 * len(order))]] = True
    return train


def cnn3(thin: int) -> Any:
    """CNN-3 of varol2024 at 32 px, 1,024 values before its head; ``thin`` divides its filters."""
    from torch import nn

    def block(before: int, filters: int) -> list[Any]:
        layers: list[Any] = []
        for number in range(3):
            layers += [
                nn.Conv2d(before, filters, 3, padding=1 if number == 0 else 0),
                nn.ReLU(),
            ]
            before = filters
        return layers

    a, b = 64 // thin, 128 // thin
    model = nn.Sequential(
        *block(3, a),
        *block(a, b),
        nn.MaxPool2d(2),
        *block(b, a),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * a, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 1),
    )
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def train_and_judge(
    cells: Cells, train: Arrays, *, seed: int, epochs: int, thin: int, rate: float
) -> dict[str, float]:
    """Train CNN-3 on some rows; AUROC on the others (and on its own, to see overfitting)."""
    import torch

    torch.manual_seed(seed)
    model = cnn3(thin).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, eps=1e-7)
    pixels = torch.from_numpy(cells.pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(cells.labels).float()
    rows = torch.from_numpy(np.flatnonzero(train))
    generator = torch.Generator().manual_seed(seed)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def scores() -> Arrays:
        model.eval()
        with torch.no_grad():
            parts = [model(batch) for batch in pixels.split(128)]
        return torch.cat(parts).squeeze(1).numpy()

    for _ in range(epochs):
        model.train()
        for batch in rows[torch.randperm(len(rows), generator=generator)].split(32):
            with torch.autocast("cpu", torch.bfloat16):
                output = model(pixels[batch])
            loss = loss_of(output.float().squeeze(1), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    found = scores()
    return {
        "test": float(roc_auc_score(cells.labels[~train], found[~train])),
        "train": float(roc_auc_score(cells.labels[train], found[train])),
    }


SPLITS: dict[str, Callable[[Cells, int], Arrays]] = {
    "leak-free": split_subjects,
    "as-published": split_images,
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--drawn", type=int, default=450, help="size drawn at, in pixels")
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--thin", type=int, default=1, help="divide the network's filters")
    parser.add_argument("--rate", type=float, default=3e-4, help="Adam's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-network", action="store_true")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    table = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.monotonic()
        cells = draw(seed, options.images, options.subjects, options.drawn, options.side)
        row: dict[str, Any] = {"seed": seed, "drawing_seconds": time.monotonic() - began}
        row |= shallow(cells)
        if not options.no_network:
            import torch

            torch.set_num_threads(options.threads)
            for edition, split in SPLITS.items():
                result = train_and_judge(
                    cells,
                    split(cells, seed),
                    seed=seed,
                    epochs=options.epochs,
                    thin=options.thin,
                    rate=options.rate,
                )
                row |= {f"CNN-3, {edition}": result["test"], f"train, {edition}": result["train"]}
        row["seconds"] = time.monotonic() - began
        table.append(row)
        print(" ".join(f"{key}={value:.3f}" for key, value in row.items()), flush=True)
    means = {key: float(np.mean([row[key] for row in table])) for key in table[0] if key != "seed"}
    print("mean " + " ".join(f"{key}={value:.3f}" for key, value in means.items()))
    if options.out:
        options.out.write_text(json.dumps({"rows": table, "mean": means}, indent=1) + "\n")


if __name__ == "__main__":
    main()
