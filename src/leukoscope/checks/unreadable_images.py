"""Images that are not there or cannot be decoded."""

from __future__ import annotations

from pathlib import Path

from ..counting import counted
from ..errors import ImageError
from ..images.decode import decode, read_header
from ..records.findings import Finding
from .context import Context

__all__ = ["check"]

IMAGES_SHOWN = 200


def check(context: Context) -> list[Finding]:
    """Unreadable, empty, truncated or missing images

    What could not be read while the manifest was made is reported as it was. Of the manifest's
    own files each is looked for and its header read; pixels are decoded only where the manifest
    has no ``pixels_sha256``, because with one they were decoded when it was made.
    """
    missing, bad = _looked_at(context)
    manifest = context.manifest
    files = len(set(manifest.column("image")[manifest.column("parent") == ""]))
    findings = []
    if missing and len(missing) == files:
        findings.append(_not_at_hand(context, files))
    elif missing:
        findings.append(_missing(missing, files))
    seen = dict(context.failures)
    unreadable = [*context.failures, *((image, why) for image, why in bad if image not in seen)]
    if unreadable:
        findings.append(_unreadable(unreadable, files + len(seen)))
    return findings


def _looked_at(context: Context) -> tuple[list[str], list[tuple[str, str]]]:
    """Files of the manifest that are missing, and those that cannot be read with the reason."""
    manifest = context.manifest
    images, parents = manifest.column("image"), manifest.column("parent")
    decoded = dict(zip(images, manifest.column("pixels_sha256") != "", strict=True))
    # Augmented copies need no files: training makes them from their parents.
    copies = set(images[parents != ""])
    missing, bad = [], []
    files = context.progress.track(decoded.items(), "looking at files", len(decoded))
    for image, known in files:
        path = manifest.folder / image
        if not path.is_file():
            if image not in copies:
                missing.append(image)
            continue
        try:
            _read(path, pixels=not known)
        except ImageError as reason:
            bad.append((image, str(reason)))
    return missing, bad


def _read(path: Path, *, pixels: bool) -> None:
    if pixels:
        decode(path)
    else:
        read_header(path)


def _not_at_hand(context: Context, files: int) -> Finding:
    return Finding(
        check="unreadable-images",
        severity="warning",
        summary=(
            f"None of the {counted(files, 'image')} is at hand: names, labels and hashes were "
            "checked, pixels were not."
        ),
        evidence={"missing": files, "files": files},
        mend=(
            "Put the images where the manifest's card says (root) or write there where they are, "
            "then check again: nothing can be trained without them."
        ),
    )


def _missing(missing: list[str], files: int) -> Finding:
    return Finding(
        check="unreadable-images",
        severity="error",
        summary=f"{len(missing):,} of {counted(files, 'image')} of the manifest "
        f"{'is' if len(missing) == 1 else 'are'} missing on disk.",
        evidence={"missing": len(missing), "files": files, "names": missing[:50]},
        images=tuple(missing[:IMAGES_SHOWN]),
        mend=(
            "Bring the files back, or read the folder again without them: leukoscope data read. "
            "leukoscope data verify names every missing file."
        ),
    )


def _unreadable(bad: list[tuple[str, str]], files: int) -> Finding:
    kinds: dict[str, list[str]] = {}
    for image, reason in bad:
        kinds.setdefault(kind_of(reason), []).append(image)
    listed = ", ".join(f"{kind} {len(images)}" for kind, images in sorted(kinds.items()))
    return Finding(
        check="unreadable-images",
        severity="warning",
        summary=(
            f"{len(bad):,} of {counted(files, 'image')} cannot be read and "
            f"{'is' if len(bad) == 1 else 'are'} left out ({listed})."
        ),
        evidence={
            "unreadable": len(bad),
            "files": files,
            "kinds": {kind: len(images) for kind, images in sorted(kinds.items())},
            "reasons": dict(bad[:50]),
        },
        images=tuple(image for image, _ in bad)[:IMAGES_SHOWN],
        mend=(
            "Copy or download these files again. If they stay broken, state in the methods that "
            "they were left out, and how many of each class."
        ),
    )


KINDS = (
    ("empty", "0 bytes"),
    ("truncated", "truncated"),
    ("too large", "at most"),
    ("no image", "was found; one of"),
    ("missing", "no such file"),
)
"""Kinds of faults by words of the decoder's sentences."""


def kind_of(reason: str) -> str:
    """The kind of a fault: empty, truncated, too large, no image, missing, or damaged."""
    return next((kind for kind, words in KINDS if words in reason), "damaged")
