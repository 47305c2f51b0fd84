"""The fuzzy decision of a whole run, and what is written of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ...errors import FuzzyError
from ...figures import save
from ...figures.decision_surface import decision_surface
from ...figures.memberships import memberships
from ...files import write_atomic, write_json
from ...progress import Progress
from ...records.predictions import write_predictions
from ...records.run import Run
from ...reports.pictures import find_images
from .deciding import Decision, against_band, decide, measure_rows, panels, surface
from .system import VERDICTS, FuzzySystem, write_system

__all__ = ["SCHEMA", "decide_run"]

SCHEMA = 1
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
) -> dict[str, Any]:
    """Measure, fit, decide and compare; see ``api.fuzzy``.

    Raises
    ------
    FuzzyError
        When the images are not at hand, or the run cannot be decided on.
    """
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
    comparison = against_band(
        decision, str(run.predictions.positive), resamples=resamples, seed=seed
    )
    flags = Counter(flag for text in measured["flags"] for flag in str(text).split())
    notes = list(decision.notes)
    if run.data.groups_inferred:
        notes.append("Subjects are not published for this data: the groups are inferred.")
    if run.data.rendered:
        notes.append("Rendered data: no figure says anything about patients.")
    outcome = {
        "schema": SCHEMA,
        "system": system.name,
        "source": system.source,
        "edition": run.edition,
        "verdicts": {name: int((decision.table["verdict"] == name).sum()) for name in VERDICTS},
        "measured": {"cells": len(measured), "flags": dict(sorted(flags.items()))},
        "comparison": comparison.entry(),
        "summary": comparison.sentence(FUZZY, PLAIN),
        "notes": notes,
        "research_use_only": True,
    }
    if out is not None:
        _write(out, decision, outcome, run)
        write_atomic(out / "cells.csv", measured.to_csv(index=False, lineterminator="\n"))
    return outcome


def _write(out: Path, decision: Decision, outcome: dict[str, Any], run: Run) -> None:
    for (repeat, fold), system in decision.systems.items():
        name = f"fold-{fold}" if not repeat else f"repeat-{repeat}-fold-{fold}"
        write_system(system, out / f"{name}.toml")
    write_predictions(decision.table, out / "predictions.csv")
    write_json(out / "fuzzy.json", outcome)
    system = next(iter(decision.systems.values()))
    fitted = f"fitted on {system.fitted_on}" if system.fitted_on else "not fitted"
    note = f"{run.edition}, first of {len(decision.systems)} folds, {fitted}"
    if run.data.rendered:
        note += ", rendered data"
    save(memberships(panels(system), note=note), out)
    save(decision_surface(surface(system), note=note), out)
