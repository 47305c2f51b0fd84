"""Preprocessing steps as data: each a name and its parameters, listed in their order.

In an experiment a step is a table, ``{name = "median", size = 3}``. What the steps do to pixels
is in ``filters``, ``cells`` and ``stains``; ``pipeline`` puts them in a row.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from ..schema import Record

__all__ = [
    "STEPS",
    "Clahe",
    "Colour",
    "CropCell",
    "CropCentre",
    "Gaussian",
    "Macenko",
    "Median",
    "Reinhard",
    "Resize",
    "Step",
    "Unsharp",
]


class Median(Record):
    """Median denoising in a square window."""

    name: Literal["median"] = "median"
    size: int = Field(default=3, ge=3, le=31)
    """Side of the window in pixels, odd."""

    @field_validator("size")
    @classmethod
    def _odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError("a median window has a middle pixel, so its side is odd")
        return size


class Gaussian(Record):
    """Gaussian denoising."""

    name: Literal["gaussian"] = "gaussian"
    sigma: float = Field(default=1.0, gt=0, le=50)
    """Standard deviation in pixels."""


class Unsharp(Record):
    """Edge enhancement: the difference from a blurred copy is added again."""

    name: Literal["unsharp"] = "unsharp"
    sigma: float = Field(default=2.0, gt=0, le=50)
    """Standard deviation of the blurred copy in pixels."""
    amount: float = Field(default=1.0, ge=0, le=10)
    """How much of the difference is added."""


class Clahe(Record):
    """Contrast-limited adaptive histogram equalisation of the lightness (CIELAB)."""

    name: Literal["clahe"] = "clahe"
    clip: float = Field(default=2.0, gt=0, le=100)
    """Limit of a bin as a multiple of the mean bin."""
    tiles: int = Field(default=8, ge=1, le=64)
    """Tiles along each side."""


class Colour(Record):
    """Another colour space, scaled to 0-255 in three channels; only as the last colour step."""

    name: Literal["colour"] = "colour"
    space: Literal["hsv", "lab", "ycrcb", "grey", "hed"] = "hsv"


class CropCell(Record):
    """Crop to the cell: the largest object in the foreground, with a margin around it."""

    name: Literal["crop-cell"] = "crop-cell"
    margin: float = Field(default=0.1, ge=0, le=2)
    """Margin on each side as a share of the object's longer side."""
    square: bool = True
    """Make the crop square, so that the resize keeps the cell's shape."""


class CropCentre(Record):
    """Crop to a centred square."""

    name: Literal["crop-centre"] = "crop-centre"
    share: float = Field(default=1.0, gt=0, le=1)
    """Side of the square as a share of the image's shorter side."""


class Reinhard(Record):
    """Stain normalisation of Reinhard 2001; fitted on the training images."""

    name: Literal["reinhard"] = "reinhard"


class Macenko(Record):
    """Stain normalisation of Macenko 2009; fitted on the training images."""

    name: Literal["macenko"] = "macenko"
    percentile: float = Field(default=1.0, ge=0, lt=50)
    """Angles and concentrations are read at this percentile and at 100 minus it."""
    beta: float = Field(default=0.15, gt=0, lt=2)
    """Pixels below this optical density are background."""


class Resize(Record):
    """Where in the order, and how, the image is brought to its size; last where not named."""

    name: Literal["resize"] = "resize"
    filter: Literal["bilinear", "bicubic", "lanczos", "area", "nearest"] = "bilinear"
    """All but ``nearest`` are antialiased; ``area`` is OpenCV's INTER_AREA (varol2024)."""


Step = Annotated[
    Median
    | Gaussian
    | Unsharp
    | Clahe
    | Colour
    | CropCell
    | CropCentre
    | Reinhard
    | Macenko
    | Resize,
    Field(discriminator="name"),
]
"""Any step; pydantic chooses the record by its ``name``."""

STEPS: dict[str, type[Record]] = {
    "median": Median,
    "gaussian": Gaussian,
    "unsharp": Unsharp,
    "clahe": Clahe,
    "colour": Colour,
    "crop-cell": CropCell,
    "crop-centre": CropCentre,
    "reinhard": Reinhard,
    "macenko": Macenko,
    "resize": Resize,
}
