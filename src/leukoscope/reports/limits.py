"""The limits that follow from the run itself; authors add those that software cannot know."""

from __future__ import annotations

from dataclasses import dataclass

from .numbers import counted, number, sentence
from .study import Shown, Study

__all__ = ["FEW_GROUPS", "Limit", "limits_of"]

FEW_GROUPS = 10
"""Fewer groups than this in a class: the interval cannot be trusted (house plan, §6)."""


@dataclass(frozen=True)
class Limit:
    """One limit: ``kind`` is its stable name, ``text`` one or two sentences."""

    kind: str
    text: str


def limits_of(study: Study) -> tuple[Limit, ...]:
    """All limits of all runs, each once, the gravest first.

    What the evaluation warns of stands beside the results and is not repeated here.
    """
    found: dict[tuple[str, str], Limit] = {}
    for limit in (
        *_of_study(study),
        *(limit for shown in study.shown for limit in _of_run(shown)),
        *_of_design(study),
    ):
        found.setdefault((limit.kind, limit.text), limit)
    order = {kind: place for place, kind in enumerate(ORDER)}
    return tuple(sorted(found.values(), key=lambda limit: order[limit.kind]))


ORDER = (
    "rendered",
    "no-leak-free",
    "checks",
    "groups-inferred",
    "few-groups",
    "not-only-editions",
    "one-data-set",
    "one-seed",
    "folds",
    "exclusions",
    "normal",
    "licence",
    "known-trap",
    "reference-standard",
)


def _of_study(study: Study) -> list[Limit]:
    limits = []
    if study.rendered:
        limits.append(
            Limit(
                "rendered",
                "The images are rendered: drawn by a program. No figure here says anything about "
                "patients; they show only that the method works as a method.",
            )
        )
    if all(shown.run.experiment.edition == "as-published" for shown in study.shown):
        limits.append(
            Limit(
                "no-leak-free",
                "Only the as-published edition was run. It may look better than it is; run the "
                "leak-free edition of the same experiment beside it.",
            )
        )
    for pair in study.pairs:
        if pair.other_differences:
            keys = ", ".join(pair.other_differences)
            limits.append(
                Limit(
                    "not-only-editions",
                    f"{pair.published.name} and {pair.leak_free.name} differ in more than their "
                    f"edition ({keys}): the gap between them is not the leak's alone.",
                )
            )
    return limits


def _of_run(shown: Shown) -> list[Limit]:
    run, limits = shown.run, []
    data, card = run.data, run.data.card
    errors = sum(finding.severity == "error" for finding in run.findings)
    if errors:
        limits.append(
            Limit(
                "checks",
                f"{shown.name}: the checks found {counted(errors, 'error')} in the data or the "
                "split; until they are mended the figures cannot be trusted.",
            )
        )
    if shown.inferred:
        note = sentence(str(card.get("group_note") or "")).removeprefix("Groups inferred: ")
        note = sentence(note or "nobody has published which images belong to one subject")
        how = "inferred" if run.split.groups == "inferred" else "not known"
        limits.append(
            Limit(
                "groups-inferred",
                f"Groups are {how}. {note} Images of one subject may stand on both sides of the "
                "split, and intervals may be too narrow.",
            )
        )
    if few := _few_groups(shown):
        limits.append(Limit("few-groups", few))
    left_out = data.rows - data.used
    if left_out:
        limits.append(
            Limit(
                "exclusions",
                f"{number(left_out)} of {counted(data.rows, 'row')} were left out; if they differ "
                "from the others, so would the result.",
            )
        )
    means = card.get("normal_means")
    limits.append(
        Limit(
            "normal",
            f"“Normal” means here: {means}. The result says nothing about other cells."
            if means
            else "The card does not say what “normal” means in this data set; the result is only "
            "about the cells that are in it.",
        )
    )
    if str(card.get("licence") or "unknown") == "unknown":
        limits.append(Limit("licence", "The licence of the images is unknown."))
    limits.extend(Limit("known-trap", sentence(str(note))) for note in card.get("notes") or ())
    return limits


def _few_groups(shown: Shown) -> str:
    table = shown.test.table
    few = [
        f"{name} ({number(groups)})"
        for name in shown.run.predictions.classes
        if (groups := int(table.loc[table["label"] == name, "group"].nunique())) < FEW_GROUPS
    ]
    if not few:
        return ""
    return (
        f"{shown.name}: fewer than {FEW_GROUPS} {shown.group_words} test "
        f"in {', '.join(few)}; the intervals cannot be trusted."
    )


def _of_design(study: Study) -> list[Limit]:
    limits = []
    kinds = {shown.run.split.kind for shown in study.shown}
    if kinds != {"lodo"}:
        limits.append(
            Limit(
                "one-data-set",
                "There is no external validation: training and test images come from the same "
                "data set, hence from the same stain, microscope and people.",
            )
        )
    seeds = {shown.run.experiment.seed for shown in study.shown}
    if len(seeds) == 1:
        limits.append(
            Limit(
                "one-seed",
                f"One seed was used ({seeds.pop()}); how much another would change the result is "
                "not known, and the intervals do not include it.",
            )
        )
    if any(len(shown.run.split.folds) > 1 for shown in study.shown):
        limits.append(
            Limit(
                "folds",
                "Each fold has a model of its own. The intervals describe these models on these "
                "groups, not one final model.",
            )
        )
    limits.append(
        Limit(
            "reference-standard",
            "The published classes are taken as the truth; how well annotators agree is not known "
            "to the run.",
        )
    )
    return limits
