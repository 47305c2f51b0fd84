"""Everything between decoded pixels and the network, the same in training and in inference.

Two halves. Up to the resize everything is 8-bit and goes into the pixel store: ``apply``. What
follows is arithmetic on batches: ``normalise`` scales and subtracts the mean image. What is fitted
is fitted once, on the images that are handed to ``fit``: the training part's, nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..errors import ImageError
from ..files import atomic_path, canonical_json, read_json, sha256_bytes, write_json
from .cells import crop_cell, crop_centre
from .filters import clahe, colour, gaussian, median, unsharp
from .resize import resize
from .stains import fit_macenko, fit_reinhard, macenko, reinhard
from .steps import (
    Clahe,
    Colour,
    CropCell,
    CropCentre,
    Gaussian,
    Macenko,
    Median,
    Reinhard,
    Resize,
    Step,
    Unsharp,
)

__all__ = [
    "Fitted",
    "Pipeline",
    "apply",
    "fit",
    "from_json",
    "normalise",
    "pipeline_load",
    "pipeline_save",
    "to_json",
]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Values = dict[str, np.ndarray[Any, np.dtype[np.float64]]]
Colour3 = tuple[float, float, float]

SCHEMA = 1
VERSION = 2
"""Raised when the same pipeline would give other pixels, so that stores are not mixed up."""
PIPELINE_FILE = "pipeline.json"
MEAN_IMAGE_FILE = "mean-image.npy"
_STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])


@dataclass(frozen=True)
class Fitted:
    """What ``fit`` found in the training images."""

    steps: Mapping[int, Values] = field(default_factory=dict)
    """Place of a fitted step in the order -> its values."""
    mean_image: Floats | None = None
    """Mean of the training images as stored, (size, size, 3), 0-255."""


@dataclass(frozen=True)
class Pipeline:
    """An ordered preprocessing; ``fitted`` is there once ``fit`` has seen the training images."""

    size: int
    """Side of the square result in pixels."""
    steps: tuple[Step, ...] = ()
    """In their order; the resize comes last unless a ``resize`` step says where."""
    scale: Literal["unit", "symmetric", "none", "standard"] = "unit"
    """``standard``: /255, then ``mean`` and ``std``, as pretrained weights want it."""
    subtract_mean_image: bool = False
    mean: Colour3 = (0.0, 0.0, 0.0)
    """Of red, green and blue in 0-1; for ``standard``."""
    std: Colour3 = (1.0, 1.0, 1.0)
    fitted: Fitted | None = None

    def __post_init__(self) -> None:
        resizes = [step for step in self.steps if isinstance(step, Resize)]
        if len(resizes) > 1:
            raise ImageError(f"preprocessing: {len(resizes)} resize steps; at most one was meant.")
        seen = False
        for step in self.steps:
            if seen and not isinstance(step, Resize | CropCentre | CropCell):
                raise ImageError(
                    f"preprocessing: step '{step.name}' comes after 'colour', but it works on RGB. "
                    "Put 'colour' after it."
                )
            if seen and isinstance(step, CropCell):
                raise ImageError(
                    "preprocessing: step 'crop-cell' comes after 'colour', but it works on RGB. "
                    "Put 'colour' after it."
                )
            if isinstance(step, CropCell | CropCentre) and self._after_resize(step):
                raise ImageError(
                    f"preprocessing: step '{step.name}' comes after 'resize'; what it leaves "
                    f"would no longer be {self.size} pixels wide. Put 'resize' after it."
                )
            seen = seen or isinstance(step, Colour)

    def _after_resize(self, step: Step) -> bool:
        kinds = [type(other) for other in self.steps]
        return Resize in kinds and self.steps.index(step) > kinds.index(Resize)

    @property
    def fitted_steps(self) -> tuple[int, ...]:
        """Places of the steps that are fitted."""
        fits = (Reinhard, Macenko)
        return tuple(i for i, step in enumerate(self.steps) if isinstance(step, fits))

    @property
    def needs_fit(self) -> bool:
        """Whether something is to be fitted and is not."""
        if self.fitted is None:
            return bool(self.fitted_steps) or self.subtract_mean_image
        return not self.stores or (self.subtract_mean_image and self.fitted.mean_image is None)

    @property
    def stores(self) -> bool:
        """Whether ``apply`` can work: every fitted step has its values."""
        known = {} if self.fitted is None else self.fitted.steps
        return all(place in known for place in self.fitted_steps)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the stored pixels: not the scale, not the mean image."""
        known = {} if self.fitted is None else self.fitted.steps
        table = {
            "version": VERSION,
            "size": self.size,
            "steps": [step.model_dump(mode="json") for step in self.steps],
            "fitted": {str(place): _listed(known[place]) for place in sorted(known)},
        }
        return sha256_bytes(canonical_json(table).encode())


