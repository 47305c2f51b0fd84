"""Cells that two models, sure of themselves, call otherwise than their label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..counting import counted
from ..records.findings import Finding
from .context import Context, keys_of
from .probing import folds_of, predicted, probed_rows
from .quality import by_class, measured

__all__ = ["check"]

COLUMNS = (
    "brightness_mean", "brightness_sd", "brightness_p5", "brightness_p95", "saturation_mean",
    "red_mean", "red_sd", "green_mean", "green_sd", "blue_mean", "blue_sd",
    "object_area_px", "object_share", "dark_share", "sharpness", "spectrum_mean", "spectrum_fall",
)  # fmt: skip
"""Classical measurements of the picture and its cell; nothing of the file or the border."""
LEAST_AUROC = 0.8
"""Models that tell the classes apart less well doubt a label because they do not know."""
GIVEN = 0.2
"""Most probability that either model leaves to the label. Of ten labels turned among real cells
(ALL-IDB2, PBC, Taleghani, twice each) 28 of 60 are then found beside 5 others; of the three sets as
they are 3 of 432 labels are doubted."""
LIKELY = 0.5
"""Least probability of the other class: more likely than all others together."""
MOST_SHARE = 0.1
"""Where more labels than these are doubted, it is the models that are wrong of the set."""
SEED = 0


def check(context: Context) -> list[Finding]:
    """Labels that confident models on unseen groups call otherwise

    Confident learning (Northcutt, Jiang & Chuang 2021, J. Artif. Intell. Res. 70:1373): a row is
    doubtful where another class has at least the probability that it has on average for its own
    rows (but no less than 0.5 and no more than 0.8). Two models of different kind (a random
    forest and a logistic regression on classical measurements, each row predicted by models that
    have not seen its group) must agree on the other class, and leave the label at most a fifth.
    """
    found = measured(context)
    if found is None:
        return []
    rows = probed_rows(context)
    folds = folds_of(context, rows)
    if not folds:
        return []
    features = found.columns(COLUMNS)[rows]
    features = features[:, np.isfinite(features).any(axis=0)]
    told = []
    for make in (_forest, _regression):
        table = predicted(context, rows, features, folds, make)
        if (auroc := _auroc(table)) < LEAST_AUROC:
            context.unable["doubtful-labels"] = (
                f"the models tell the classes apart too badly (AUROC {auroc:.2f}) to doubt a label"
            )
            return []
        told.append(table)
    doubtful = _doubtful(told)
    if len(doubtful) > MOST_SHARE * len(rows):
        context.unable["doubtful-labels"] = (
            f"the models doubt {len(doubtful)} of {len(rows)} labels, so it is them that one doubts"
        )
        return []
    if not len(doubtful):
        return []
    return [_finding(context, doubtful, rows)]


def _finding(context: Context, doubtful: pd.DataFrame, rows: np.ndarray[Any, Any]) -> Finding:
    chosen = rows[doubtful["place"].to_numpy()]
    return Finding(
        check="doubtful-labels",
        severity="note",
        summary=(
            f"{counted(len(doubtful), 'label')} of {len(rows):,} "
            f"{'is' if len(doubtful) == 1 else 'are'} doubtful: two models that have not seen the "
            "group are sure of another class, from brightness, colour, size and sharpness alone."
        ),
        evidence={
            "images": len(doubtful),
            "by_class": by_class(context, chosen),
            "labels": {
                str(key): f"is {label}, said {said} {p:.2f}"
                for key, label, said, p in doubtful[["row", "label", "said", "p"]]
                .head(50)
                .itertuples(index=False)
            },
        },
        images=keys_of(context, chosen),
        mend=(
            "Let somebody who does not know the label look at these cells again. Change a label "
            "only on that answer, never on the model's, and never in test groups alone."
        ),
    )


def _doubtful(told: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows that every model calls otherwise, the surest first."""
    kept = told[0][["row", "label", "place"]].copy()
    names = [column for column in told[0].columns if column.startswith("p_")]
    others, sure, lowest = [], [], []
    for table in told:
        p = table[names].to_numpy(dtype=np.float64)
        label = np.array([names.index(f"p_{name}") for name in table["label"]])
        # Where classes lie far apart half of the sure answers are less sure than the mean; where
        # there are many, the mean is not sure.
        usual = [p[label == n, n].mean() for n in range(len(names))]
        usual = np.clip(usual, LIKELY, 1 - GIVEN)
        fits = np.where(p >= usual, p, -1.0)
        others.append(np.where(fits.max(axis=1) > 0, fits.argmax(axis=1), label))
        given = p[np.arange(len(p)), label]
        sure.append((others[-1] != label) & (given <= GIVEN))
        lowest.append(p.max(axis=1))
    kept["said"] = [names[other].removeprefix("p_") for other in others[0]]
    kept["p"] = np.min(lowest, axis=0)
    chosen = kept[np.all(sure, axis=0) & (others[0] == others[1])]
    return chosen.sort_values(["p", "row"], ascending=[False, True])


def _auroc(table: pd.DataFrame) -> float:
    """Mean over the classes of each against the rest."""
    from sklearn.metrics import roc_auc_score

    names = [column for column in table.columns if column.startswith("p_")]
    areas = [
        roc_auc_score(table["label"] == name.removeprefix("p_"), table[name]) for name in names
    ]
    return float(np.mean(areas))


def _forest(rows: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    del rows
    return make_pipeline(
        SimpleImputer(strategy="median"),
        RandomForestClassifier(
            150, min_samples_leaf=2, class_weight="balanced_subsample", random_state=SEED
        ),
    )


def _regression(rows: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    del rows
    return make_pipeline(
        SimpleImputer(strategy="median"),
        StandardScaler(),
        LogisticRegression(class_weight="balanced", max_iter=1000),
    )
