"""What stands behind the vector of a network: fully connected layers and the outputs."""

from __future__ import annotations

from ..errors import ExperimentError
from ..records.experiment import Model
from .layers import Dense, Dropout, Layer

__all__ = ["head_layers", "output_units"]


def head_layers(model: Model, classes: int) -> tuple[Layer, ...]:
    """The layers behind the vector, as the small networks write theirs."""
    outputs = output_units(model, classes)
    last = (Dropout(model.dropout),) if model.dropout else ()
    hidden = (Dense(units, model.activation) for units in model.hidden)
    return (*hidden, *last, Dense(outputs, "linear"))


def output_units(model: Model, classes: int) -> int:
    """One sigmoid unit for two classes, or one unit a class.

    Raises
    ------
    ExperimentError
        When a sigmoid is asked to tell more than two classes apart.
    """
    if model.outputs == "sigmoid" and classes > 2:
        raise ExperimentError(
            f"model.outputs is 'sigmoid', which tells two classes apart, and there are {classes}. "
            "Use 'auto' or 'softmax'."
        )
    return 1 if classes == 2 and model.outputs != "softmax" else classes
