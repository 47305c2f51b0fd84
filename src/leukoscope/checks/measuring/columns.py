"""The measurements of an image by name, what they are called and in which unit they are."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COLUMNS", "NAMES", "VERSION", "Column", "numbered"]

VERSION = 1
"""Counted up when a measurement changes its meaning, so that cached values are not believed."""


@dataclass(frozen=True)
class Column:
    """One measurement."""

    name: str
    title: str
    """As a reader is told."""
    unit: str = ""
    """Empty for a plain ratio or grey levels divided by 255."""
    by_name: bool = False
    """Whether it is of the file's name, not of its content."""


def _colours(where: str, title: str) -> tuple[Column, ...]:
    """Mean and standard deviation of the three channels of a part of the image."""
    return tuple(
        Column(f"{where}{channel}_{what}", f"{word} of {channel}{title}")
        for channel in ("red", "green", "blue")
        for what, word in (("mean", "mean"), ("sd", "standard deviation"))
    )


NUMBERS = 4
"""So many numbers of a file's name are looked at."""


def numbered(place: int) -> str:
    """The column of a file name's number, counted from 1."""
    return f"name_number_{place}"


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        # Of the file.
        Column("file_bytes", "size of the file", "bytes"),
        Column("file_format", "file format"),
        Column("jpeg_quality", "JPEG quality"),
        Column("jpeg_subsampling", "JPEG chroma subsampling"),
        Column("metadata_tags", "tags of camera, date or software"),
        Column("resolution_tag", "stated resolution", "dots per inch"),
        Column("colour_profile", "size of the colour profile", "bytes"),
        *(Column(numbered(n), f"number {n} of the file name", by_name=True)
          for n in range(1, NUMBERS + 1)),
        # Of the picture.
        Column("width_px", "width", "pixels"),
        Column("height_px", "height", "pixels"),
        Column("brightness_mean", "mean brightness"),
        Column("brightness_sd", "contrast (standard deviation of the brightness)"),
        Column("brightness_p5", "brightness of the darkest twentieth"),
        Column("brightness_p95", "brightness of the brightest twentieth"),
        *_colours("", ""),
        Column("saturation_mean", "mean colour saturation"),
        *_colours("border_", " in the border ring"),
        *_colours("background_", " in the background"),
        Column("object_area_px", "area of the object", "pixels"),
        Column("object_share", "share of the image that the object fills"),
        Column("dark_share", "share of the image that is dark"),
        Column("overexposed_share", "share of pixels that are white in every channel"),
        Column("cut_out_share", "share of the image that was cut out to black"),
        Column("blank_share", "share of the image that shows nothing"),
        Column("vignetting_ratio", "fall of the light from the middle to the corners"),
        Column("vignetting_fit", "share of the light's variation that the fall explains"),
        Column("sharpness", "fine detail over all detail, logarithm to base 10"),
        Column("spectrum_mean", "mean frequency of the detail", "cycles per pixel"),
        Column("spectrum_fall", "power of high over middle frequencies, logarithm to base 10"),
        Column("spectrum_end", "highest frequency that holds detail", "cycles per pixel"),
        Column("repeated_share", "share of rows and columns that repeat their neighbour"),
        Column("mark_share", "share of the image under burnt-in marks"),
        Column("mark_count", "burnt-in marks"),
        Column("mark_x", "place of the largest mark across", "widths"),
        Column("mark_y", "place of the largest mark down", "heights"),
    )
}  # fmt: skip
NAMES = tuple(name for name, column in COLUMNS.items() if not column.by_name)
"""What is measured of an image's content, in the order of the cached values."""
