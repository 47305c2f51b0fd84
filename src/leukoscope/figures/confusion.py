"""The confusion matrix: counts, and shares of each true class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import WIDTH, Drawing, page, styled
from .words import counted, grouped, key, shortened, wrapped

__all__ = ["confusion"]

LEAST_LEFT, RIGHT, BOTTOM = 74.0, 12.0, 40.0
MOST_CELL = 62.0
LEAST_WIDE = 30.0
"""Points; in narrower cells per cents have no decimal."""
MOST_NAMED, MOST_ACROSS = 4, 8
"""With more classes, or longer names of more than two, columns bear the rows' numbers."""
MOST_CHARACTERS = 22
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
    most = max(len(name) for name in labels)
    numbered = len(labels) > MOST_NAMED or (len(labels) > 2 and most > MOST_ACROSS)
    longest = min(MOST_CHARACTERS, most + 2 * numbered)
    left = max(LEAST_LEFT, 24 + 4.6 * longest)
    size = min(MOST_CELL, (WIDTH - left - RIGHT) / len(labels))
    side = size * len(labels)
    total = counted(int(table.sum()), "answer")
    words = total if n_groups is None else f"{total}, {grouped(n_groups, group_word)}"
    made = page(
        "confusion", "Confusion matrix", words, height=side + BOTTOM, note=note,
        more=["Count, and per cent of the true class."],
    )  # fmt: skip
    axes = made.axes(left, BOTTOM, side, side)
    shade = LinearSegmentedColormap.from_list("shade", ["#ffffff", "#7fb3d5", "#08519c"])
    axes.pcolormesh(shares, cmap=shade, vmin=0, vmax=1, edgecolors="#bbbbbb", linewidth=0.6)
    axes.invert_yaxis()
    for row, name in enumerate(labels):
        for column, said in enumerate(labels):
            share = shares[row, column]
            digits = 1 if size > LEAST_WIDE else 0
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{table[row, column]:,}\n{100 * share:.{digits}f} %",
                ha="center",
                va="center",
                fontsize=8.5 if size > 45 else 6.5 if size > LEAST_WIDE else 5.6,
                linespacing=1.35,
                color="white" if share > DARK else "#222222",
                gid=f"cell-{key(name)}-{key(said)}",
            )
    places = np.arange(len(labels)) + 0.5
    names = [shortened(name, MOST_CHARACTERS - 2 * numbered) for name in labels]
    if numbered:
        axes.set_xticks(places, [str(number) for number in range(1, len(labels) + 1)])
        names = [f"{name} {number}" for number, name in enumerate(names, start=1)]
    else:
        across = max(4, int(size / 4.6))
        axes.set_xticks(places, ["\n".join(wrapped(name, across)[:2]) for name in names])
    axes.set_yticks(places, names)
    axes.tick_params(labelsize=7.2)
    axes.tick_params(length=0)
    axes.set_xlabel("Answer")
    axes.set_ylabel("True class")
    for spine in axes.spines.values():
        spine.set_visible(False)
    right = "; ".join(
        f"{name}: {table[k, k]:,} of {int(rows[k, 0]):,} right" for k, name in enumerate(labels)
    )
    return made.finish(f"Confusion matrix, rows are true classes. {right}. {words}.")
