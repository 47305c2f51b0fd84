"""Learning curves of all folds: loss and accuracy over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ReportError
from .canvas import INK, Drawing, colour, page, styled
from .words import counted, key, value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["learning_curves"]

LEFT, ACROSS, EACH, BETWEEN, BOTTOM = 46.0, 212.0, 105.0, 14.0, 34.0
NEEDED = ("epoch", "loss", "accuracy")
ON_TEST = "test part, as validation"
PANELS = (("loss", "Loss (nats)"), ("accuracy", "Accuracy"))


@styled
def learning_curves(
    histories: Sequence[tuple[str, pd.DataFrame]],
    *,
    note: str = "",
    group_word: str = "group",
    tested: Sequence[tuple[int, float]] = (),
) -> Drawing:
    """Thin lines are folds, thick ones their mean; dashed is validation, dotted the test part.

    ``histories`` are fold names with their ``history.csv``: epoch, loss, accuracy, and where
    there are validation rows validation_loss and validation_accuracy; test_loss and test_accuracy
    where the test part served as validation (as published). ``tested`` are numbers of
    epochs and the accuracy on the test part after them, drawn as points. ``group_word`` says
    nothing here; all figures take it.

    Raises
    ------
    ReportError
        When there is no history, or one lacks a column.
    """
    del group_word
    if not histories:
        raise ReportError("learning curves: no history to draw. A run has one in each fold-K.")
    for name, table in histories:
        lacking = [column for column in NEEDED if column not in table]
        if lacking:
            raise ReportError(f"{name}: history.csv lacks column '{lacking[0]}'.")
    body = EACH * 2 + BETWEEN + BOTTOM
    words = counted(len(histories), "fold")
    made = page("learning_curves", "Learning curves", words, height=body, note=note)
    for number, (column, title) in enumerate(PANELS):
        low = BOTTOM + (EACH + BETWEEN) * (1 - number)
        axes = made.axes(LEFT, low, ACROSS, EACH)
        _series(axes, histories, column, "training", colour(1), "-")
        _series(axes, histories, f"validation_{column}", "validation", colour(0), (0, (4, 1.5)))
        _series(axes, histories, f"test_{column}", ON_TEST, colour(2), (0, (1, 1)))
        if tested and column == "accuracy":
            axes.plot(*zip(*tested, strict=True), "D", color=INK, markersize=4, label="test",
                      clip_on=False, gid="test-accuracy")  # fmt: skip
            axes.legend(*(one[-1:] for one in axes.get_legend_handles_labels()),
                        loc="lower right", borderaxespad=0.2)  # fmt: skip
        axes.set_ylabel(title)
        axes.grid(visible=True)
        axes.set_axisbelow(True)
        axes.set_xlim(axes.dataLim.xmin - 0.5, axes.dataLim.xmax + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if number == 0:
            axes.set_xticklabels([])
            axes.set_ylim(0, 1.08 * axes.dataLim.ymax)
            axes.legend(loc="upper right", borderaxespad=0.2)
        else:
            axes.set_xlabel("Epoch")
    on_test = ", ".join(f"{value(accuracy)} after {epochs}" for epochs, accuracy in tested)
    last = [table["loss"].iloc[-1] for _, table in histories]
    return made.finish(
        f"Loss and accuracy over epochs of {words}; the training loss ends at "
        f"{value(float(np.mean(last)))} on average."
        + (f" Test accuracy: {on_test}." if tested else "")
    )


def _series(
    axes: Any,
    histories: Sequence[tuple[str, pd.DataFrame]],
    column: str,
    label: str,
    tint: str,
    dashes: Any,
) -> None:
    lines = [
        (name, table["epoch"].to_numpy(), table[column].to_numpy(dtype=float))
        for name, table in histories
        if column in table and np.isfinite(table[column].to_numpy(dtype=float)).any()
    ]
    if not lines:
        return
    several = len(lines) > 1
    for name, epoch, values in lines:
        axes.plot(
            epoch,
            values,
            color=tint,
            linestyle=dashes,
            linewidth=0.8 if several else 1.8,
            alpha=0.45 if several else 1,
            label=None if several else label,
            marker="o" if len(epoch) == 1 else None,
            markersize=4,
            gid=f"{column}-{key(name)}",
        )
    if several:
        epochs = np.unique(np.concatenate([epoch for _, epoch, _ in lines]))
        mean = [np.nanmean([v[e == epoch] for _, e, v in lines if epoch in e]) for epoch in epochs]
        axes.plot(
            epochs, mean, color=tint, linestyle=dashes, linewidth=1.9,
            label=f"{label}, mean", gid=f"{column}-mean",
        )  # fmt: skip
