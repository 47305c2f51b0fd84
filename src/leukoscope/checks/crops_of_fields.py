"""Cells beside the fields that they were cut from."""

from __future__ import annotations

from ..counting import counted
from ..records.findings import Finding
from .context import Context

__all__ = ["check"]

SHOWN = 200


def check(context: Context) -> list[Finding]:
    """Images that were cut from larger images of the same collection

    Every place was confirmed on its pixels (``splits.crops``). It is a note where the groups keep
    a crop and its field together, and a warning where they do not.
    """
    crops = context.compared.crops if context.compared else ()
    if not crops:
        return []
    manifest = context.manifest
    groups, images = manifest.column("group"), manifest.column("image")
    rows = [(context.row_of[crop], context.row_of[field]) for crop, field, *_ in crops]
    apart = sum(groups[a] != groups[b] or not groups[a] for a, b in rows)
    fields = len({field for _, field in rows})
    kept = "each in the group of its field" if not apart else f"{apart:,} not in its field's group"
    return [
        Finding(
            check="crops-of-fields",
            severity="warning" if apart else "note",
            summary=(
                f"{counted(len(crops), 'image')} {'was' if len(crops) == 1 else 'were'} cut from "
                f"{counted(fields, 'larger image')} of the same collection, {kept}."
            ),
            evidence={
                "crops": len(crops),
                "fields": fields,
                "crops_in_another_group": apart,
                "places": [[crop, field, x, y, round(fit, 4)] for crop, field, x, y, fit in crops][
                    :SHOWN
                ],
            },
            images=tuple(str(images[row]) for pair in rows for row in pair)[:SHOWN],
            mend=(
                "Make the groups anew, so that no split separates them: empty the manifest's "
                "group column, then leukoscope split --group-duplicates."
                if apart
                else "Nothing to do for splits: they never cut a group. Train on the crops or on "
                "the fields, not on both as if they were different cells."
            ),
        )
    ]
