"""The worst errors, looked at: pictures where the images are at hand, names where they are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...evaluation.curves import worst_errors
from ...records.images import find_images
from ..pictures import thumbnail
from ..study import Shown, Study

__all__ = ["Confused", "ErrorsSection", "Hardest", "Wrong", "build"]

ERRORS_SHOWN = 18
LISTED = 8


@dataclass(frozen=True)
class Wrong:
    """One wrong answer."""

    row: str
    image: str
    subject: str
    label: str
    predicted: str
    probability: float
    uri: str | None
    alt: str


@dataclass(frozen=True)
class Confused:
    """How often one class was taken for another."""

    label: str
    predicted: str
    count: int
    of: int


@dataclass(frozen=True)
class Hardest:
    """A subject (or group) and how many of its images were wrong."""

    name: str
    wrong: int
    of: int


@dataclass(frozen=True)
class ErrorsSection:
    """Errors of the run that the report is headed by."""

    run: str
    edition: str
    wrong: int
    of: int
    confused: tuple[Confused, ...]
    hardest: tuple[Hardest, ...]
    unit: str
    worst: tuple[Wrong, ...]
    pictures: bool
    reason: str
    """Why there are no pictures; empty where there are."""
    several: bool


def build(study: Study) -> ErrorsSection:
    """Counts, confusions, hardest subjects and the surest wrong answers."""
    shown = study.lead
    table = shown.test.table
    wrong = table[table["label"] != table["predicted"]]
    unit = "subject" if bool((table["subject"] != "").any()) else "group"
    worst, pictures, reason = _worst(shown)
    return ErrorsSection(
        run=shown.name,
        edition=shown.run.edition,
        wrong=len(wrong),
        of=len(table),
        confused=_confused(shown),
        hardest=_hardest(shown, unit) if shown.run.predictions.groups_known else (),
        unit=unit if shown.run.split.groups == "published" else f"{shown.run.split.groups} {unit}",
        worst=worst,
        pictures=pictures,
        reason=reason,
        several=study.several,
    )


def _confused(shown: Shown) -> tuple[Confused, ...]:
    table = shown.test.table
    totals = Counter(table["label"])
    wrong = table[table["label"] != table["predicted"]]
    pairs = Counter(zip(wrong["label"], wrong["predicted"], strict=True))
    return tuple(
        Confused(label, predicted, count, totals[label])
        for (label, predicted), count in pairs.most_common(LISTED)
    )


def _hardest(shown: Shown, unit: str) -> tuple[Hardest, ...]:
    table = shown.test.table
    table = table[table[unit] != ""]
    wrong = (table["label"] != table["predicted"]).groupby(table[unit]).agg(["sum", "size"])
    wrong = wrong[wrong["sum"] > 0].assign(share=wrong["sum"] / wrong["size"])
    wrong = wrong.sort_values(["sum", "share"], ascending=False, kind="stable").head(LISTED)
    return tuple(
        Hardest(str(name), int(row["sum"]), int(row["size"])) for name, row in wrong.iterrows()
    )


def _worst(shown: Shown) -> tuple[tuple[Wrong, ...], bool, str]:
    cases = worst_errors(shown.test, count=ERRORS_SHOWN)
    gallery = find_images(shown.run)
    worst = []
    for case in cases:
        uri = thumbnail(gallery.folder, case.row) if gallery.folder is not None else None
        worst.append(
            Wrong(
                row=case.row,
                image=case.image,
                subject=case.subject,
                label=case.label,
                predicted=case.predicted,
                probability=case.probability,
                uri=uri,
                alt=f"Cell image {case.row}: labelled {case.label}, predicted {case.predicted} "
                f"with probability {case.probability:.2f}.",
            )
        )
    pictures = any(wrong.uri for wrong in worst)
    reason = ""
    if worst and not pictures:
        reason = gallery.reason or "the image files are not where the manifest says"
    return tuple(worst), pictures, reason
