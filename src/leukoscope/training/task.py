"""What is told apart: which rows take part, and as which classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..datasets.manifest import Manifest
from ..datasets.rendered.plan import share_out
from ..errors import ExperimentError, suggestion
from ..records.experiment import Experiment
from .seeds import numpy_stream

__all__ = ["Task", "define_task"]


@dataclass(frozen=True)
class Task:
    """The rows that take part, with the labels that the task gives them."""

    manifest: Manifest
    classes: tuple[str, ...]
    """In the order of the outputs; of two, the second is the positive one (the sigmoid's)."""
    positive: str | None
    """None with more than two classes."""
    excluded: dict[str, int]
    """Reason → rows left out."""


def define_task(experiment: Experiment, manifest: Manifest) -> Task:
    """Choose rows and classes as ``experiment.data`` says.

    Raises
    ------
    ExperimentError
        When a label of ``leave_out`` does not exist, fewer than two classes are left, of two
        classes none is known to be positive, or a balanced draw asks for more than there are.
    """
    data = experiment.data
    labels = manifest.column("label")
    known = sorted(set(labels) - {""})
    for name in data.leave_out:
        if name not in known:
            raise ExperimentError(
                f"data.leave_out names class '{name}', which this data does not have. "
                f"{suggestion(name, known)}"
            )
    left_out = np.isin(labels, data.leave_out)
    excluded = {
        "no label": int((labels == "").sum()),
        "left out by the experiment": int(left_out.sum()),
    }
    used = (labels != "") & ~left_out
    if data.task == "binary":
        mapped = manifest.binary_labels()
        neither = used & (mapped == "")
        excluded["neither blast nor normal"] = int(neither.sum())
        used &= ~neither
        labels = mapped
    classes, positive = _classes(experiment, manifest, set(labels[used]))
    if 0 < data.sample < used.sum():
        drawn = _sampled(manifest, labels, used, data.sample, experiment.seed)
        excluded["not drawn for the sample"] = int((used & ~drawn).sum())
        used = drawn
    if data.balance:
        drawn = _balanced(labels, used, classes, data.balance, experiment.seed)
        excluded["not drawn for the balanced set"] = int((used & ~drawn).sum())
        used = drawn
    chosen = np.flatnonzero(used)
    table = manifest.table.iloc[chosen].assign(label=labels[chosen])
    return Task(
        manifest.with_table(table),
        classes,
        positive,
        {reason: count for reason, count in excluded.items() if count},
    )


def _classes(
    experiment: Experiment, manifest: Manifest, found: set[str]
) -> tuple[tuple[str, ...], str | None]:
    name, card = manifest.card.name, manifest.card
    if len(found) < 2:
        there = f"only {next(iter(found))!r}" if found else "none"
        remedy = "data.leave_out"
        if experiment.data.task == "binary":
            remedy = "the card's classes (which labels mean blast, which normal)"
        raise ExperimentError(
            f"{name}: at least two classes are needed, found {there} after the experiment's "
            f"choices. Look at data.task and {remedy}."
        )
    classes = sorted(found)
    if len(classes) > 2:
        return tuple(classes), None
    positive = "blast" if experiment.data.task == "binary" else card.positive
    if positive not in classes:
        # Of the set's own classes, the one that the card maps to it (SN-AM: b-all is blast).
        mapped = [label for label in classes if card.classes.get(label) == positive]
        positive = mapped[0] if len(mapped) == 1 else positive
    if positive not in classes:
        raise ExperimentError(
            f"{name}: which of {classes[0]!r} and {classes[1]!r} is the positive class? The card "
            f"says {positive!r}, which is neither. Name it when reading "
            "(leukoscope data read --positive), or set data.task = 'binary' with the "
            "card's classes mapped to blast and normal."
        )
    negative = next(label for label in classes if label != positive)
    return (negative, positive), positive


def _sampled(
    manifest: Manifest,
    labels: np.ndarray[tuple[int], np.dtype[np.object_]],
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    count: int,
    seed: int,
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """So many images: classes and official parts in their shares, groups in turn.

    In turn, so that a small sample has as many groups as there is room for; images keep their
    groups, so that a split of whole groups stays one.
    """
    rng = numpy_stream(seed, 0, "sample")
    names = sorted(set(labels[used]))
    counts = share_out([int((used & (labels == name)).sum()) for name in names], count)
    drawn = np.zeros(len(labels), dtype=bool)
    official, groups = manifest.column("official_split"), manifest.column("group")
    for name, of_class in zip(names, counts, strict=True):
        there = rng.permutation(np.flatnonzero(used & (labels == name)))
        parts = sorted(set(official[there]))
        rows_of = [there[official[there] == part] for part in parts]
        for rows, of_part in zip(
            rows_of, share_out([len(rows) for rows in rows_of], of_class), strict=True
        ):
            turn = pd.Series(groups[rows]).groupby(groups[rows]).cumcount().to_numpy()
            drawn[rows[np.argsort(turn, kind="stable")[:of_part]]] = True
    return drawn


def _balanced(
    labels: np.ndarray[tuple[int], np.dtype[np.object_]],
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    classes: tuple[str, ...],
    count: int,
    seed: int,
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """As many of each class, drawn without replacement (varol2024 §2.2)."""
    rng = numpy_stream(seed, 0, "balance")
    drawn = np.zeros(len(labels), dtype=bool)
    for name in sorted(classes):
        there = np.flatnonzero(used & (labels == name))
        if len(there) < count:
            raise ExperimentError(
                f"data.balance asks for {count} images of each class, but class {name!r} has "
                f"{len(there)}. Set it to {len(there)} or less, or 0 for all."
            )
        drawn[rng.choice(there, count, replace=False)] = True
    return drawn
