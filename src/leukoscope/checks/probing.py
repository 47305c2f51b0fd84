"""How well something that is not the cell predicts the class: a small model for each probe.

A probe is a few measurements of an image (``measuring``). Gradient-boosted trees are trained on
them and judged on groups that they have not seen; AUROC (for more than two classes balanced
accuracy) comes with its interval over groups, as every figure here does. Of a set without
shortcut it is chance, whatever the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..evaluation.measurement import Estimate, Measured
from ..evaluation.sample import image_sample
from ..records.findings import Severity
from ..records.predictions import predictions_from_table
from .context import Context
from .measuring import COLUMNS, Measurements
from .measuring.columns import NUMBERS, numbered

__all__ = [
    "FEWEST_GROUPS",
    "FEWEST_IMAGES",
    "PROBES",
    "Probe",
    "Probed",
    "folds_of",
    "p_by_permutation",
    "predicted",
    "probe",
    "probed_rows",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]
Texts = np.ndarray[Any, Any]

SEED = 0
FOLDS = 5
FEWEST_GROUPS = 2
"""Of a class with one group nothing can be trained and tested."""
FEWEST_IMAGES = 4
MOST_ROWS = 3000
"""More rows make no probe surer: its interval is over groups. Each group gives about as many."""
RESAMPLES = 1000
PERMUTATIONS = 999


@dataclass(frozen=True)
class Probe:
    """Something in the image or its file that is not the cell."""

    name: str
    title: str
    """With its article, as it stands in a sentence."""
    columns: tuple[str, ...]
    worst: Severity
    """Its gravest finding: an error where it can only be a shortcut and a network sees it, a
    warning where the cell has a part in it or the network does not see it directly."""
    mend: str


def _colours(where: str) -> tuple[str, ...]:
    return tuple(f"{where}{c}_{what}" for c in ("red", "green", "blue") for what in ("mean", "sd"))


STAIN = (
    "Normalise the stain, fitted on training groups only, and compare every model with this one: "
    "what a model gains beyond it is what it knows of cells. Test on another laboratory's slides."
)
SAVED = (
    "Save all images again in one way (same program, format and quality), best from the originals "
    "of the camera, and probe again."
)
PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe("image-size", "the size of the image", ("width_px", "height_px"), "error",
              "Cut all images to one size at one scale before anything is trained; resizing "
              "instead leaves another magnification in each class."),
        Probe("file-size", "the size of the file", ("file_bytes",), "warning", SAVED),
        Probe("file-format", "the file format", ("file_format",), "warning", SAVED),
        Probe("compression", "the JPEG compression", ("jpeg_quality", "jpeg_subsampling"),
              "error", SAVED),
        Probe("metadata", "tags of the file (EXIF, resolution, colour profile)",
              ("metadata_tags", "resolution_tag", "colour_profile"), "warning",
              "The classes came from different cameras or programs. Say so beside every figure, "
              "and test on images of one source."),
        Probe("file-numbers", "the numbers in the file name",
              tuple(numbered(n) for n in range(1, NUMBERS + 1)), "note",
              "Never split in the order of names. If numbers follow the time of acquisition, the "
              "classes were photographed one after the other: look for what else changed."),
        Probe("brightness", "the brightness of the image",
              ("brightness_mean", "brightness_sd", "brightness_p5", "brightness_p95"),
              "warning", STAIN),
        Probe("colours", "the colours of the image", (*_colours(""), "saturation_mean"),
              "warning", STAIN),
        Probe("border", "the border of the image alone", _colours("border_"), "error",
              "Show the model the cell alone (crop or mask), and compare. " + STAIN),
        Probe("background", "the background alone", _colours("background_"), "error",
              "Divide by the light of the empty slide and mask the background, and compare. "
              + STAIN),
        Probe("object-area", "the area of the object alone", ("object_area_px",), "warning",
              "If cells of the classes differ in size, that is knowledge; if their magnification "
              "does, it is a shortcut. Compare pixels per micrometre of the classes."),
        Probe("focus", "the sharpness of the image", ("sharpness", "spectrum_fall"), "warning",
              "See whether the classes were photographed or scaled in different ways, and blur "
              "or rescale at random while training."),
        Probe("marks", "burnt-in marks", ("mark_share", "mark_count"), "error",
              "Take the images without marks, or cover the same place in every image."),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Probed:
    """What a probe gave."""

    probe: Probe
    metric: Literal["auroc", "balanced_accuracy"]
    estimate: Estimate
    chance: float
    folds: int
    rows: Rows
    """The rows that were used."""
    column: str
    """The measurement that by itself differs most between the classes."""
    groups: dict[str, int]
    """Groups of each class."""

    @property
    def excess(self) -> float:
        """The interval's lower end above chance, over what is possible above it; 0 and less
        where there is no interval or it holds chance."""
        if self.estimate.low is None:
            return 0.0
        return (self.estimate.low - self.chance) / (1 - self.chance)


def probed_rows(context: Context) -> Rows:
    """The rows that probes use: labelled originals at hand, of classes that can be tested.

    Empty where fewer than two classes are left.
    """
    found = context.measurements
    manifest = context.manifest
    if found is None:
        return np.array([], np.int64)
    labels, groups = manifest.column("label"), _groups(context)
    rows = np.flatnonzero(found.known & (labels != "") & (manifest.column("parent") == ""))
    kept = [
        name
        for name in sorted(set(labels[rows]))
        if (labels[rows] == name).sum() >= FEWEST_IMAGES
        and len(set(groups[rows][labels[rows] == name])) >= FEWEST_GROUPS
    ]
    if len(kept) < 2:
        return np.array([], np.int64)
    return _thinned(rows[np.isin(labels[rows], kept)], groups)


def _groups(context: Context) -> Texts:
    """Each row's group; a row without one is its own."""
    groups = context.manifest.column("group")
    return np.where(groups == "", np.array(context.manifest.keys, dtype=object), groups)


