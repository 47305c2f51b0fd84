"""What is measured of a run's cells, and how it comes to a fuzzy system as its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FuzzyError, ImageError
from ..images.decode import decode
from ..models.fuzzy.system import Floats, FuzzySystem
from ..progress import Progress
from ..records.images import split_key
from ..records.predictions import Predictions
from ..smear.measurements import MEASUREMENTS, measure

__all__ = ["inputs_of", "measure_rows"]

SILENT = Progress(quiet=True)


def measure_rows(folder: Path, rows: Iterable[str], *, progress: Progress = SILENT) -> pd.DataFrame:
    """Measure the cell of each row.

    Parameters
    ----------
    folder
        What image paths are relative to.
    rows
        Row keys, ``image`` or ``image#x0,y0,x1,y1``; each is measured once.

    Returns
    -------
    pandas.DataFrame
        ``row``, every measurement, ``flags``; an image that cannot be read has NaN and the flag
        ``unreadable``.

    Raises
    ------
    FuzzyError
        When no image could be read.
    """
    keys = list(dict.fromkeys(rows))
    found: list[dict[str, Any]] = []
    for row in progress.track(keys, "measuring cells", len(keys)):
        image, box = split_key(row)
        try:
            found.append({"row": row, **measure(decode(folder / image, box=box).pixels).row()})
        except ImageError:
            unknown = dict.fromkeys(MEASUREMENTS, float("nan"))
            found.append({"row": row, **unknown, "flags": "unreadable"})
    table = pd.DataFrame(found, columns=["row", *MEASUREMENTS, "flags"])
    if len(table) and (table["flags"] == "unreadable").all():
        raise FuzzyError(
            f"{folder}: none of {len(table)} images could be read. Name the data: --data."
        )
    return table


def inputs_of(
    system: FuzzySystem, predictions: Predictions, measured: pd.DataFrame
) -> dict[str, Floats]:
    """The measurements of the predictions' rows, in their order."""
    wanted = [one.name for one in system.inputs if one.name != "probability"]
    for name in wanted:
        if name not in measured:
            system.input(name)
            known = [column for column in measured if column not in ("row", "flags")]
            raise FuzzyError(
                f"{system.name}: '{name}' is not measured. Measured: {', '.join(known)}."
            )
    by_row = measured.drop_duplicates("row").set_index("row")
    missing = predictions.table.loc[~predictions.table["row"].isin(by_row.index), "row"]
    if len(missing):
        raise FuzzyError(
            f"{system.name}: {len(missing)} rows are not measured, the first: {missing.iloc[0]}."
        )
    ordered = by_row.loc[predictions.table["row"]]
    return {name: ordered[name].to_numpy(dtype=np.float64) for name in wanted}
