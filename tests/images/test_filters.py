"""Filters and colour spaces against SciPy, scikit-image and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import color

from leukoscope.images.filters import clahe, colour, gaussian, median, unsharp

RNG = np.random.default_rng(11)
NOISE = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
SMOOTH = np.asarray(Image.fromarray(NOISE[:10, :10]).resize((60, 60), 3))


@pytest.mark.parametrize("size", [3, 5, 9])
def test_median_is_scipys(size: int) -> None:
    expected = ndimage.median_filter(NOISE, (size, size, 1), mode="nearest")
    assert np.array_equal(median(NOISE, size), expected)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_gaussian_is_scipys(sigma: float) -> None:
    blurred = ndimage.gaussian_filter(NOISE.astype(float), (sigma, sigma, 0), mode="reflect")
    # OpenCV's bytes are filtered with taps of 1/256: up to two grey levels.
    assert np.abs(gaussian(NOISE, sigma) - blurred).max() <= 2


def test_unsharp_is_the_difference_added_again() -> None:
    values = SMOOTH.astype(float)
    blurred = ndimage.gaussian_filter(values, (2, 2, 0), mode="reflect")
    expected = np.clip(values + 1.5 * (values - blurred), 0, 255)
    assert np.abs(unsharp(SMOOTH, 2.0, 1.5) - expected).max() <= 1
    assert np.array_equal(unsharp(SMOOTH, 2.0, 0.0), SMOOTH)


def test_clahe_raises_contrast_within_its_limit_and_keeps_colour() -> None:
    flat = (100 + (SMOOTH // 12)).astype(np.uint8)
    more = clahe(flat, 4.0, 4)
    before, after = color.rgb2lab(flat), color.rgb2lab(more)
    assert after[..., 0].std() > 1.5 * before[..., 0].std()
    assert np.abs(after[..., 1:] - before[..., 1:]).mean() < 1.5
    gentle = color.rgb2lab(clahe(flat, 0.5, 4))[..., 0].std()
    assert gentle < after[..., 0].std()


def test_hsv_and_lab_and_grey_are_the_known_ones() -> None:
    hsv = colour(SMOOTH, "hsv")
    expected = color.rgb2hsv(SMOOTH) * 255
    turn = np.abs(hsv[..., 0] - expected[..., 0])
    coloured = expected[..., 1] > 40  # the hue of grey is anybody's
    assert np.minimum(turn, 255 - turn)[coloured].max() <= 3
    assert np.abs(hsv[..., 1:] - expected[..., 1:]).max() <= 1
    lab = colour(SMOOTH, "lab")
    expected = color.rgb2lab(SMOOTH) * [255 / 100, 1, 1] + [0, 128, 128]
    assert np.abs(lab - expected).max() <= 2
    grey = colour(SMOOTH, "grey")
    assert (
        np.abs(grey[..., 0].astype(int) - np.asarray(Image.fromarray(SMOOTH).convert("L"))).max()
        <= 1
    )
    assert (grey == grey[..., :1]).all()
    ycrcb = colour(SMOOTH, "ycrcb")[..., [0, 2, 1]]
    assert (
        np.abs(ycrcb.astype(int) - np.asarray(Image.fromarray(SMOOTH).convert("YCbCr"))).max() <= 1
    )


def test_hed_is_scikit_images_up_to_its_unit() -> None:
    # scikit-image's concentrations are densities in units of ln(1e6) on unnormalised axes.
    pixels = np.clip(SMOOTH, 3, 255)
    expected = color.rgb2hed(pixels)
    ours = colour(pixels, "hed")
    for stain in range(3):
        strong = (expected[..., stain] > 0.01) & (ours[..., stain] > 5) & (ours[..., stain] < 250)
        if strong.sum() < 50:
            continue
        assert np.corrcoef(ours[..., stain][strong], expected[..., stain][strong])[0, 1] > 0.99
