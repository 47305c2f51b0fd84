"""``leukoscope data``: list, get, read, verify, render, expand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..counting import counted
from ..errors import ManifestError, suggestion
from ..files import verify_output
from .options import As, Json, Quiet, Seed, emit, progress

if TYPE_CHECKING:
    from ..datasets import Manifest
    from ..datasets.reading import Imported

__all__ = ["app"]

app = typer.Typer(
    help="Data sets: what there is, getting one, reading a folder, drawing one from a seed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
UNREADABLE = "unreadable images or folders"
ManifestOut = Annotated[Path, typer.Option("-o", "--out", metavar="M.csv", help="Where to write.")]


@app.command("list")
def list_sets(
    folder: Annotated[
        Path | None,
        typer.Option(help="Where data sets lie; without it $LEUKOSCOPE_DATA."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every data set that the five papers name: licence, size, subjects, and whether it is here.

    Example: leukoscope data list --folder ~/data
    """
    from ..datasets.catalogue import listing, render_listing

    entries = listing(folder)
    emit(entries, render_listing(entries), as_json)


@app.command("get")
def get_set(
    name: Annotated[str, typer.Argument(help="A name from: leukoscope data list.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where to put it.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download a data set where its licence allows; else say where to ask and where to put it.

    Example: leukoscope data get bccd -o ~/data/bccd
    """
    from ..datasets.download import get

    verify_output(out)
    folder = get(name, out, progress=progress(quiet))
    emit(
        {"name": name, "folder": str(folder)},
        f"{name} lies in {folder}\nnext: leukoscope data read {folder} -o {folder}/manifest.csv",
        as_json,
    )


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        column, mark, source = pair.partition("=")
        if not mark:
            raise ManifestError(f"--map {pair}: expected COLUMN=NAME, as in --map label=diagnosis.")
        mapping[column] = source
    return mapping


@app.command("read")
def read_set(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER…", help="One folder; several are joined.")
    ],
    out: ManifestOut,
    as_: As = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=NAME", help="With --as csv: whose column is ours."),
    ] = None,
    subject_pattern: Annotated[
        str,
        typer.Option(
            metavar="REGEX", help="With class folders: finds the subject in a path, group 1."
        ),
    ] = "",
    positive: Annotated[
        str | None,
        typer.Option(help="The positive class where it is not called blast (kept in the card)."),
    ] = None,
    duplicates: Annotated[
        bool, typer.Option(help="Join near-identical images into one group.")
    ] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read a folder of images into a manifest: labels, subjects, groups, hashes.

    The layout is recognised; --as names it. Unreadable images are left out and counted.

    Example: leukoscope data read ~/data/ALL-IDB2 -o allidb2.csv
    """
    from ..datasets import join, write_manifest
    from ..datasets.card import verify_replaceable
    from ..datasets.reading import read_folder
    from ..splits.grouping import group

    verify_output(out, suffixes=(".csv", ".parquet"), inputs=folders)
    verify_replaceable(out)
    work = progress(quiet)
    imported = [
        read_folder(
            folder,
            as_=as_,
            mapping=_mapping(maps or []),
            subject_pattern=subject_pattern,
            progress=work,
        )
        for folder in folders
    ]
    manifests = [item.manifest for item in imported]
    manifest = manifests[0] if len(manifests) == 1 else join(manifests)
    manifest = group(manifest, duplicates=duplicates, progress=work)
    if positive is not None:
        classes = sorted({*manifest.column("label"), "blast"} - {""})
        if positive not in classes:
            raise ManifestError(
                f"--positive {positive}: no such class. {suggestion(positive, classes)}"
            )
        manifest = manifest.with_card(positive=positive)
    write_manifest(manifest, out)
    value = _what_was_read(manifest, imported, out)
    emit(value, _as_text(value), as_json)


def _what_was_read(manifest: Manifest, imported: Sequence[Imported], out: Path) -> dict[str, Any]:
    """The outcome of ``data read`` for machines."""
    counts = manifest.table["label"].value_counts().sort_index()
    return {
        "recognised": [item.recognised for item in imported],
        "rows": len(manifest),
        "rendered": manifest.card.rendered,
        "classes": {str(label) or "(none)": int(n) for label, n in counts.items()},
        "positive": manifest.card.positive if _positive_known(manifest) else None,
        "groups": len(set(manifest.column("group"))),
        "group_source": (
            "inferred" if "inferred" in set(manifest.column("group_source")) else "published"
        ),
        "changed": dict(sum((Counter(item.changed) for item in imported), Counter[str]())),
        "failures": [list(failure) for item in imported for failure in item.failures],
        "passed_over": sum(len(item.passed_over) for item in imported),
        "manifest": str(out),
    }


def _positive_known(manifest: Manifest) -> bool:
    """Whether a label is the positive class, by its name or by what the card says it means."""
    labels = set(manifest.column("label")) - {""}
    return manifest.card.positive in labels or "blast" in manifest.binary_labels()


def _as_text(value: dict[str, Any]) -> str:
    """The outcome of ``data read`` for people."""
    from ..datasets.card import RENDERED_DATA

    failures, passed_over, out = value["failures"], value["passed_over"], value["manifest"]
    lines = [
        f"read as {', '.join(value['recognised'])}",
        f"{counted(value['rows'], 'row')}: "
        + ", ".join(f"{n} {x}" for x, n in value["classes"].items()),
        f"{counted(value['groups'], 'group')} ({value['group_source']})",
        *(f"{counted(n, 'image')}: {change}" for change, n in value["changed"].items()),
        *(f"left out: {image}: {reason}" for image, reason in failures[:5]),
        *(["…"] if len(failures) > 5 else []),
        f"{counted(len(failures), 'unreadable image or folder', UNREADABLE)} left out",
    ]
    if passed_over:
        lines.append(f"belonging to no row: {counted(passed_over, 'image')} of the folder")
    if value["positive"] is None:
        lines.append(
            f"no positive class is known among {', '.join(value['classes'])}: sensitivity and "
            "specificity need one. Name it: --positive CLASS (or in the card, as blast)."
        )
    if value["rendered"]:
        lines.append(RENDERED_DATA)
    lines += [
        f"written: {out} and {Path(out).with_suffix('.toml')}",
        f"next: leukoscope check {out}",
    ]
    return "\n".join(lines)


@app.command("verify")
def verify_set(
    manifest: Annotated[Path, typer.Argument(metavar="M.csv", help="A manifest.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compare a manifest with its files: what is missing, extra, unreadable or changed.

    Exit code 1 when something is. Example: leukoscope data verify allidb2.csv
    """
    from .. import api
    from ..datasets import read_manifest
    from ..datasets.card import RENDERED_DATA

    read = read_manifest(manifest)
    outcome = api.validate(read, progress=progress(quiet))
    parts = {
        "missing": outcome.missing,
        "extra": outcome.extra,
        "unreadable": outcome.unreadable,
        "changed": outcome.changed,
    }
    bad = sum(len(names) for names in parts.values())
    lines = [
        f"{word}: {name}" + (f": {outcome.reasons[name]}" if name in outcome.reasons else "")
        for word, names in parts.items()
        for name in names[:10]
    ]
    lines += [f"… {len(names)} {word} in all" for word, names in parts.items() if len(names) > 10]
    if outcome.published:
        lines.append(f"compared with the published hashes: {counted(outcome.published, 'file')}")
    verdict = "as it should be" if not bad else f"{counted(bad, 'file')} not as it should be"
    lines.append(f"{manifest}: {verdict}")
    if read.card.rendered:
        lines.append(RENDERED_DATA)
    emit({word: list(names) for word, names in parts.items()}, "\n".join(lines), as_json)
    return 1 if bad else 0


@app.command("render")
def render_set(
    name: Annotated[str, typer.Argument(help="rendered-cnmc, rendered-allidb2, … (see list).")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where to write.")],
    subjects: Annotated[int, typer.Option(help="How many subjects.")] = 40,
    images: Annotated[int, typer.Option(help="How many images in all.")] = 2000,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels; without it the real set's size.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw cells or fields from a seed, in the layout of a real data set, with exact truth.

    Example: leukoscope data render rendered-cnmc --images 400 --subjects 16 -o cells
    """
    from .. import api

    manifest = api.render(
        name, out, seed=seed, subjects=subjects, images=images, size=size, progress=progress(quiet)
    )
    emit(
        {"name": name, "rows": len(manifest), "folder": str(out), "rendered": True},
        f"rendered: {counted(len(manifest), 'image')} in {out} (drawn, not real)\n"
        f"next: leukoscope check {out}/manifest.csv",
        as_json,
    )


@app.command("expand")
def expand_set(
    manifest: Annotated[Path, typer.Argument(metavar="M.csv", help="A manifest.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where to write.")],
    factor: Annotated[int, typer.Option(help="Images after for one before.")] = 0,
    per_class: Annotated[int, typer.Option(help="Or: images of each class after.")] = 0,
    preset: Annotated[str, typer.Option(help="Which augmentation: a paper's name.")] = "abed2022",
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write augmented copies of a set; each carries its parent and stays in its group.

    Example: leukoscope data expand allidb2.csv --factor 8 -o allidb2-x8
    """
    from ..datasets import read_manifest
    from ..datasets.expansion import plan_copies, write_copies
    from ..images.augmentation import PRESETS

    verify_output(out)
    if preset not in PRESETS:
        raise ManifestError(f"--preset {preset}: unknown. {suggestion(preset, PRESETS)}")
    planned = plan_copies(read_manifest(manifest), factor=factor, per_class=per_class, seed=seed)
    written = write_copies(planned, PRESETS[preset], out, seed=seed, progress=progress(quiet))
    copies = int((written.table["parent"] != "").sum())
    emit(
        {"rows": len(written), "copies": copies, "folder": str(out)},
        f"{counted(copies, 'copy', 'copies')} of {counted(len(written) - copies, 'original')}: "
        f"{out}/manifest.csv\n"
        "next: leukoscope split keeps each copy with its parent",
        as_json,
    )
