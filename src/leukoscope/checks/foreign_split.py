"""A split and a manifest that do not belong together."""

from __future__ import annotations

from ..records.findings import Finding
from .context import Context, shown

__all__ = ["check"]


def check(context: Context) -> list[Finding]:
    """A split of another manifest"""
    split = context.split
    if split is None:
        return []
    run = context.run
    made_of = split.manifest_sha256
    if run is not None and run.experiment.expand.before_split:
        # The split's own hash counts the copies too, which no manifest has.
        made_of = run.data.manifest_sha256
    if made_of == context.manifest.sha256:
        return []
    keys = {key for fold in split.folds for key in (*fold.train, *fold.validation, *fold.test)}
    unknown = sorted(keys - set(context.row_of))
    absent = f"; {len(unknown):,} of its {len(keys):,} rows are not in this one ({shown(unknown)})"
    return [
        Finding(
            check="foreign-split",
            severity="error",
            summary=(
                "The split was made of another manifest: rows, labels or groups differ"
                f"{absent if unknown else ', though it names the same rows'}."
            ),
            evidence={
                "split_manifest_sha256": made_of,
                "manifest_sha256": context.manifest.sha256,
                "rows_of_split": len(keys),
                "unknown_rows": len(unknown),
                "unknown": unknown[:50],
            },
            mend="Make the split again from this manifest: leukoscope split.",
        )
    ]
