"""The fuzzy decision on a real set beside a plain band: the table of docs/fuzzy.md.

    python benchmarks/fuzzy.py ALL-IDB2_FOLDER

A logistic regression on small pixels stands in for a network: it takes seconds, and it leaves
something to refer.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from leukoscope import api
from leukoscope.decision import against_band, decide
from leukoscope.decision.cells import measure_rows
from leukoscope.images.decode import decode
from leukoscope.models.fuzzy import SYSTEMS, read_system
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.predictions import Predictions, predictions_from_table

SIDE, STRENGTH = 32, 0.01


def predictions_on(folder: Path) -> tuple[Predictions, pd.DataFrame]:
    """Leak-free predictions of five folds, and the measurements of every cell."""
    manifest, _ = api.open_data(folder, duplicates=False)
    table = manifest.table
    keys = [str(image) for image in table["image"]]
    place = {key: number for number, key in enumerate(keys)}
    x = np.stack([small(manifest.folder / key) for key in keys])
    blast = (table["label"] == "blast").to_numpy()
    rows = []
    split = api.split(manifest, plan=SplitPlan(folds=5, validation=0.25), seed=0)
    for number, fold in enumerate(split.folds):
        train = [place[key] for key in fold.train]
        model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(x[train], blast[train])
        for part, chosen in (("validation", fold.validation), ("test", fold.test)):
            p = model.predict_proba(x[[place[key] for key in chosen]])[:, 1]
            for key, value in zip(chosen, p, strict=True):
                own = table.iloc[place[key]]
                rows.append(
                    {
                        "image": key,
                        "group": own["group"],
                        "part": part,
                        "fold": number,
                        "label": own["label"],
                        "p_blast": value,
                        "p_normal": 1 - value,
                    }
                )
    return predictions_from_table(pd.DataFrame(rows)), measure_rows(manifest.folder, keys)


def small(path: Path) -> np.ndarray:
    """The image's pixels at 32 × 32, 0 to 1, in one row."""
    size = (SIDE, SIDE)
    return cv2.resize(decode(path).pixels, size, interpolation=cv2.INTER_AREA).ravel() / 255


def main(folder: Path) -> None:
    """Print what both packaged systems did."""
    predictions, measured = predictions_on(folder)
    for name in SYSTEMS:
        decision = decide(read_system(name), predictions, measured)
        found = against_band(decision, "blast")
        print(f"{name}: {found.sentence('the fuzzy system', 'the plain band')}")
        print(f"  missed blasts: {found.a.missed} and {found.b.missed}")
        for note in decision.notes:
            print(f"  {note}")
    print("research use only")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
