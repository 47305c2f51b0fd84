"""Rendering a whole data set into a folder, with its truth, its manifest and the marker."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tomli_w

from ...errors import ManifestError, StorageError, suggestion
from ...files import sha256_bytes, write_atomic
from ...images.decode import decode, pixels_sha256
from ...progress import Progress
from ..card import DatasetCard
from ..manifest import Manifest, manifest_from_rows, write_manifest
from .layouts import allidb, cnmc, pcam, snam, taleghani
from .layouts.layout import Layout
from .plan import Picture, Plan

__all__ = ["LAYOUTS", "MARKER", "VERSION", "render_dataset"]

LAYOUTS = MappingProxyType(
    {
        "rendered-cnmc": cnmc.LAYOUT,
        "rendered-allidb1": allidb.FIELDS,
        "rendered-allidb2": allidb.CROPS,
        "rendered-taleghani": taleghani.LAYOUT,
        "rendered-pcam": pcam.LAYOUT,
        "rendered-snam": snam.LAYOUT,
    }
)
"""Every data set that can be rendered; a new one is one file in ``layouts`` and one line here."""

MARKER = "rendered.toml"
VERSION = 2
"""Of the drawing: raised when the same seed gives other pictures."""
SMALLEST = 16
"""Pixels: below this there is nothing to be seen of a cell."""
JPEG_QUALITY = 92


def render_dataset(
    name: str,
    folder: Path,
    *,
    seed: int = 0,
    subjects: int = 40,
    images: int = 2000,
    size: int | None = None,
    progress: Progress = Progress(quiet=True),  # noqa: B008
) -> Manifest:
    """Draw a data set from a seed into an empty or absent folder.

    Written are the images in the real set's layout, ``truth.csv`` (a row an image: label,
    subject, part, masks), ``truth-cells.csv`` (a row a cell: kind and box), masks
    ``truth/<stem>.cells.png`` and ``.nuclei.png`` (16 bit, pixel value = cell number),
    ``manifest.csv`` with its card, and last the marker ``rendered.toml``. The same arguments
    give the same bytes.

    Parameters
    ----------
    name
        A key of ``LAYOUTS``.
    subjects
        How many; half of them patients where the set has two classes.
    images
        How many in all, each class with its share exactly.
    size
        Width in pixels, smaller than the real one; None for the real size.

    Raises
    ------
    ManifestError
        When the name is unknown, a number is too small, or the folder is not empty.
    StorageError
        When the disk is full or the folder cannot be written.
    MissingExtraError
        When ``rendered-pcam`` is asked for without h5py.
    """
    layout = _verify(name, folder, seed, subjects, images, size)
    plan = Plan(name, seed, subjects, images, size)
    rows: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for picture in progress.track(layout.draw(plan), f"drawing {name}", images):
        digests = _write(folder, picture)
        rows.append(_row(name, picture, *digests))
        truth.append(_truth(picture))
        cells += _cells(picture)
    if layout.finish is not None:
        layout.finish(folder, [(row["image"], row["subject"]) for row in truth])
    write_atomic(folder / "truth.csv", _csv(truth))
    if cells:
        write_atomic(folder / "truth-cells.csv", _csv(cells))
    manifest = manifest_from_rows(rows, _card(name, layout, plan), folder)
    write_manifest(manifest, folder / "manifest.csv")
    marker = {
        "schema": 1,
        "name": name,
        "version": VERSION,
        "seed": seed,
        "subjects": subjects,
        "images": images,
        "size": size or layout.size[0],
        "truth": "truth.csv",
        "note": "Drawn by leukoscope, not real: nothing here says anything about patients.",
    }
    write_atomic(folder / MARKER, tomli_w.dumps(marker))
    return manifest


def _verify(
    name: str, folder: Path, seed: int, subjects: int, images: int, size: int | None
) -> Layout:
    if name not in LAYOUTS:
        raise ManifestError(
            f"'{name}' is no data set that can be rendered. {suggestion(name, LAYOUTS)}"
        )
    layout = LAYOUTS[name]
    if seed < 0:
        raise ManifestError(f"{name}: seed is {seed}; a whole number from 0 was expected.")
    if subjects < layout.fewest_subjects:
        raise ManifestError(
            f"{name}: {subjects} subjects; at least {layout.fewest_subjects} are needed, "
            "one of each class."
        )
    if images < subjects:
        raise ManifestError(
            f"{name}: {images} images of {subjects} subjects; every subject needs at least one."
        )
    if size is not None and not SMALLEST <= size <= layout.size[0]:
        raise ManifestError(
            f"{name}: size is {size}; expected {SMALLEST} to {layout.size[0]} pixels "
            "(the real width)."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ManifestError(
            f"{folder}: is not empty. A rendered set has a folder of its own: choose another one."
        )
    return layout


def _write(folder: Path, picture: Picture) -> tuple[str, str]:
    """Write a picture and what lies beside it; the hashes of its bytes and of its pixels."""
    data = encode(picture.path, picture.pixels)
    _put(folder / picture.path, data)
    for path, content in picture.beside.items():
        _put(folder / path, content.encode() if isinstance(content, str) else encode(path, content))
    for mask, what in ((picture.cells, "cells"), (picture.nuclei, "nuclei")):
        if mask is not None:
            _put(folder / f"{picture.masks}.{what}.png", encode(".png", mask))
    # What JPEG keeps of a picture is known only after decoding it.
    kept = decode(data).pixels if picture.path.endswith(".jpg") else picture.pixels
    return sha256_bytes(data), pixels_sha256(kept)


def encode(path: str, pixels: npt.NDArray[Any]) -> bytes:
    """The bytes of an image file; the suffix of ``path`` says which format."""
    if pixels.ndim == 3:
        pixels = np.ascontiguousarray(pixels[..., ::-1])
    suffix = Path(path).suffix or path
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 2],
        ".tif": [cv2.IMWRITE_TIFF_COMPRESSION, 1],
    }
    _, data = cv2.imencode(suffix, pixels, options.get(suffix, []))
    return bytes(data)


def _put(path: Path, data: bytes) -> None:
    """Write one of very many files; the marker, written last, says that the set is whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror}). "
            "Free some space or choose another folder."
        ) from error


