"""``leukoscope audit``: can these published figures be true?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import AuditError, suggestion
from .options import Json, emit

if TYPE_CHECKING:
    from ..evaluation.audit import AuditVerdict
    from ..evaluation.printed import PublishedRow

__all__ = ["audit"]


def audit(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE.csv|PAPER|-",
            help="Columns model,n,positives and any metrics; or a paper, such as abed2022.",
        ),
    ] = "",
    row: Annotated[
        list[str] | None,
        typer.Option(
            "--row", metavar="KEY=VALUE,…", help="One row here: n=417,positives=210,accuracy=99.49"
        ),
    ] = None,
    averaging: Annotated[
        Literal["any", "positive", "macro", "weighted"],
        typer.Option(help="How precision, recall and F1 are averaged, if it is known."),
    ] = "any",
    rounding: Annotated[
        Literal["either", "round", "truncate"],
        typer.Option(help="How the figures were shortened, if it is known."),
    ] = "either",
    as_json: Json = False,
) -> int:
    """Judge published figures of two classes: possible, impossible, or cannot know.

    Exit code 1 when a row is impossible. Metrics: accuracy, sensitivity, specificity, precision,
    npv, recall, f1, auc; n and positives are counts of test images (positives may be a share).

    Example: leukoscope audit table.csv --averaging macro
    """
    from ..evaluation.audit import audit as judge

    rows = _rows(table, row or [], averaging, rounding)
    judged = [(where, judge(one)) for where, one in rows]
    lines = [line for where, verdict in judged for line in _told(where, verdict)]
    counts = {
        word: sum(verdict.verdict == word for _, verdict in judged)
        for word in ("impossible", "possible", "cannot know")
    }
    lines.append(
        f"{len(judged)} rows: {counts['impossible']} impossible, {counts['possible']} possible, "
        f"{counts['cannot know']} cannot be known. Research use only."
    )
    value = {"counts": counts, "rows": [_plain(where, verdict) for where, verdict in judged]}
    emit(value, "\n".join(lines), as_json)
    return 1 if counts["impossible"] else 0


def _rows(
    table: str,
    given: list[str],
    averaging: Literal["any", "positive", "macro", "weighted"],
    rounding: Literal["either", "round", "truncate"],
) -> list[tuple[str, PublishedRow]]:
    """Where each row stands, and the row."""
    from ..evaluation.printed import published_row, read_file, read_table
    from ..papers import PAPERS

    if bool(table) == bool(given):
        raise AuditError("audit: give a table, a paper, or rows with --row; one of them.")
    if given:
        rows = []
        for text in given:
            cells = dict(part.strip().partition("=")[::2] for part in text.split(","))
            model, n = cells.pop("model", text), cells.pop("n", "")
            positives = cells.pop("positives", "")
            one = published_row(
                model, cells, n=n, positives=positives, averaging=averaging, rounding=rounding
            )
            rows.append(("", one))
        return rows
    if table in PAPERS:
        from ..papers.protocol import read_protocol
        from ..papers.published import rows_to_audit

        return [(line.table, one) for line, one in rows_to_audit(read_protocol(table))]
    if table != "-" and not os.path.exists(table):
        raise AuditError(
            f"audit: there is no table '{table}', and no paper of that name. "
            f"{suggestion(table, PAPERS)}"
        )
    lines = sys.stdin.read().splitlines() if table == "-" else read_file(Path(table))
    found = read_table(lines, table, averaging=averaging, rounding=rounding)
    return [("", one) for one in found]


def _told(where: str, verdict: AuditVerdict) -> list[str]:
    name = f"{where}: {verdict.model}" if where else verdict.model
    lines = [f"{verdict.verdict}: {name}", *(f"    {reason}" for reason in verdict.reasons)]
    if verdict.instead:
        lines.append(f"    {verdict.instead}")
    if verdict.matrices:
        assert verdict.example is not None
        tp, fp, tn, fn = verdict.example
        many = f"{verdict.matrices:,} confusion matrices fit, such as"
        many = "one confusion matrix fits:" if verdict.matrices == 1 else many
        lines.append(f"    {many} TP {tp}, FP {fp}, TN {tn}, FN {fn}")
    if verdict.readings:
        lines.append(f"    averages that fit: {', '.join(verdict.readings)}")
    shown = [
        f"{metric} {100 * low:.1f} to {100 * high:.1f} %"
        for metric, (low, high) in verdict.implied.items()
        if metric in ("accuracy", "sensitivity", "specificity")
    ]
    if shown:
        lines.append(f"    implied: {', '.join(shown)}")
    return lines


def _plain(where: str, verdict: AuditVerdict) -> dict[str, Any]:
    return {
        "table": where,
        "model": verdict.model,
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "instead": verdict.instead,
        "readings": list(verdict.readings),
        "matrices": verdict.matrices,
        "example": verdict.example,
        "implied": {metric: list(ends) for metric, ends in verdict.implied.items()},
    }
