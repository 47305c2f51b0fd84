"""Two networks against each alone: MobileNetV1, MobileNetV2 and ``hybrid:V1+V2`` on real cells.

Frozen features and a head, in five leak-free folds of whole groups, the same folds for the three.
Prints each one's figures and the paired differences, both with grouped intervals. Vectors are
computed once and kept in the cache; started again, it goes on where it was stopped.

Run with: python benchmarks/hybrid.py DATA WEIGHTS OUT [--only TEXT] [--head logreg]

DATA holds ``allidb2`` and ``taleghani``, WEIGHTS a file of each network whose name begins with
``mobilenetv1_100`` and ``mobilenetv2_100``. A table of predictions a row, written by somebody else
as ``OUT/SET-ARM.csv``, is judged where there is no run of that name.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import leukoscope as lk
from leukoscope.api import compare, evaluate, open_data
from leukoscope.progress import Progress

NAMES = ("mobilenetv1_100", "mobilenetv2_100")
ARMS = {
    "v1": NAMES[0],
    "v2": NAMES[1],
    "both": "hybrid:" + "+".join(NAMES),
    "mean-probability": "hybrid:" + "+".join(NAMES),
}
SETS = ("allidb2", "taleghani")
SETTINGS: dict[str, object] = {
    "edition": "leak-free",
    "split.kind": "kfold",
    "split.folds": 5,
    "preprocess.size": 224,
    "preprocess.scale": "pretrained",
    "model.trainable": "head",
    # One width for all arms, so that the vector is all that differs.
    "model.hidden": [256],
    "optimiser.learning_rate": 0.0003,
    "training.epochs": 60,
    "training.batch_size": 16,
    "training.patience": 15,
}
"""Chosen once; nothing was tuned."""
METRICS = ("accuracy", "balanced_accuracy", "auroc")


def settings_of(arm: str, weights: Path, head: str) -> dict[str, object]:
    """Of one training."""
    fusion = "probabilities" if arm == "mean-probability" else "features"
    settings = {key: value for key, value in SETTINGS.items() if not head or key != "model.hidden"}
    return {
        **settings,
        "model.name": ARMS[arm] + (f"+{head}" if head else ""),
        "model.weights": str(weights),
        "model.fusion": fusion,
    }


def shown(entry: dict[str, float | None], sign: str = "") -> str:
    """A value or a difference with its interval."""
    value = entry.get("value", entry.get("difference"))
    if value is None:
        return "–"
    low, high = entry["low"], entry["high"]
    if low is None or high is None:
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="part of SET-ARM")
    parser.add_argument("--head", default="", choices=["", "svm", "rf", "nb", "logreg", "knn"])
    asked = parser.parse_args()
    found: dict[str, dict[str, Path]] = {}
    for name in SETS:
        for arm in ARMS:
            if asked.only not in f"{name}-{arm}" or (asked.head and arm == "mean-probability"):
                continue
            place = asked.out / f"{name}-{arm}{asked.head and '-' + asked.head}"
            table = place.with_suffix(".csv")
            if not place.exists() and not table.exists():
                manifest, _ = open_data(asked.data / name, progress=Progress())
                chosen = settings_of(arm, asked.weights, asked.head)
                lk.train(manifest, place, settings=chosen, progress=Progress())
            found.setdefault(name, {})[arm] = place if place.exists() else table
    print("| set | network | groups | n | accuracy | balanced accuracy | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for name, arms in found.items():
        for arm, place in arms.items():
            level = evaluate(place)["levels"]["image"]
            cells = [name, arm, str(level["accuracy"]["groups"]), str(level["accuracy"]["n"])]
            cells += [shown(level[metric]) if metric in level else "–" for metric in METRICS]
            print("| " + " | ".join(cells) + " |")
    print("\n| set | difference | accuracy | balanced accuracy | AUROC |\n|---|---|---|---|---|")
    for name, arms in found.items():
        for one, other in (("both", "v1"), ("both", "v2"), ("mean-probability", "both")):
            if one in arms and other in arms:
                outcome = compare(arms[one], arms[other])["metrics"]
                cells = [shown(outcome[m], "+") if m in outcome else "–" for m in METRICS]
                print(f"| {name} | {one} − {other} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
