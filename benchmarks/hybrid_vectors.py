"""The tables of ``benchmarks/hybrid.py`` by other means: timm, Pillow and scikit-learn alone.

Vectors of frozen MobileNetV1 and V2 (timm) of images resized by Pillow, standardised, logistic
regression with C = 0.01, scikit-learn's stratified folds of whole groups. Only reading and grouping
the images is leukoscope's. Writes ``OUT/SET-ARM.csv``, which ``hybrid.py`` judges where it finds no
run of that name.

Run with: python benchmarks/hybrid_vectors.py DATA WEIGHTS OUT
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import leukoscope as lk
from leukoscope.images.decode import decode
from leukoscope.models.timm_import import import_timm

# Architecture, its arguments, mean and standard deviation in 0-1 (the weights' own facts).
NETWORKS: dict[str, tuple[str, dict[str, Any], list[float], list[float]]] = {
    "v1": ("mobilenetv1_100", {"pad_type": "same", "bn_eps": 1e-3}, [0.5] * 3, [0.5] * 3),
    "v2": ("mobilenetv2_100", {}, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
SIZE, BATCH = 224, 16


def vectors(arm: str, weights: Path, images: torch.Tensor) -> np.ndarray[Any, Any]:
    """(n, 1024) or (n, 1280) of uint8 images (n, 3, 224, 224)."""
    name, arguments, mean, std = NETWORKS[arm]
    network = import_timm().create_model(name, num_classes=0, **arguments).eval()
    state = load_file(next(weights.glob(f"{name}.*.safetensors")))
    network.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
    middle, spread = (255 * torch.tensor(value).reshape(3, 1, 1) for value in (mean, std))
    with torch.inference_mode():
        found = [
            network(((images[start : start + BATCH].float()) - middle) / spread).numpy()
            for start in range(0, len(images), BATCH)
        ]
    return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "weights", "out"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in ("allidb2", "taleghani"):
        manifest = lk.read_dataset(asked.data / name)
        pixels = [
            np.asarray(
                Image.fromarray(decode(manifest.path(row), box=manifest.boxes[row]).pixels).resize(
                    (SIZE, SIZE), Image.Resampling.BILINEAR
                )
            )
            for row in range(len(manifest))
        ]
        images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
        found = {arm: vectors(arm, asked.weights, images) for arm in NETWORKS}
        found["both"] = np.hstack([found["v1"], found["v2"]])
        labels = np.array(manifest.column("label"))
        groups = np.array(manifest.column("group"))
        classes = sorted(set(labels))
        answers: dict[str, np.ndarray[Any, Any]] = {}
        fold = np.zeros(len(labels), dtype=int)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        for arm, values in found.items():
            answers[arm] = np.zeros((len(labels), len(classes)))
            for number, (train, test) in enumerate(folds.split(values, labels, groups)):
                model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
                answers[arm][test] = model.fit(values[train], labels[train]).predict_proba(
                    values[test]
                )
                fold[test] = number
        answers["mean-probability"] = (answers["v1"] + answers["v2"]) / 2
        for arm, p in answers.items():
            table = pd.DataFrame(
                {
                    "row": manifest.keys,
                    "image": manifest.column("image"),
                    "subject": "",
                    "group": groups,
                    "dataset": name,
                    "part": "test",
                    "fold": fold,
                    "repeat": 0,
                    "label": labels,
                    "predicted": np.array(classes)[p.argmax(axis=1)],
                    **{f"p_{label}": p[:, place] for place, label in enumerate(classes)},
                }
            )
            table.to_csv(asked.out / f"{name}-{arm}.csv", index=False)


if __name__ == "__main__":
    main()
