"""``leukoscope check``: what is wrong with this data, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..counting import counted
from ..errors import LeukoscopeError
from ..files import verify_output, write_json
from .options import As, Data, Json, Quiet, emit, progress

if TYPE_CHECKING:
    from ..checks import Examination
    from ..datasets import Manifest
    from ..records.split import Split

__all__ = ["check"]

RANK = {"note": 0, "warning": 1, "error": 2}
PAGE, DATA = ".html", ".json"


def check(
    data: Data,
    split: Annotated[
        Path | None, typer.Option(metavar="S.json", help="Check this split of the data too.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Check this run's split and its records too."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="DIR|FILE",
            help="Write check.html, check.json and findings.json; or one .html or .json file.",
        ),
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
    from ..checks import examine
    from ..datasets.card import RENDERED_DATA
    from ..records.run import read_run
    from ..records.split import read_split
    from ..splits.splitting import most_folds

    if split is not None and run is not None:
        raise LeukoscopeError("check: --split and --run both name a split. Give one of them.")
    if out is not None:
        _verify_out(out, [data, *([split] if split else [])])
    work = progress(quiet)
    made = read_run(run) if run else None
    division = read_split(split) if split else made.split if made else None
    manifest, failures = api.open_data(data, as_=as_, progress=work)
    outcome = examine(manifest, split=division, failures=failures, run=made, progress=work)
    folds = most_folds(manifest)
    following = _next(data, folds, split, run)
    value = {
        "schema": 1,
        "research_use_only": True,
        "data": manifest.card.name,
        "rows": len(manifest),
        "rendered": manifest.card.rendered,
        "manifest_sha256": manifest.sha256,
        **outcome.to_json(),
    }
    lines = _lines(outcome, len(manifest))
    if manifest.card.rendered:
        lines.append(RENDERED_DATA)
    if out is not None:
        # The page may be sent away: no folder of this machine stands in it.
        names = (Path(path.name) if path else None for path in (split, run))
        told = _next(Path(data.name), folds, *names).removeprefix("next: ")
        advice = "" if outcome.grade == "mend" else told
        lines.append(f"report: {_write(out, value, manifest, outcome, division, advice)}")
    lines.append(following)
    emit(value, "\n".join(lines), as_json)
    worst = max((RANK[finding.severity] for finding in outcome.findings), default=-1)
    return 1 if fail_on is not None and worst >= RANK[fail_on] else 0


def _verify_out(out: Path, inputs: list[Path]) -> None:
    """A name that ends in .html or .json is a file, any other a folder."""
    if out.suffix in (PAGE, DATA):
        verify_output(out, suffixes=(PAGE, DATA), inputs=inputs)
    else:
        verify_output(out)


def _lines(outcome: Examination, rows: int) -> list[str]:
    """The outcome for people: findings with their mends, what could not be checked, the verdict."""
    lines = []
    for finding in outcome.findings:
        lines.append(f"{finding.severity}: {finding.check}: {finding.summary}")
        if finding.mend:
            lines.append(f"    {finding.mend}")
    fails = [answer.kind for answer in outcome.leakage if answer.verdict == "fail"]
    if fails:
        named = ", ".join(f"{kind.number} {kind.title.lower()}" for kind in fails)
        lines.append(f"kinds of leakage that fail: {named}")
    clean = sum(one.state == "clean" for one in outcome.checked)
    counts = {word: sum(f.severity == word for f in outcome.findings) for word in RANK}
    lines.append(
        f"{counted(rows, 'row')}: "
        + ", ".join(counted(counts[word], word) for word in ("error", "warning", "note"))
        + f"; {counted(clean, 'check')} clean, {outcome.missed} could not be made. "
        "Research use only."
    )
    lines.append(outcome.verdict)
    return lines


def _write(
    out: Path,
    value: dict[str, Any],
    manifest: Manifest,
    outcome: Examination,
    split: Split | None,
    advice: str,
) -> Path:
    """Write the page, the JSON, or both with ``findings.json`` into a folder."""
    from ..records.findings import write_findings
    from ..reports import write_check_report

    page = out if out.suffix == PAGE else out / "check.html"
    if out.suffix == DATA:
        write_json(out, value)
        return out
    if page is not out:
        write_findings(outcome.findings, out / "findings.json", outcome.checked)
        write_json(out / "check.json", value)
    write_check_report(manifest, outcome, page, split=split, next_step=advice)
    return page


def _next(data: Path, most: int, split: Path | None, run: Path | None) -> str:
    """The command to go on with: report a run, train with a split, or divide the data."""
    from ..records.experiment import SplitPlan

    if run is not None:
        return f"next: leukoscope report {run} -o report.html"
    if split is not None:
        return f"next: leukoscope train --model cnn-3 --data {data} --split {split} -o run"
    if most < 2:
        return "next: add subjects: two groups of each of two classes are the least to divide"
    folds = f" --folds {most}" if most < SplitPlan().folds else ""
    return f"next: leukoscope split {data}{folds} -o split.json"
