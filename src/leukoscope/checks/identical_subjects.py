"""One picture, two subjects: then the subjects are not independent."""

from __future__ import annotations

from ..counting import counted
from ..datasets.facts import components
from ..records.findings import Finding
from .context import Context, shown
from .identical_sets import conflicting, images_of, named

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """Identical pixels under different subjects"""
    manifest = context.manifest
    subjects = list(manifest.column("subject"))
    sets, found = conflicting(context, subjects)
    if not sets:
        return []
    tied: dict[tuple[str, str], int] = {}
    for a, b in found:
        both = (min(subjects[a], subjects[b]), max(subjects[a], subjects[b]))
        tied[both] = tied.get(both, 0) + 1
    groups = manifest.column("group")
    apart = sum(groups[a] != groups[b] or not groups[a] for a, b in found)
    every = sorted({subject for subject in subjects if subject})
    known = len(every)
    independent = len(set(components([*((one,) for one in every), *tied]).values()))
    names = [f"{a} and {b} ({n})" for (a, b), n in sorted(tied.items())]
    return [
        Finding(
            check="identical-subjects",
            severity="error" if apart else "warning",
            summary=(
                f"{counted(len(found), 'pair')} of images with identical pixels "
                f"{'is' if len(found) == 1 else 'are'} published under different subjects and "
                f"{'ties' if len(tied) == 1 else 'tie'} {counted(len(tied), 'pair')} of subjects: "
                f"{shown(names, 8)}. The {known:,} subjects are {independent:,} independent groups."
            ),
            evidence={
                "pairs": len(found),
                "subject_pairs": [[a, b, n] for (a, b), n in sorted(tied.items())],
                "subjects": known,
                "independent_groups": independent,
                "pairs_in_different_groups": apart,
                "groups": named(context, sets),
            },
            images=images_of(context, sets),
            mend=(
                "Join the tied subjects into one group before dividing: leukoscope data read and "
                "leukoscope split do it."
                if apart
                else "Nothing more to do for splits: the tied subjects are one group each here. "
                "Count groups, not subjects, wherever a number of patients is stated."
            ),
        )
    ]