def apply(pipeline: Pipeline, pixels: Pixels) -> Pixels:
    """Decoded RGB pixels (height, width, 3) as the store holds them, (size, size, 3).

    Raises
    ------
    ImageError
        When a step has to be fitted first.
    """
    if not pipeline.stores:
        names = ", ".join(pipeline.steps[place].name for place in pipeline.fitted_steps)
        raise ImageError(
            f"preprocessing: {names} must be fitted on training images before it is used. "
            "Call fit with the images of the training part."
        )
    return _through(pipeline, pixels, len(pipeline.steps), finish=True)


def fit(pipeline: Pipeline, images: Iterable[Pixels]) -> Pipeline:
    """The pipeline with its fitted values, from the decoded images of the training part.

    Every fitted step takes one pass over ``images``, behind the steps before it, and the mean
    image one more. A one-shot iterator is kept in memory only where more than one pass is made;
    hand over something that can be iterated again where the images are many.
    """
    passes = len(pipeline.fitted_steps) + pipeline.subtract_mean_image
    again = list(images) if passes > 1 and iter(images) is images else images
    current = replace(pipeline, fitted=Fitted())
    for place in pipeline.fitted_steps:
        step = current.steps[place]
        before = _each(current, again, place)
        if isinstance(step, Reinhard):
            values = fit_reinhard(before)
        else:
            assert isinstance(step, Macenko)
            values = fit_macenko(before, beta=step.beta, percentile=step.percentile)
        known = {} if current.fitted is None else dict(current.fitted.steps)
        current = replace(current, fitted=Fitted({**known, place: values}))
    if pipeline.subtract_mean_image:
        fitted = current.fitted or Fitted()
        mean = _mean_image(apply(current, image) for image in again)
        current = replace(current, fitted=Fitted(fitted.steps, mean))
    return current


def _each(pipeline: Pipeline, images: Iterable[Pixels], stop: int) -> Iterator[Pixels]:
    for image in images:
        yield _through(pipeline, image, stop, finish=False)


def _mean_image(images: Iterable[Pixels]) -> Floats:
    total: np.ndarray[Any, np.dtype[np.float64]] | None = None
    count = 0
    for image in images:
        total = image.astype(np.float64) if total is None else total + image
        count += 1
    if total is None:
        raise ImageError("preprocessing: there is no training image to take the mean image from.")
    return np.asarray((total / count).astype(np.float32))


def normalise(pipeline: Pipeline, batch: Pixels) -> Floats:
    """Stored pixels (n, size, size, 3) as the network sees them, float32.

    The mean image is subtracted from 0-255 values, before the scale (abed2022, section 4.3).
    """
    values = batch.astype(np.float32)
    if pipeline.subtract_mean_image:
        if pipeline.fitted is None or pipeline.fitted.mean_image is None:
            raise ImageError(
                "preprocessing: the mean image must be fitted on training images before it is "
                "used. Call fit with the images of the training part."
            )
        values -= pipeline.fitted.mean_image
    if pipeline.scale == "unit":
        values /= np.float32(255.0)
    elif pipeline.scale == "symmetric":
        values /= np.float32(127.5)
        if not pipeline.subtract_mean_image:  # which has put the middle at zero already
            values -= np.float32(1.0)
    elif pipeline.scale == "standard":
        if not pipeline.subtract_mean_image:
            values -= np.float32(255.0) * np.asarray(pipeline.mean, np.float32)
        values /= np.float32(255.0) * np.asarray(pipeline.std, np.float32)
    return values


