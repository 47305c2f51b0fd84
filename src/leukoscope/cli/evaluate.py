"""``leukoscope evaluate``: metrics with honest intervals from predictions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..counting import counted
from ..files import verify_output
from .options import Json, Quiet, Seed, emit, progress

__all__ = ["evaluate"]

SHOWN = (
    "auroc",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "average_precision",
    "mcc",
    "brier",
    "ece",
)


def evaluate(
    source: Annotated[
        str, typer.Argument(metavar="RUN|predictions.csv", help="A run folder, a file, or -.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="metrics.json", help="Write all metrics here."),
    ] = None,
    level: Annotated[
        Literal["image", "subject", "both"], typer.Option(help="Of images or of subjects.")
    ] = "both",
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Which part's rows.")
    ] = "test",
    positive: Annotated[
        str | None, typer.Option(help="Positive class of a binary task, if it is not blast.")
    ] = None,
    fuzzy: Annotated[
        str | None,
        typer.Option(
            metavar="three|five|SYSTEM.toml",
            help="Also decide a run's test cells by a fuzzy system: normal, refer or blast.",
        ),
    ] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write verdicts, systems and figures of --fuzzy here; inside RUN its report "
            "shows them.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="M.csv|FOLDER", help="Images for --fuzzy, if not where the run says."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap samples of groups.")] = 2000,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure: every metric with a 95 % interval over groups, by image and by subject.

    image, label and p_<class> columns suffice, whoever wrote them.

    Example: leukoscope evaluate predictions.csv --positive ALL -o metrics.json

    Example: leukoscope evaluate runs/allidb2 --fuzzy three --verdicts runs/allidb2/three
    """
    from .. import api
    from ..datasets.card import RENDERED_DATA
    from ..files import write_json

    if out is not None:
        verify_output(out, suffixes=(".json",), inputs=[source])
    if verdicts is not None:
        verify_output(verdicts)
    metrics = api.evaluate(
        source, positive=positive, level=level, part=part, resamples=resamples, seed=seed
    )
    said: list[str] = []
    if fuzzy is None and (verdicts is not None or data is not None):
        raise typer.BadParameter("--verdicts and --data go with --fuzzy: name a fuzzy system.")
    if fuzzy is not None:
        decided = api.fuzzy(
            source, system=fuzzy, data=data, out=verdicts, resamples=resamples, seed=seed,
            progress=progress(quiet),
        )  # fmt: skip
        metrics = {**metrics, "fuzzy": decided}
        counts = ", ".join(f"{count} {name}" for name, count in decided["verdicts"].items())
        said = [f"fuzzy system {decided['system']}: {counts}", f"  {decided['summary']}"]
        said += [f"  note: {note}" for note in decided["notes"]]
        if verdicts is not None and verdicts.resolve().parent == Path(source).resolve():
            said.append(f"  in the report: leukoscope report {source} -o report.html")
    if out is not None:
        write_json(out, metrics)
    lines = []
    for name, values in metrics["levels"].items():
        lines.append(f"by {name}" if values else f"by {name}: nothing. {_why_nothing(metrics)}")
        for metric in SHOWN:
            if metric in values:
                lines.append(f"  {metric:<18} {_figure(values[metric])}")
    lines += said
    lines += [f"warning: {warning}" for warning in metrics.get("warnings", [])]
    if metrics["rendered"]:
        lines.append(RENDERED_DATA)
    lines.append("research use only" + (f"; all metrics: {out}" if out else ""))
    emit(metrics, "\n".join(lines), as_json)


def _why_nothing(metrics: dict[str, Any]) -> str:
    """Why there is no result by subject."""
    if metrics["subjects"]["several_labels"]:
        return "Every subject has cells of several labels."
    return "Add a column subject (or group)."


def _figure(entry: dict[str, object]) -> str:
    value, low, high = entry.get("value"), entry.get("low"), entry.get("high")
    groups = entry.get("groups")
    count = f"{counted(groups if isinstance(groups, int) else 0, 'group')}, n = {entry.get('n')}"
    if not isinstance(value, float | int):
        return f"not defined: {entry.get('reason', 'no rows')}"
    if not isinstance(low, float | int) or not isinstance(high, float | int):
        return f"{value:.3f} (no interval: {entry.get('reason', 'not known')}; {count})"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]  {count}"
