"""The fuzzy decision of a whole run, and what is written of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FuzzyError
from ..figures import save
from ..figures.decision_surface import decision_surface
from ..figures.memberships import memberships
from ..files import sha256_file, write_atomic
from ..models.fuzzy import FuzzySystem, write_system
from ..models.fuzzy.system import VERDICTS
from ..progress import Progress
from ..records.images import find_images
from ..records.predictions import write_predictions
from ..records.run import Run
from ..records.verdicts import Counts, Judged, Verdicts, write_curves, write_verdicts
from .cells import measure_rows
from .curves import curves_of, panels, surface
from .deciding import Decision, against_band, decide, plain_verdicts, refuse_undecidable

__all__ = ["decide_run"]

SILENT = Progress(quiet=True)
FUZZY, PLAIN = "the fuzzy system", "the plain band on the calibrated probability"


def decide_run(
    run: Run,
    system: FuzzySystem,
    folder: Path | None,
    out: Path | None,
    *,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Verdicts:
    """Measure, fit, decide and compare; see ``api.fuzzy``.

    Raises
    ------
    FuzzyError
        When the run cannot be decided on, or its images are not at hand.
    """
    refuse_undecidable(system, run.predictions)
    if folder is None:
        gallery = find_images(run)
        if gallery.folder is None:
            raise FuzzyError(
                f"{run.folder}: cells are measured in their images, and {gallery.reason}. "
                "Name the data: --data."
            )
        folder = gallery.folder
    parts = ("test",) if system.fitted_on else ("validation", "test")
    table = run.predictions.table
    rows = table.loc[table["part"].isin(parts), "row"]
    measured = measure_rows(folder, rows, progress=progress)
    decision = decide(system, run.predictions, measured)
    found = _verdicts(run, system, measured, decision, resamples, seed)
    if out is not None:
        _write(out, run, measured, decision, found)
    return found


def _verdicts(
    run: Run,
    system: FuzzySystem,
    measured: pd.DataFrame,
    decision: Decision,
    resamples: int,
    seed: int,
) -> Verdicts:
    positive = str(run.predictions.positive)
    comparison = against_band(decision, positive, resamples=resamples, seed=seed)
    flags = Counter(flag for text in measured["flags"] for flag in str(text).split())
    notes = list(decision.notes)
    if run.data.groups_inferred:
        notes.append("Subjects are not published for this data: the groups are inferred.")
    if run.data.rendered:
        notes.append("Rendered data: no figure says anything about patients.")
    labels = decision.table["label"].to_numpy(dtype=str)
    fuzzy = decision.table["verdict"].to_numpy(dtype=str)
    return Verdicts(
        system=system.name,
        title=system.title,
        source=system.source,
        inputs=tuple(one.title for one in system.inputs),
        edition=run.edition,
        positive=positive,
        predictions_sha256=sha256_file(run.folder / "predictions.csv"),
        verdicts={name: int((fuzzy == name).sum()) for name in VERDICTS},
        by_label=_by_label(labels, fuzzy, positive),
        plain_by_label=_by_label(labels, plain_verdicts(decision), positive),
        measured={"cells": len(measured), "flags": dict(sorted(flags.items()))},
        comparison=Judged.model_validate(comparison.entry()),
        summary=comparison.sentence(FUZZY, PLAIN),
        notes=tuple(notes),
    )


def _by_label(
    labels: np.ndarray[Any, np.dtype[np.str_]],
    verdict: np.ndarray[Any, np.dtype[np.str_]],
    positive: str,
) -> Counts:
    """How many cells of each label got each verdict; the positive class first."""
    names = sorted(set(labels), key=lambda name: (name != positive, name))
    return {
        str(label): {name: int(((labels == label) & (verdict == name)).sum()) for name in VERDICTS}
        for label in names
    }


def _write(
    out: Path, run: Run, measured: pd.DataFrame, decision: Decision, found: Verdicts
) -> None:
    """Everything beside ``fuzzy.json`` first: a folder that has it is whole."""
    for (repeat, fold), system in decision.systems.items():
        name = f"fold-{fold}" if not repeat else f"repeat-{repeat}-fold-{fold}"
        write_system(system, out / f"{name}.toml")
    write_predictions(decision.table, out / "predictions.csv")
    write_atomic(out / "cells.csv", measured.to_csv(index=False, lineterminator="\n"))
    system = next(iter(decision.systems.values()))
    fitted = f"fitted on {system.fitted_on}" if system.fitted_on else "not fitted"
    folds = len(decision.systems)
    note = f"{run.edition}, {f'first of {folds} folds, ' if folds > 1 else ''}{fitted}"
    if run.data.rendered:
        note += ", rendered data"
    save(memberships(panels(system), note=note), out)
    if len(system.inputs) > 1:
        save(decision_surface(surface(system), note=note), out)
    write_curves(curves_of(system, note), out)
    write_verdicts(found, out)