def _thinned(rows: Rows, groups: Texts) -> Rows:
    """At most about ``MOST_ROWS`` rows: of large groups fewer, drawn from a fixed seed."""
    if len(rows) <= MOST_ROWS:
        return rows
    rng = np.random.default_rng(SEED)
    order = rng.permutation(rows)
    place = pd.Series(groups[order]).groupby(groups[order]).cumcount().to_numpy()
    return np.sort(order[np.argsort(place, kind="stable")[:MOST_ROWS]])


def folds_of(context: Context, rows: Rows) -> list[tuple[Rows, Rows]]:
    """Training and test places in ``rows`` of each fold: groups whole, classes as even as groups
    allow. None where there are no rows."""
    from sklearn.model_selection import StratifiedGroupKFold

    if not len(rows):
        return []
    labels, groups = context.manifest.column("label")[rows], _groups(context)[rows]
    fewest = min(len(set(groups[labels == name])) for name in set(labels))
    cut = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=SEED)
    return [
        (train, test)
        for train, test in cut.split(np.zeros(len(labels)), labels, groups)
        if len(set(labels[train])) == len(set(labels)) and len(test)
    ]


def probe(
    context: Context, one: Probe, rows: Rows, folds: Sequence[tuple[Rows, Rows]]
) -> Probed | None:
    """Train and test one probe; None where its measurements are the same in all rows.

    Parameters
    ----------
    context
        Whose measurements are used.
    one
        Of ``PROBES``.
    rows, folds
        What ``probed_rows`` and ``folds_of`` give.
    """
    found = context.measurements
    if found is None or not folds:
        return None
    labels = context.manifest.column("label")[rows]
    columns = _telling_columns(found, one, rows, labels)
    if not columns:
        return None
    features = found.columns(columns)[rows]
    table = predicted(context, rows, features, folds, classifier)
    positive = _positive(context, labels)
    predictions = predictions_from_table(table.drop(columns="place"), positive=positive)
    metric: Literal["auroc", "balanced_accuracy"] = (
        "auroc" if len(set(labels)) == 2 else "balanced_accuracy"
    )
    from ..evaluation import METRICS

    measured = Measured.alone(image_sample(predictions), RESAMPLES, SEED)
    estimate = measured.estimate(METRICS[metric])
    if estimate.value is None:
        return None
    chance = 1 / len(set(labels))
    best = max(columns, key=lambda name: _difference(found[name][rows], labels))
    groups = {
        name: len(set(_groups(context)[rows][labels == name])) for name in sorted(set(labels))
    }
    return Probed(one, metric, estimate, chance, len(folds), rows, best, groups)


