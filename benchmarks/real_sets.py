"""CNN-3 on the real sample sets: as published beside leak-free, and forward in number.

Prints a Markdown table and writes one run folder a row; started again, it goes on where it was
stopped and trains nothing twice. Every run is one ``leukoscope train`` of an experiment in
``examples/`` with the settings below. On Taleghani each run is judged twice: on its four classes,
and as leukemic against benign, from the sum of the leukemic classes' probabilities.

Run with: python benchmarks/real_sets.py DATA OUT [--only TEXT] [--epochs N]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import leukoscope as lk
from leukoscope.evaluation import evaluate
from leukoscope.evaluation.comparison import gap
from leukoscope.progress import Progress
from leukoscope.records.predictions import Predictions, predictions_from_table
from leukoscope.records.run import read_run

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EDITIONS = {
    "as-published": {"edition": "as-published", "training.epoch": "best-test"},
    "leak-free": {"edition": "leak-free"},
}
FORWARD = {"edition": "leak-free", "split.kind": "forward", "split.test": 0.3}
SETS = ("allidb2", "taleghani")
"""Folders below DATA, and experiments in examples/; nothing was tuned on test parts."""
SIZES = (48, 32)


def rows() -> list[tuple[str, str, dict[str, object]]]:
    """Name, folder and settings of every training."""
    planned = []
    for size in SIZES:
        for folder in SETS:
            arms = dict(EDITIONS)
            if folder == "taleghani":
                arms["forward"] = FORWARD
            for arm, changes in arms.items():
                settings = {"preprocess.size": size, **changes}
                planned.append((f"{folder}-{size}-{arm}", folder, settings))
    return planned


def leukemic(tested: Predictions) -> Predictions:
    """Leukemic against benign: the leukemic classes' probabilities are added."""
    table = tested.table.copy()
    benign = table["p_benign"]
    for column in [name for name in table if str(name).startswith("p_")]:
        del table[column]
    table["p_normal"], table["p_blast"] = benign, 1 - benign
    table["label"] = table["label"].map(lambda label: "normal" if label == "benign" else "blast")
    table["predicted"] = (benign < 0.5).map({True: "blast", False: "normal"})
    return predictions_from_table(table, positive="blast")


def figure(metrics: dict[str, Any], metric: str) -> str:
    """A metric with its interval, or a dash where it is not defined."""
    entry = metrics["levels"]["image"].get(metric, {})
    if entry.get("value") is None:
        return "–"
    if entry.get("low") is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} [{entry['low']:.3f}, {entry['high']:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="part of a row's name, such as 48")
    parser.add_argument("--epochs", type=int, help="instead of the example's")
    asked = parser.parse_args()
    runs = {}
    for name, folder, settings in rows():
        if asked.only not in name:
            continue
        place = asked.out / name
        if asked.epochs:
            settings = {**settings, "training.epochs": asked.epochs}
        if not place.exists():
            data = asked.data / folder
            lk.train(
                data,
                place,
                experiment=EXAMPLES / f"{folder}.toml",
                settings={"name": name, **settings},
                progress=Progress(),
            )
        run = read_run(place)
        runs[name] = run.edition, run.split.groups, run.predictions.part("test")
        if folder == "taleghani":
            runs[f"{name}, leukemic"] = run.edition, run.split.groups, leukemic(runs[name][2])
    print("| run | edition | groups | n | accuracy | balanced accuracy | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for name, (edition, groups, tested) in runs.items():
        metrics = evaluate(tested, groups=groups)
        entry = metrics["levels"]["image"]["accuracy"]
        cells = [name, edition, str(entry["groups"]), str(entry["n"])]
        cells += [figure(metrics, metric) for metric in ("accuracy", "balanced_accuracy", "auroc")]
        print("| " + " | ".join(cells) + " |")
    print("\n| as published − leak-free | accuracy | AUROC |\n|---|---|---|")
    for name in runs:
        free = runs.get(name.replace("as-published", "leak-free"))
        if "as-published" not in name or free is None:
            continue
        outcome = gap(runs[name][2], free[2])
        shown = []
        for metric in ("accuracy", "auroc"):
            entry = outcome["metrics"].get(metric, {"difference": None})
            shown.append(
                f"{entry['difference']:+.3f} [{entry['low']:+.3f}, {entry['high']:+.3f}]"
                if entry["difference"] is not None
                else "–"
            )
        print(f"| {name.replace('-as-published', '')} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
