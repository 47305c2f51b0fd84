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
from .probing import PROBES, Probed, folds_of, p_by_permutation, probe, probed_rows
from .quality import measured

__all__ = ["check"]

LEVELS: tuple[tuple[float, Severity], ...] = ((0.6, "error"), (0.2, "warning"), (0.1, "note"))
"""Lower end of the interval above chance, over what is possible above it: AUROC 0.80, 0.60 and
0.55. Thirteen probes at 95 % would otherwise find chance in every third set."""
LIKELY = 0.6
"""Of few groups nothing is sure; a value (not its interval) this far above chance is still told,"""
BY_CHANCE = 0.02
"""if the labels, dealt anew to the groups, seldom differ as much: once in four sets for all
thirteen probes together."""
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
        elif _likely(found) and (p := p_by_permutation(context, found)) <= BY_CHANCE:
            findings.append(_finding(context, found, "note", p))
    return findings


def severity_of(found: Probed) -> Severity | None:
    """From the interval's lower end; never more than the probe's worst."""
    for least, severity in LEVELS:
        if found.excess >= least:
            return RANK[min(RANK.index(severity), RANK.index(found.probe.worst))]  # type: ignore[return-value]
    return None


def _likely(found: Probed) -> bool:
    """Whether there are too few groups to be sure of what looks like a shortcut."""
    value = found.estimate.value or 0.0
    far = value - found.chance >= LIKELY * (1 - found.chance)
    return far and min(found.groups.values()) < ENOUGH_GROUPS


def _finding(
    context: Context, found: Probed, severity: Severity, p: float | None = None
) -> Finding:
    """``p`` where the interval says nothing, and a permutation of the groups' labels does."""
    estimate, probe = found.estimate, found.probe
    labels = context.manifest.column("label")[found.rows]
    few = min(found.groups.values())
    standing = f"{counted(estimate.n, 'image')}, {counted(estimate.groups, 'group')}"
    if few < ENOUGH_GROUPS:
        standing += f", of one class only {few}: the interval cannot be trusted"
    told = "can" if p is None else "can perhaps"
    dealt = "" if p is None else f" Labels dealt to the groups by lot differ as much: p = {p:.3f}."
    interval = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return Finding(
        check="shortcuts",
        severity=severity,
        summary=(
            f"The class {told} be told from {probe.title}: {METRICS[found.metric]} "
            f"{estimate.value:.3f}{interval} on unseen groups, chance {found.chance:.3g} "
            f"({standing}).{dealt}"
        ),
        evidence={
            "probe": probe.name,
            "metric": found.metric,
            "value": round(float(estimate.value or 0), 4),
            "low": None if estimate.low is None else round(estimate.low, 4),
            "high": None if estimate.high is None else round(estimate.high, 4),
            "p_by_permutation": p,
            "chance": round(found.chance, 4),
            "images": estimate.n,
            "groups": estimate.groups,
            "groups_by_class": found.groups,
            "folds": found.folds,
            "measurements": [COLUMNS[name].title for name in probe.columns],
            "plot": plot_of(context, found, labels),
        },
        mend=probe.mend,
    )  # fmt: skip


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
