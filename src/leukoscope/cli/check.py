"""``leukoscope check``: what is wrong with this data, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..counting import counted
from ..errors import LeukoscopeError
from ..files import verify_output
from .options import As, Data, Json, Quiet, emit, progress

__all__ = ["check"]

RANK = {"note": 0, "warning": 1, "error": 2}


def check(
    data: Data,
    split: Annotated[
        Path | None, typer.Option(metavar="S.json", help="Check this split of the data too.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Check the split that this run used.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Write findings.json and check.html."),
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning"] | None,
        typer.Option(help="Exit code 1 when a finding is at least this severe."),
    ] = None,
    as_: As = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find leaks and shortcuts: duplicates, cut groups, unreadable images, too few subjects.

    Example: leukoscope check allidb2.csv -o allidb2-check --fail-on error
    """
    from .. import api
    from ..checks import run_checks
    from ..datasets.card import RENDERED_DATA
    from ..records.findings import write_findings
    from ..records.run import read_run
    from ..records.split import read_split
    from ..splits.splitting import most_folds

    if split is not None and run is not None:
        raise LeukoscopeError("check: --split and --run both name a split. Give one of them.")
    if out is not None:
        verify_output(out)
    work = progress(quiet)
    made = read_run(run) if run else None
    division = read_split(split) if split else made.split if made else None
    manifest, failures = api.open_data(data, as_=as_, progress=work)
    findings = run_checks(manifest, split=division, failures=failures, run=made, progress=work)
    findings = tuple(sorted(findings, key=lambda finding: -RANK[finding.severity]))
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity}: {finding.check}: {finding.summary}")
        if finding.mend:
            lines.append(f"    {finding.mend}")
    counts = {word: sum(f.severity == word for f in findings) for word in RANK}
    lines.append(
        f"{counted(len(manifest), 'row')}: "
        + ", ".join(counted(counts[word], word) for word in ("error", "warning", "note"))
        + ". Research use only."
    )
    if manifest.card.rendered:
        lines.append(RENDERED_DATA)
    if out is not None:
        from ..reports import write_check_report

        write_findings(findings, out / "findings.json")
        write_check_report(manifest, findings, out / "check.html")
        lines.append(f"report: {out / 'check.html'}")
    lines.append(_next(data, most_folds(manifest)))
    value = {
        "rows": len(manifest),
        "rendered": manifest.card.rendered,
        "counts": counts,
        "findings": [finding.model_dump(mode="json") for finding in findings],
    }
    emit(value, "\n".join(lines), as_json)
    worst = max((RANK[finding.severity] for finding in findings), default=-1)
    return 1 if fail_on is not None and worst >= RANK[fail_on] else 0


def _next(data: Path, most: int) -> str:
    """The command that divides this data, or why there is none."""
    from ..records.experiment import SplitPlan

    if most < 2:
        return "next: add subjects: two groups of each of two classes are the least to divide"
    folds = f" --folds {most}" if most < SplitPlan().folds else ""
    return f"next: leukoscope split {data}{folds} -o split.json"
