"""``data.json``: what was used, and what was not, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import RunError
from ..files import read_json
from ..records.run import DataSummary
from .folding import UNREADABLE, Plan

__all__ = ["summarise"]


def summarise(plan: Plan, failures: Sequence[tuple[str, str]]) -> DataSummary:
    """Count rows, classes and groups of the originals; copies are counted nowhere.

    Parameters
    ----------
    plan
        The run, with the note of unreadable rows in its folder.
    failures
        ``(image, reason)`` of images that were unreadable before there was a manifest.
    """
    task, manifest = plan.task, plan.task.manifest
    noted = read_json(plan.folder / UNREADABLE, what="note", schema=1, error=RunError)["rows"]
    divided = {
        key
        for fold in plan.split.folds
        for part in (fold.train, fold.validation, fold.test)
        for key in part
    }
    readable = np.array([key not in noted for key in manifest.keys])
    in_split = np.array([key in divided for key in manifest.keys])
    used = readable & in_split
    excluded = {
        **task.excluded,
        "unreadable": len(failures) + len(noted),
        "in no part of the split": int((readable & ~in_split).sum()),
    }
    labels, groups = manifest.column("label")[used], manifest.column("group")[used]
    card = manifest.card.model_dump(mode="json", by_alias=True, exclude={"root"})
    if task.positive is not None:
        card["positive"] = task.positive
    lines = [f"{image}: {reason}" for image, reason in (*failures, *noted.items())]
    return DataSummary(
        card=card,
        manifest_sha256=plan.manifest.sha256,
        rows=len(plan.manifest) + len(failures),
        used=int(used.sum()),
        excluded={reason: count for reason, count in excluded.items() if count},
        failures=tuple(lines[:20]),
        classes={name: int((labels == name).sum()) for name in task.classes},
        subjects=len(set(manifest.column("subject")[used]) - {""}),
        groups={name: len(set(groups[labels == name])) for name in task.classes},
        groups_total=len(set(groups)),
        groups_inferred=bool((manifest.column("group_source")[used] == "inferred").any()),
        rendered=manifest.card.rendered,
    )
