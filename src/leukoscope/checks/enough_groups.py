"""Whether a number can be concluded from so many groups at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..counting import counted
from ..records.findings import Finding, Severity
from .context import Context

__all__ = ["check", "widest_wilson"]

FEW_GROUPS = 10
"""With fewer in a class a grouped interval cannot be trusted (house plan, §6)."""
FEW_IMAGES = 30
WIDE = 0.2
"""An interval wider than twenty points is worth a note."""
Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


def widest_wilson(number: int) -> tuple[float, float]:
    """The widest 95 % Wilson interval that ``number`` independent answers can give.

    That is the interval about a half: its half width is ``z / (2 sqrt(n + z²))`` (Wilson 1927,
    doi:10.1080/01621459.1927.10502953, with p = 1/2).

    Parameters
    ----------
    number
        Independent units, at least one. Images of one group are not independent of each other,
        so groups are counted: as if all images of a group were right or wrong together.

    Returns
    -------
    tuple
        Lower and upper end, in [0, 1].
    """
    half = Z95 / (2 * math.sqrt(number + Z95**2))
    return 0.5 - half, 0.5 + half


def check(context: Context) -> list[Finding]:
    """Too few images, subjects or groups to conclude from"""
    manifest = context.manifest
    labels = manifest.column("label")
    classes = sorted(set(labels) - {""})
    if not classes:
        return [
            Finding(
                check="enough-groups",
                severity="error",
                summary=f"None of the {counted(len(manifest), 'row')} has a label.",
                evidence={"rows": len(manifest)},
                mend="Add the labels; without them nothing can be trained or judged.",
            )
        ]
    findings = []
    if len(classes) == 1:
        findings.append(_one_class(classes[0], len(manifest)))
    findings += _few(context, classes)
    return findings


def _one_class(name: str, rows: int) -> Finding:
    return Finding(
        check="enough-groups",
        severity="error",
        summary=f"{counted(rows, 'row')}, all of class {name!r}: there is nothing to tell apart.",
        evidence={"classes": [name]},
        mend="Add images of another class.",
    )


def _few(context: Context, classes: list[str]) -> list[Finding]:
    """One finding about all classes, as severe as the worst of them."""
    manifest = context.manifest
    # Copies add no information of their own.
    original = manifest.column("parent") == ""
    counts = {name: _counted(context, original & (manifest.column("label") == name), name)
              for name in classes}  # fmt: skip
    severity = _severity(counts)
    if severity is None:
        return []
    named = ", ".join(
        f"{name}: {counted(of['images'], 'image')} of {counted(of['groups'], of['unit'])}"
        for name, of in counts.items()
    )
    inferred = "inferred" in set(manifest.column("group_source"))
    return [
        Finding(
            check="enough-groups",
            severity=severity,
            summary=(
                f"{named}. Tested on all of them, expect 95 % intervals as wide as "
                f"{_intervals(counts)}"
                + (" (groups are inferred; patients may be fewer)." if inferred else ".")
            ),
            evidence={
                "classes": counts,
                "groups_inferred": inferred,
                "interval": "Wilson, 95 %, at one half, one answer for each group",
            },
            mend=_mend(severity),
        )
    ]


def _intervals(counts: dict[str, dict[str, Any]]) -> str:
    """The widest interval of each class; of many classes that of the smallest."""
    chosen = list(counts)
    if len(chosen) > 2:
        chosen = sorted(chosen, key=lambda name: counts[name]["groups"])[:1]
    texts = []
    for name in chosen:
        low, high = counts[name]["widest_interval"]
        measure = counts[name]["measure"]
        of = f"the recall of {name}" if measure == "recall" else measure
        texts.append(f"{low:.2f} to {high:.2f} for {of}")
    return " and ".join(texts)


def _counted(context: Context, mine: Any, name: str) -> dict[str, Any]:
    manifest = context.manifest
    groups = manifest.column("group")[mine]
    subjects = set(manifest.column("subject")[mine]) - {""}
    known = bool(len(groups)) and bool((groups != "").all())
    number = len(set(groups)) if known else int(mine.sum())
    low, high = widest_wilson(max(1, number))
    facts: dict[str, Any] = {
        "images": int(mine.sum()),
        "subjects": len(subjects),
        "groups": number,
        "unit": "group" if known else "image",
        "measure": _measured(context, name),
        "widest_interval": [round(low, 4), round(high, 4)],
    }
    tested = _tested_groups(context, mine, groups if known else None)
    if tested:
        facts["fewest_test_groups"] = tested[0]
        interval = widest_wilson(max(1, tested[0]))
        facts["widest_test_interval"] = [round(end, 4) for end in interval]
    return facts


def _tested_groups(context: Context, mine: Any, groups: Any) -> list[int]:
    """For each fold the number of groups of the class in its test part, the fewest first."""
    manifest = context.manifest
    names = manifest.column("group") if groups is not None else np.array(manifest.keys, object)
    return sorted(
        len({names[row] for row, part in parts.items() if part == "test" and mine[row]})
        for _, parts in context.parts()
    )


def _measured(context: Context, name: str) -> str:
    """What a share of right answers within one class is called.

    Sensitivity and specificity need two classes of which one is known to be positive.
    """
    card = context.manifest.card
    meaning = {"blast": "blast", "normal": "normal"} | card.classes
    labelled = set(context.manifest.column("label")) - {""}
    positive = {card.positive} & labelled or {n for n in labelled if meaning.get(n) == "blast"}
    if len(labelled) > 2 or len(positive) != 1:
        return "recall"
    return "sensitivity" if name in positive else "specificity"


def _severity(counts: dict[str, dict[str, Any]]) -> Severity | None:
    groups = min(of["groups"] for of in counts.values())
    images = min(of["images"] for of in counts.values())
    low, high = widest_wilson(max(1, groups))
    if groups < 2:
        return "error"
    if groups < FEW_GROUPS or images < FEW_IMAGES:
        return "warning"
    return "note" if high - low > WIDE else None


def _mend(severity: Severity) -> str:
    if severity == "error":
        return "A class of one group cannot both train and test. Add subjects of that class."
    if severity == "warning":
        return (
            f"With fewer than {FEW_GROUPS} groups or {FEW_IMAGES} images in a class an interval "
            "cannot be trusted: add subjects, not images of the same ones."
        )
    return "State every figure with its interval and its number of groups; more subjects narrow it."
