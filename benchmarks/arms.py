"""Arms on real sets: each trained by ``leukoscope.train`` in the same leak-free folds, then judged.

What ``hybrid.py`` and ``classical_heads.py`` share: an arm is a name and the settings of its
experiment. A run that is there already is read, not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import leukoscope as lk
from leukoscope.api import compare, evaluate
from leukoscope.progress import Progress

SETS = ("allidb2", "taleghani")
METRICS = ("accuracy", "balanced_accuracy", "auroc")
FOLDS: dict[str, object] = {
    "edition": "leak-free",
    "split.kind": "kfold",
    "split.folds": 5,
}
Arms = Mapping[str, Mapping[str, object]]


def asked(text: str) -> argparse.ArgumentParser:
    """A parser that has what every script takes."""
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("data", type=Path, help="holds allidb2 and taleghani")
    parser.add_argument("--only", default="", help="part of SET-ARM")
    return parser


def run_arms(data: Path, out: Path, arms: Arms, only: str) -> dict[str, dict[str, Path]]:
    """Set → arm → its run."""
    found: dict[str, dict[str, Path]] = {}
    for name in SETS:
        for arm, settings in arms.items():
            if only not in f"{name}-{arm}":
                continue
            place = out / f"{name}-{arm}"
            if not place.exists():
                lk.train(data / name, place, settings={**FOLDS, **settings}, progress=Progress())
            found.setdefault(name, {})[arm] = place
    return found


def print_tables(found: Mapping[str, Mapping[str, Path]], pairs: Sequence[tuple[str, str]]) -> None:
    """Each arm's figures, then the paired differences; both with grouped intervals."""
    print("| set | arm | groups | n | accuracy | balanced accuracy | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for name, arms in found.items():
        for arm, place in arms.items():
            level = evaluate(place)["levels"]["image"]
            cells = [name, arm, str(level["accuracy"]["groups"]), str(level["accuracy"]["n"])]
            cells += [shown(level[metric]) if metric in level else "–" for metric in METRICS]
            print("| " + " | ".join(cells) + " |")
    print("\n| set | difference | accuracy | balanced accuracy | AUROC |\n|---|---|---|---|---|")
    for name, arms in found.items():
        for one, other in pairs:
            if one in arms and other in arms:
                outcome = compare(arms[one], arms[other])["metrics"]
                cells = [shown(outcome[m], "+") if m in outcome else "–" for m in METRICS]
                print(f"| {name} | {one} − {other} | " + " | ".join(cells) + " |")
    print("research use only")


def shown(entry: Mapping[str, float | None], sign: str = "") -> str:
    """A value or a difference with its interval."""
    value = entry.get("value", entry.get("difference"))
    if value is None:
        return "–"
    low, high = entry["low"], entry["high"]
    if low is None or high is None:
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
