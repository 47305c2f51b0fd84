"""The confusion matrix: counts, and shares of each true class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import WIDTH, Drawing, page, styled
from .words import counted, grouped, key, shortened

__all__ = ["confusion"]

LEFT, RIGHT, BOTTOM = 74.0, 12.0, 34.0
MOST_CELL = 62.0
DARK = 0.72
"""Above this share white type is easier to read."""


@styled
def confusion(
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    n_groups: int | None = None,
    note: str = "",
    group_word: str = "group",
) -> Drawing:
    """Rows are true classes, columns answers; shade and per cent are shares of the row."""
    from matplotlib.colors import LinearSegmentedColormap

    table = np.asarray(counts)
    rows = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, rows, out=np.zeros(table.shape), where=rows > 0)
    size = min(MOST_CELL, (WIDTH - LEFT - RIGHT) / len(labels))
    side = size * len(labels)
    total = counted(int(table.sum()), "answer")
    words = total if n_groups is None else f"{total}, {grouped(n_groups, group_word)}"
    turned = len(labels) > 2 and max(len(name) for name in labels) > size / 5
    bottom = BOTTOM + (30 if turned else 0)
    made = page(
        "confusion", "Confusion matrix", words, height=side + bottom, note=note,
        more=["Count, and per cent of the true class."],
    )  # fmt: skip
    axes = made.axes(LEFT, bottom, side, side)
    shade = LinearSegmentedColormap.from_list("shade", ["#ffffff", "#7fb3d5", "#08519c"])
    axes.pcolormesh(shares, cmap=shade, vmin=0, vmax=1, edgecolors="#bbbbbb", linewidth=0.6)
    axes.invert_yaxis()
    for row, name in enumerate(labels):
        for column, said in enumerate(labels):
            share = shares[row, column]
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{table[row, column]:,}\n{100 * share:.1f} %",
                ha="center",
                va="center",
                fontsize=8.5 if size > 45 else 6.2,
                linespacing=1.35,
                color="white" if share > DARK else "#222222",
                gid=f"cell-{key(name)}-{key(said)}",
            )
    places = np.arange(len(labels)) + 0.5
    width = 12 if len(labels) > 2 else 16
    names = [shortened(name, width) for name in labels]
    axes.set_xticks(places, names, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.set_yticks(places, names)
    axes.tick_params(length=0)
    axes.set_xlabel("Answer")
    axes.set_ylabel("True class")
    for spine in axes.spines.values():
        spine.set_visible(False)
    right = "; ".join(
        f"{name}: {table[k, k]:,} of {int(rows[k, 0]):,} right" for k, name in enumerate(labels)
    )
    return made.finish(f"Confusion matrix, rows are true classes. {right}. {words}.")
