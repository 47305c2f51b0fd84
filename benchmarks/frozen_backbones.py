"""Frozen MobileNets on ALL-IDB2: heads trained from cached vectors, leak-free and as published.

    python benchmarks/frozen_backbones.py ALL-IDB2_FOLDER WEIGHTS OUT

WEIGHTS is a folder with files whose names begin with ``mobilenetv1_100.`` and
``mobilenetv2_100.``, or ``hub``. Goes on where it was stopped.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from leukoscope import api
from leukoscope.records.run import read_run

SETTINGS = {
    "model.trainable": "head",
    "preprocess.scale": "pretrained",
    "preprocess.size": 224,
    "optimiser.learning_rate": 0.001,
    "training.epochs": 30,
    "training.epoch": "last",
    "split.folds": 5,
    "split.validation": 0.0,
}


def main(data: str, weights: str, out: str) -> None:
    """Train what is not there yet; print one line of a table each."""
    print("| network | edition | accuracy | AUROC | seconds |\n|---|---|---|---|---|")
    for name in ("mobilenet_v1", "mobilenet_v2"):
        for edition in ("as-published", "leak-free"):
            folder = Path(out) / f"{name}-{edition}"
            settings = {**SETTINGS, "model.weights": weights, "edition": edition}
            began = time.perf_counter()
            if not folder.is_dir():
                api.train(data, folder, model=name, settings=settings)
            took = time.perf_counter() - began
            measured = read_run(folder).metrics["levels"]["image"]
            shown = [
                "{value:.3f} [{low:.3f}, {high:.3f}]".format(**measured[metric])
                for metric in ("accuracy", "auroc")
            ]
            print(f"| {name} | {edition} | {' | '.join(shown)} | {took:.0f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
