"""CNN-3 on the real sample sets: as published beside leak-free, and forward in number.

Prints a Markdown table and writes one run folder a row; started again, it goes on where it was
stopped and trains nothing twice. Every row is one ``leukoscope train`` of an experiment in
``examples/`` with the settings below.

Run with: python benchmarks/real_sets.py DATA OUT [--only TEXT]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import leukoscope as lk
from leukoscope.evaluation.comparison import gap
from leukoscope.progress import Progress
from leukoscope.records.run import Run, read_run

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EDITIONS = {
    "as-published": {"edition": "as-published", "training.epoch": "best-test"},
    "leak-free": {"edition": "leak-free"},
}
FORWARD = {"edition": "leak-free", "split.kind": "forward", "split.test": 0.3}
SETS = {
    "allidb2": ("allidb2", "classes"),
    "taleghani-4": ("taleghani", "classes"),
    "taleghani-2": ("taleghani", "binary"),
}
"""Row → (folder below DATA and experiment in examples/, task); nothing was tuned."""
SIZES = (48, 32)


def rows() -> list[tuple[str, str, dict[str, object]]]:
    """Name, folder and settings of every training."""
    planned = []
    for size in SIZES:
        for name, (folder, task) in SETS.items():
            base: dict[str, object] = {"data.task": task, "preprocess.size": size}
            arms = dict(EDITIONS)
            if folder == "taleghani":
                arms["forward"] = FORWARD
            for arm, changes in arms.items():
                planned.append((f"{name}-{size}-{arm}", folder, {**base, **changes}))
    return planned


def figure(run: Run, metric: str) -> str:
    """A metric with its interval, or a dash where it is not defined."""
    entry = run.metrics["levels"]["image"].get(metric, {})
    if entry.get("value") is None:
        return "–"
    if entry.get("low") is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} [{entry['low']:.3f}, {entry['high']:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    runs = {}
    for name, folder, settings in rows():
        if asked.only not in name:
            continue
        place = asked.out / name
        if not place.exists():
            data = asked.data / folder
            lk.train(
                data,
                place,
                experiment=EXAMPLES / f"{folder}.toml",
                settings={"name": name, **settings},
                progress=Progress(),
            )
        runs[name] = read_run(place)
    print("| run | edition | groups | n | accuracy | balanced accuracy | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for name, run in runs.items():
        entry = run.metrics["levels"]["image"]["accuracy"]
        cells = [name, run.edition, str(entry["groups"]), str(entry["n"])]
        cells += [figure(run, metric) for metric in ("accuracy", "balanced_accuracy", "auroc")]
        print("| " + " | ".join(cells) + " |")
    print("\n| as published − leak-free | accuracy | AUROC |\n|---|---|---|")
    for name in runs:
        if (
            not name.endswith("as-published")
            or name.replace("as-published", "leak-free") not in runs
        ):
            continue
        free = runs[name.replace("as-published", "leak-free")]
        outcome = gap(runs[name].predictions.part("test"), free.predictions.part("test"))
        shown = []
        for metric in ("accuracy", "auroc"):
            entry = outcome["metrics"][metric]
            shown.append(f"{entry['difference']:+.3f} [{entry['low']:+.3f}, {entry['high']:+.3f}]")
        print(f"| {name.removesuffix('-as-published')} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
