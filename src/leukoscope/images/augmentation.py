"""Augmentation as data: what may be drawn, and the papers' own as presets.

``draw`` and ``apply`` make it happen, see ``draws``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..schema import Record

__all__ = ["PRESETS", "Augmentation"]


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
    """Haematoxylin-eosin-DAB (Ruifrok 2001), or methylene blue-eosin, a Giemsa smear's."""
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


PRESETS: dict[str, Augmentation] = {
    "flips": Augmentation(flip_horizontal=0.5, flip_vertical=0.5, quarter_turns=0.75),
    "varol2024": Augmentation(rotation=30, shear=0.2, brightness=(0.1, 1.0), fill="nearest"),
    "abed2022": Augmentation(
        flip_horizontal=0.5,
        flip_vertical=0.5,
        transpose=0.25,
        quarter_turns=0.75,
        saturation=(0.7, 1.3),
        contrast=(0.8, 1.2),
        brightness_shift=(-0.1, 0.1),
        colour_probability=0.6,
    ),
    "murtoza2023": Augmentation(
        flip_horizontal=0.5, flip_vertical=0.5, rotation=180, zoom=(0.8, 1.2), fill="reflect"
    ),
    "stain": Augmentation(
        flip_horizontal=0.5,
        flip_vertical=0.5,
        quarter_turns=0.75,
        stain=0.1,
        stain_shift=0.03,
        brightness=(0.95, 1.05),
    ),
}
"""Ready augmentations by name.

varol2024: section 2.3 with Keras's names, so the shear is 0.2 *degrees*; brightness only darkens.
abed2022: section 4.5; transposition where a uniform number is at least 0.75, the colour changes
each where one is at least 0.4, their ranges from the public recipe the paper resembles.
murtoza2023: rotation, flips, scaling without values in the paper; a cell has no upright, so all
angles. flips: what changes no pixel's colour and interpolates nothing. stain: Tellez 2018, light.
"""
