"""Two networks against each alone: MobileNetV1, MobileNetV2 and ``hybrid:V1+V2`` on real cells.

Frozen features in five leak-free folds of whole groups, the same folds for all, through
``leukoscope train``. Three heads: the network's own (256, outputs), logistic regression, SVM.
Vectors are computed once and kept in the cache; started again, it goes on where it was stopped.

Run with: python benchmarks/hybrid.py DATA WEIGHTS OUT [--only allidb2-both]

DATA holds ``allidb2`` and ``taleghani``, WEIGHTS a file of each network whose name begins with
``mobilenetv1_100`` and ``mobilenetv2_100``.
"""

from __future__ import annotations

from pathlib import Path

from arms import asked, print_tables, run_arms

NAMES = ("mobilenetv1_100", "mobilenetv2_100")
NETWORKS = {"v1": NAMES[0], "v2": NAMES[1], "both": "hybrid:" + "+".join(NAMES)}
HEADS = ("logreg", "svm")
FROZEN: dict[str, object] = {
    "preprocess.size": 224,
    "preprocess.scale": "pretrained",
    "model.trainable": "head",
}
OWN: dict[str, object] = {
    # One width for all arms, so that the vector is all that differs.
    "model.hidden": [256],
    "optimiser.learning_rate": 0.0003,
    "training.epochs": 60,
    "training.batch_size": 16,
    "training.patience": 15,
}
"""Chosen once; nothing was tuned. The classical heads keep scikit-learn's defaults."""


def arms(weights: Path) -> dict[str, dict[str, object]]:
    """Every network with every head."""
    frozen = {**FROZEN, "model.weights": str(weights)}
    found: dict[str, dict[str, object]] = {}
    for arm, name in NETWORKS.items():
        found[arm] = {**frozen, **OWN, "model.name": name}
        for head in HEADS:
            found[f"{arm}-{head}"] = {**frozen, "model.name": f"{name}+{head}"}
    mean = {"model.name": NETWORKS["both"], "model.fusion": "probabilities"}
    return {**found, "mean-probability": {**frozen, **OWN, **mean}}


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    call = parser.parse_args()
    pairs = [
        (f"both{end}", f"{arm}{end}")
        for end in ("", *(f"-{head}" for head in HEADS))
        for arm in ("v1", "v2")
    ]
    found = run_arms(call.data, call.out, arms(call.weights), call.only)
    print_tables(found, [*pairs, ("mean-probability", "both")])


if __name__ == "__main__":
    main()