def _row(name: str, picture: Picture, sha256: str, pixels_sha256: str) -> dict[str, Any]:
    subject = f"{name}:{picture.subject}"
    return {
        "image": picture.path,
        "label": picture.label,
        "source_label": picture.source_label,
        "subject": subject,
        "group": subject,
        "group_source": "published",
        "dataset": name,
        "official_split": picture.official_split,
        "sha256": sha256,
        "pixels_sha256": pixels_sha256,
    }


def _truth(picture: Picture) -> dict[str, Any]:
    height, width = picture.pixels.shape[:2]
    return {
        "image": picture.path,
        "label": picture.label,
        "subject": picture.subject,
        "official_split": picture.official_split,
        "width_px": width,
        "height_px": height,
        "cells": len(picture.truth),
        "masks": picture.masks,
    }


def _cells(picture: Picture) -> Iterator[dict[str, Any]]:
    for cell in picture.truth:
        x0, y0, x1, y1 = cell.box
        inside = (slice(y0, y1), slice(x0, x1))
        areas = {
            f"{what}_area_px": 0 if mask is None else int((mask[inside] == cell.number).sum())
            for what, mask in (("cell", picture.cells), ("nucleus", picture.nuclei))
        }
        yield {
            "image": picture.path,
            "cell": cell.number,
            "kind": cell.kind,
            "x0": x0,
            "y0": y0,
            "x1": x1,
            "y1": y1,
            **areas,
        }


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _card(name: str, layout: Layout, plan: Plan) -> DatasetCard:
    ratio = (plan.size or layout.size[0]) / layout.size[0]
    size = (round(layout.size[0] * ratio), round(layout.size[1] * ratio))
    return DatasetCard(
        name=name,
        title=layout.title,
        classes=layout.classes,
        positive=layout.positive,
        normal_means=layout.normal_means,
        licence="drawn by leukoscope, no rights reserved",
        subject_is="a rendered subject: a stain, a light, a focus, a magnification, a morphology",
        image_size=None if name == "rendered-allidb1" else size,
        um_per_pixel=layout.um_per_pixel and round(layout.um_per_pixel / ratio, 5),
        rendered=True,
        notes=(
            f"Rendered from seed {plan.seed}: no figure from it says anything about patients.",
            *layout.notes,
        ),
    )
