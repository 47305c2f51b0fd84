"""What a paper's tables count: images, sizes of parts, layers; beside what was counted here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ExperimentError
from ..models import layers_of
from ..models.layers import flatten_length, shapes, weights
from ..records.experiment import Experiment
from .cells import cells, experiment_of, meets
from .planner import Plan
from .published import Published, published
from .reasons import NOT_ASKED
from .runner import Outcome

__all__ = ["COUNTED", "Count", "counts"]

COUNTED = ("images", "parts", "layers")
"""Kinds of published cells that count something; their ``cell`` is a condition on the grid."""


@dataclass(frozen=True)
class Count:
    """One published count beside its twins."""

    published: Published
    here: Mapping[str, str]
    """Edition → as text; only where it was counted."""
    reasons: Mapping[str, str]
    """Edition → why not; neither where the paper's own cell is empty."""


def counts(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[Count, ...]:
    """Every count that the paper prints, in the order of its tables.

    Layers follow from the network by arithmetic, whether it was trained or not, at the paper's
    size of input. Images and parts
    are those of a run that meets the cell's condition: all such runs divide the same images alike.
    """
    return tuple(
        _layers(plan, cell) if cell.kind == "layers" else _of_runs(plan, cell, outcomes)
        for cell in published(plan.protocol)
        if cell.kind in COUNTED
    )


def _layers(plan: Plan, cell: Published) -> Count:
    here: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for edition in plan.protocol.editions:
        if not cell.metric:  # an empty cell of the paper's
            continue
        try:
            here[edition] = _layer(_experiment(plan, cell.cell, edition), cell)
        except ExperimentError as reason:  # an input too small for the network
            reasons[edition] = f"not measured: {reason}"
    return Count(cell, here, reasons)


def _experiment(plan: Plan, condition: str, edition: str) -> Experiment:
    """The paper's, at its own size of input, with what was changed of the model here."""
    asked = cells(plan.protocol, edition, "full", [condition])  # type: ignore[arg-type]
    changes = {key: value for key, value in plan.changes.items() if key.startswith("model.")}
    return experiment_of(asked[0], changes)


def _layer(experiment: Experiment, cell: Published) -> str:
    model, side = experiment.model, experiment.preprocess.size
    network = layers_of(model, classes=2)
    if cell.metric == "vector_length":
        return f"{flatten_length(network, 3, side):,}"
    if cell.metric == "shape":
        shape = shapes(network, 3, side)[int(cell.line) - 1]
        return f"(None, {', '.join(map(str, shape))})"
    each = weights(network, 3, side)
    if cell.line == "fixed":
        return "0"  # no layer of these networks has statistics that are not trained
    return f"{sum(each) if cell.line in ('total', 'trainable') else each[int(cell.line) - 1]:,}"


def _of_runs(plan: Plan, cell: Published, outcomes: Sequence[Outcome]) -> Count:
    here: dict[str, str] = {}
    reasons: dict[str, str] = {}
    mine = [one for one in outcomes if meets(plan.protocol, one.cell, cell.cell)]
    for edition in plan.protocol.editions:
        some = [one for one in mine if one.cell.edition == edition]
        run = next((one for one in some if one.run is not None and not one.reason), None)
        if run is None:
            reasons[edition] = some[0].reason if some else f"not run: {NOT_ASKED}"
            continue
        text = _images(run, cell.metric) if cell.kind == "images" else _part(run, cell.metric)
        if text:
            here[edition] = text
        else:
            reasons[edition] = "not measured: the images are not all of one size"
    return Count(cell, here, reasons)


def _images(outcome: Outcome, metric: str) -> str:
    """Before copies are made: those that were used, of a class or all; or their size."""
    assert outcome.run is not None
    data = outcome.run.data
    if metric == "size":
        size = data.card.get("image_size")
        return f"{size[0]} x {size[1]}" if size else ""
    return f"{sum(data.classes.values()) if metric == 'all' else data.classes.get(metric, 0):,}"


def _part(outcome: Outcome, metric: str) -> str:
    """Of the division as it was made, with copies where they were made before it."""
    assert outcome.run is not None
    folds = outcome.run.split.folds
    fold = folds[0]
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    size = sum(map(len, parts.values())) if metric == "all" else len(parts[metric])
    return f"{size:,}" if len(folds) == 1 else f"{size:,} (fold 1 of {len(folds)})"