def p_by_permutation(context: Context, found: Probed) -> float:
    """How often labels dealt anew to the groups differ as much in the telling measurement.

    A permutation test over groups (Good 2005, Permutation, Parametric and Bootstrap Tests of
    Hypotheses, chapter 3), for sets whose groups are too few for an interval. Groups of several
    classes are left out; 1 where no group is left to be dealt.
    """
    measurements = context.measurements
    labels = context.manifest.column("label")[found.rows]
    groups = _groups(context)[found.rows]
    pure = pd.Series(labels).groupby(groups).transform("nunique").to_numpy() == 1
    if measurements is None or len(set(labels[pure])) < 2:
        return 1.0
    values, labels = measurements[found.column][found.rows][pure], labels[pure]
    _, first, member = np.unique(groups[pure].astype(str), return_index=True, return_inverse=True)
    of_group = labels[first]
    rng = np.random.default_rng(SEED)
    seen = _difference(values, labels)
    dealt = [_difference(values, rng.permutation(of_group)[member]) for _ in range(PERMUTATIONS)]
    return float((1 + np.sum(np.array(dealt) >= seen - 1e-12)) / (1 + PERMUTATIONS))


def _positive(context: Context, labels: Texts) -> str | None:
    """The positive class of two: the card's blast, else the first name."""
    names = sorted(str(name) for name in set(labels))
    if len(names) != 2:
        return None
    mapping = {"blast": "blast", **context.manifest.card.classes}
    return next((name for name in names if mapping.get(name) == "blast"), names[0])


def _telling_columns(found: Measurements, one: Probe, rows: Rows, labels: Texts) -> list[str]:
    """The probe's measurements that vary; without numbers of a name that only spell the label."""
    columns = []
    for name in one.columns:
        values = found[name][rows]
        known = np.isfinite(values)
        different = len(np.unique(values[known])) + (not known.all())
        if different < 2 or (COLUMNS[name].by_name and different <= len(set(labels))):
            continue
        columns.append(name)
    return columns


def predicted(
    context: Context,
    rows: Rows,
    features: Floats,
    folds: Sequence[tuple[Rows, Rows]],
    make: Callable[[int], Any],
) -> pd.DataFrame:
    """A table of predictions: every row of the test parts with its probabilities.

    Parameters
    ----------
    context, rows, folds
        As in ``probe``.
    features
        Shape (rows, measurements).
    make
        A classifier for so many training rows.
    """
    from threadpoolctl import threadpool_limits

    labels, groups = context.manifest.column("label")[rows], _groups(context)[rows]
    keys = np.array(context.manifest.keys, dtype=object)[rows]
    names = sorted(set(labels))
    parts = []
    with threadpool_limits(1):  # models this small are slower on several threads
        for number, (train, test) in enumerate(folds):
            model = make(len(train)).fit(features[train], labels[train])
            told = model.predict_proba(features[test])
            part = pd.DataFrame(told, columns=[f"p_{name}" for name in names])
            part["image"] = part["row"] = keys[test]
            part["group"], part["label"] = groups[test], labels[test]
            part["fold"], part["part"], part["place"] = number, "test", test
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def classifier(rows: int) -> Any:
    """Shallow boosted trees (histogram-based, missing values known), every class as heavy."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=6,
        min_samples_leaf=max(2, min(20, rows // 20)),
        l2_regularization=1.0,
        class_weight="balanced",
        early_stopping=False,
        random_state=SEED,
    )


def _difference(values: Floats, labels: Texts) -> float:
    """Share of the ranks' variance that lies between the classes (Kruskal & Wallis 1952)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.where(np.isfinite(values), values, -np.inf))
    whole = float(ranks.var())
    if whole == 0:
        return 0.0
    between = sum(
        float((labels == name).mean()) * (float(ranks[labels == name].mean()) - ranks.mean()) ** 2
        for name in set(labels)
    )
    return float(between / whole)
