"""Augmentation as data: what may be drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..schema import Record

__all__ = ["Augmentation"]


def _rising(values: tuple[float, float]) -> tuple[float, float]:
    """A range whose ends are in order."""
    low, high = values
    if low > high:
        raise ValueError(f"a range is (low, high), found low {low:g} above high {high:g}")
    return values


Probability = Annotated[float, Field(ge=0, le=1)]
Part = Annotated[float, Field(ge=0, lt=1)]
Factor = Annotated[float, Field(ge=0, le=10)]
Positive = Annotated[float, Field(gt=0, le=10)]
Share = Annotated[float, Field(gt=0, le=1)]
FactorRange = Annotated[tuple[Factor, Factor], AfterValidator(_rising)]
ZoomRange = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
ShareRange = Annotated[tuple[Share, Share], AfterValidator(_rising)]
Offset = Annotated[float, Field(ge=-1, le=1)]
OffsetRange = Annotated[tuple[Offset, Offset], AfterValidator(_rising)]


class Augmentation(Record):
    """What may be drawn for an image; the default changes nothing.

    Ranges are drawn from uniformly. Geometry becomes one affine map of each image, so that it is
    interpolated once; colours are changed after it, stain first, in the order of the fields.
    """

    flip_horizontal: Probability = 0.0
    """Probability of left and right exchanged."""
    flip_vertical: Probability = 0.0
    """Probability of top and bottom exchanged."""
    transpose: Probability = 0.0
    """Probability of rows and columns exchanged (abed2022 §4.5: uniform >= 0.75, so 0.25)."""
    quarter_turns: Probability = 0.0
    """Probability of a turn by 90, 180 or 270 degrees, each as likely."""
    rotation: float = Field(default=0.0, ge=0, le=180)
    """Degrees; drawn from [-rotation, rotation] (Keras's ``rotation_range``)."""
    shear: float = Field(default=0.0, ge=0, lt=90)
    """Degrees; drawn from [-shear, shear] (Keras's ``shear_range``)."""
    zoom: ZoomRange = (1.0, 1.0)
    """Magnification: 2 shows half the side at twice its size; one factor for both axes."""
    shift: Part = 0.0
    """Part of the side; drawn from [-shift, shift] for each axis."""
    crop: ShareRange = (1.0, 1.0)
    """Share of the side that a random crop keeps; what is kept fills the image again."""
    fill: Literal["nearest", "reflect", "constant"] = "nearest"
    """What lies outside of the image: the nearest pixel, the mirror image, or ``fill_value``."""
    fill_value: int = Field(default=0, ge=0, le=255)
    """The grey that ``fill = "constant"`` fills with."""
    stain: Part = 0.0
    """Concentrations of each stain are multiplied by a factor from [1 - stain, 1 + stain]."""
    stain_shift: Part = 0.0
    """And moved by an optical density from [-stain_shift, stain_shift]."""
    stain_space: Literal["hed", "giemsa"] = "hed"
    """Haematoxylin-eosin-DAB (Ruifrok 2001), or the eosin-azure axes of a Giemsa smear."""
    brightness: FactorRange = (1.0, 1.0)
    """Factor (Keras's ``brightness_range``)."""
    brightness_shift: OffsetRange = (0.0, 0.0)
    """Added to every channel, as a part of the full range (TensorFlow's ``adjust_brightness``)."""
    contrast: FactorRange = (1.0, 1.0)
    """Factor about the mean of each channel (TensorFlow's ``adjust_contrast``)."""
    saturation: FactorRange = (1.0, 1.0)
    """Factor on the saturation of HSV (TensorFlow's ``adjust_saturation``)."""
    hue: float = Field(default=0.0, ge=0, le=180)
    """Degrees; the hue is turned by an angle from [-hue, hue]."""
    colour_probability: Probability = 1.0
    """With this probability each colour change is made, decided for each change on its own."""

    @property
    def changes(self) -> bool:
        """Whether anything at all may be drawn."""
        return self.geometry or self.colours

    @property
    def geometry(self) -> bool:
        """Whether pixels may move."""
        moved = (
            self.flip_horizontal,
            self.flip_vertical,
            self.transpose,
            self.quarter_turns,
            self.rotation,
            self.shear,
            self.shift,
        )
        return any(moved) or self.zoom != (1.0, 1.0) or self.crop != (1.0, 1.0)

    @property
    def colours(self) -> bool:
        """Whether pixels may change their colour."""
        ranges = (self.brightness, self.contrast, self.saturation)
        changed = any(pair != (1.0, 1.0) for pair in ranges) or any(self.brightness_shift)
        return self.colour_probability > 0 and bool(
            changed or self.hue or self.stain or self.stain_shift
        )