def _through(pipeline: Pipeline, pixels: Pixels, stop: int, *, finish: bool) -> Pixels:
    """``pixels`` behind the first ``stop`` steps, and resized at the end if ``finish``."""
    resized = False
    for place, step in enumerate(pipeline.steps[:stop]):
        if isinstance(step, Resize):
            pixels = resize(pixels, (pipeline.size, pipeline.size), step.filter)
            resized = True
        elif place in pipeline.fitted_steps:
            assert pipeline.fitted is not None
            pixels = _apply_fitted(step, pixels, pipeline.fitted.steps[place])
        else:
            pixels = _PLAIN[type(step)](step, pixels)
    if finish and not resized:
        pixels = resize(pixels, (pipeline.size, pipeline.size))
    return pixels


def _apply_fitted(step: Step, pixels: Pixels, values: Values) -> Pixels:
    if isinstance(step, Macenko):
        return macenko(pixels, values, beta=step.beta, percentile=step.percentile)
    return reinhard(pixels, values)


_PLAIN: dict[type, Callable[[Any, Pixels], Pixels]] = {
    Median: lambda step, pixels: median(pixels, step.size),
    Gaussian: lambda step, pixels: gaussian(pixels, step.sigma),
    Unsharp: lambda step, pixels: unsharp(pixels, step.sigma, step.amount),
    Clahe: lambda step, pixels: clahe(pixels, step.clip, step.tiles),
    Colour: lambda step, pixels: colour(pixels, step.space),
    CropCell: lambda step, pixels: crop_cell(pixels, step.margin, step.square),
    CropCentre: lambda step, pixels: crop_centre(pixels, step.share),
}


def _listed(values: Values) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in sorted(values.items())}


def to_json(pipeline: Pipeline) -> dict[str, Any]:
    """The pipeline as JSON values, with its fitted steps; the mean image is an array apart."""
    known = {} if pipeline.fitted is None else pipeline.fitted.steps
    return {
        "schema": SCHEMA,
        "size": pipeline.size,
        "steps": [step.model_dump(mode="json") for step in pipeline.steps],
        "scale": pipeline.scale,
        "subtract_mean_image": pipeline.subtract_mean_image,
        "mean": list(pipeline.mean),
        "std": list(pipeline.std),
        "fitted": None
        if pipeline.fitted is None
        else {str(place): _listed(known[place]) for place in sorted(known)},
    }


def from_json(
    table: Mapping[str, Any], mean_image: Floats | None = None, *, where: str = "pipeline"
) -> Pipeline:
    """What ``to_json`` wrote, with the mean image if there is one.

    Raises
    ------
    ImageError
        When a key is missing or wrong.
    """
    try:
        found = table["fitted"]
        steps = {
            int(place): {name: np.asarray(value, np.float64) for name, value in values.items()}
            for place, values in (found or {}).items()
        }
        return Pipeline(
            size=int(table["size"]),
            steps=_STEPS.validate_python(tuple(table["steps"])),
            scale=table["scale"],
            subtract_mean_image=bool(table["subtract_mean_image"]),
            mean=_colour(table.get("mean", (0.0, 0.0, 0.0))),
            std=_colour(table.get("std", (1.0, 1.0, 1.0))),
            fitted=None if found is None else Fitted(steps, mean_image),
        )
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise ImageError(
            f"{where}: is no preprocessing that leukoscope wrote ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}). Make it again."
        ) from error


def _colour(values: Iterable[float]) -> Colour3:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def pipeline_save(pipeline: Pipeline, folder: Path) -> None:
    """Write ``pipeline.json`` and, where there is one, ``mean-image.npy`` beside it."""
    if pipeline.fitted is not None and pipeline.fitted.mean_image is not None:
        with atomic_path(folder / MEAN_IMAGE_FILE) as temporary, temporary.open("wb") as file:
            np.save(file, pipeline.fitted.mean_image, allow_pickle=False)
    write_json(folder / PIPELINE_FILE, to_json(pipeline))


def pipeline_load(folder: Path) -> Pipeline:
    """Read what ``pipeline_save`` wrote."""
    path = folder / PIPELINE_FILE
    table = read_json(path, what="preprocessing", schema=SCHEMA, error=ImageError)
    mean = None
    if table.get("subtract_mean_image") and table.get("fitted") is not None:
        try:
            mean = np.load(folder / MEAN_IMAGE_FILE, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ImageError(
                f"{folder / MEAN_IMAGE_FILE}: the mean image cannot be read ({error}). "
                "Train again, or restore the file."
            ) from error
    return from_json(table, mean, where=str(path))
