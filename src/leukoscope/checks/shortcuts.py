"""What predicts the label without the cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..counting import counted
from ..evaluation.cautions import ENOUGH_GROUPS
from ..records.findings import Finding, Severity
from .context import Context
from .measuring import COLUMNS
from .measuring.file import FORMAT_NAMES
from .probing import PROBES, Probed, folds_of, probe, probed_rows
from .quality import measured

__all__ = ["check"]

LEVELS: tuple[tuple[float, Severity], ...] = ((0.6, "error"), (0.2, "warning"), (0.1, "note"))
"""Lower end of the interval above chance, over what is possible above it: AUROC 0.80, 0.60 and
0.55. Thirteen probes at 95 % would otherwise find chance in every third set."""
RANK = ("note", "warning", "error")
BINS = 24
METRICS = {"auroc": "AUROC", "balanced_accuracy": "balanced accuracy"}


def check(context: Context) -> list[Finding]:
    """Shortcuts: what predicts the label without the cell"""
    if measured(context) is None:
        return []
    rows = probed_rows(context)
    folds = folds_of(context, rows)
    findings = []
    probes = context.progress.track(PROBES.values(), "probing for shortcuts", len(PROBES))
    for one in probes if folds else ():
        found = probe(context, one, rows, folds)
        if found is None:
            continue
        severity = severity_of(found)
        if severity is not None:
            findings.append(_finding(context, found, severity))
    return findings


def severity_of(found: Probed) -> Severity | None:
    """From the interval's lower end; never more than the probe's worst."""
    for least, severity in LEVELS:
        if found.excess >= least:
            return RANK[min(RANK.index(severity), RANK.index(found.probe.worst))]  # type: ignore[return-value]
    return None


def _finding(context: Context, found: Probed, severity: Severity) -> Finding:
    estimate, probe = found.estimate, found.probe
    labels = context.manifest.column("label")[found.rows]
    groups = _groups_by_class(context, found)
    few = min(groups.values()) < ENOUGH_GROUPS
    return Finding(
        check="shortcuts",
        severity=severity,
        summary=(
            f"The class can be told from {probe.title}: {METRICS[found.metric]} "
            f"{estimate.value:.3f} "
            f"[{estimate.low:.3f}, {estimate.high:.3f}] on unseen groups, chance "
            f"{found.chance:.3g} ({counted(estimate.n, 'image')}, "
            f"{counted(estimate.groups, 'group')}"
            + (f", of one class only {min(groups.values())}: do not trust the interval" if few
               else "")
            + ")."
        ),
        evidence={
            "probe": probe.name,
            "metric": found.metric,
            "value": round(float(estimate.value or 0), 4),
            "low": round(float(estimate.low or 0), 4),
            "high": round(float(estimate.high or 0), 4),
            "chance": round(found.chance, 4),
            "images": estimate.n,
            "groups": estimate.groups,
            "groups_by_class": groups,
            "folds": found.folds,
            "measurements": [COLUMNS[name].title for name in probe.columns],
            "plot": plot_of(context, found, labels),
        },
        mend=probe.mend,
    )  # fmt: skip


def _groups_by_class(context: Context, found: Probed) -> dict[str, int]:
    table = context.manifest.table.iloc[found.rows]
    named = table["group"].where(table["group"] != "", table["image"])
    return {str(name): int(n) for name, n in named.groupby(table["label"]).nunique().items()}


def plot_of(context: Context, found: Probed, labels: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The most telling measurement by class, as numbers for ``figures.by_class``."""
    measurements = context.measurements
    assert measurements is not None
    column = COLUMNS[found.column]
    values = measurements[found.column][found.rows]
    names = sorted(set(labels))
    known = np.isfinite(values)
    plot: dict[str, Any] = {
        "measurement": column.title,
        "unit": column.unit,
        "missing": {name: int((~known & (labels == name)).sum()) for name in names},
    }
    if found.column == "file_format":
        present = [FORMAT_NAMES[int(code)] for code in np.unique(values[known])]
        return plot | {
            "categories": present,
            "counts": {
                name: [
                    int((values[labels == name] == FORMAT_NAMES.index(one)).sum())
                    for one in present
                ]
                for name in names
            },
        }
    # A few images far away would leave one bar for all others; they stand in the outer bins.
    low, high = np.percentile(values[known], [0.5, 99.5])
    if low == high:
        low, high = float(values[known].min()), float(values[known].max())
    if low == high:  # known or not is what differs
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    return plot | {
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "counts": {
            name: np.histogram(np.clip(values[known & (labels == name)], low, high), edges)[
                0
            ].tolist()
            for name in names
        },
    }
