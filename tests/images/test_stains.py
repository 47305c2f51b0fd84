"""Stain normalisation against known mixtures and scikit-image's colour conversions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import color

from leukoscope.errors import ImageError
from leukoscope.images.background import black, light, optical_density, stained
from leukoscope.images.stains import (
    HED,
    fit_macenko,
    fit_reinhard,
    from_density,
    macenko,
    reinhard,
    stain_axes,
)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
AXES = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])
AXES = AXES / np.linalg.norm(AXES, axis=1, keepdims=True)


def amounts(rng: np.random.Generator, side: int = 64) -> np.ndarray[Any, Any]:
    """Two stains: mostly mixtures, and pixels of each alone, as Macenko's method supposes."""
    made = rng.uniform(0.25, 1.0, (side * side, 2))
    made[: side * 8, 1] = 0.02
    made[side * 8 : side * 16, 0] = 0.02
    return made


def mixture(axes: np.ndarray[Any, Any], made: np.ndarray[Any, Any]) -> Pixels:
    side = int(np.sqrt(len(made)))
    return from_density(made @ axes).reshape(side, side, 3)


def angle(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def test_density_and_its_inverse() -> None:
    every = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    assert np.array_equal(from_density(optical_density(every).astype(np.float64)), every)
    assert optical_density(np.array([255], np.uint8)) == 0
    through = np.array([200.0, 190.0, 180.0], np.float32)
    back = from_density(optical_density(every, through).astype(np.float64), through)
    assert np.array_equal(back, every)


def test_macenko_finds_the_stains_of_a_mixture() -> None:
    found = stain_axes(
        optical_density(mixture(AXES, amounts(np.random.default_rng(0)))).reshape(-1, 3)
    )
    # 2 % of the other stain in the pure pixels turns the direction by about 1.5 degrees.
    assert angle(found[0], AXES[0]) < 3
    assert angle(found[1], AXES[1]) < 3


def test_macenko_brings_another_stain_and_strength_to_the_targets() -> None:
    rng = np.random.default_rng(1)
    made = amounts(rng)
    other = np.array([[0.55, 0.76, 0.35], [0.15, 0.95, 0.25]])
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    wanted = mixture(AXES, made)
    target = fit_macenko([wanted])
    brought = macenko(mixture(other, made * np.array([0.7, 1.3])), target)
    error = np.abs(brought.astype(int) - wanted)
    # Rounding to bytes and the 1 % that percentiles cut off: a few grey levels of 100 moved.
    assert error.mean() < 2.5
    assert np.abs(mixture(other, made * np.array([0.7, 1.3])).astype(int) - wanted).mean() > 10


def test_macenko_leaves_the_target_itself_as_it_is() -> None:
    image = mixture(AXES, amounts(np.random.default_rng(2)))
    again = macenko(image, fit_macenko([image]))
    assert np.abs(again.astype(int) - image).max() <= 2


def test_reinhard_equals_scikit_image() -> None:
    rng = np.random.default_rng(3)
    # Dense enough that every pixel counts as stained.
    image = mixture(AXES, amounts(rng) + 0.3)
    others = [mixture(AXES[::-1], amounts(rng) + 0.2), mixture(AXES, amounts(rng) * 0.8 + 0.3)]
    target = fit_reinhard(others)
    labs = [color.rgb2lab(other).reshape(-1, 3) for other in others]
    # OpenCV interpolates the cube root in a table: up to 0.1 of CIELAB's 100.
    assert np.allclose(target["mean"], np.mean([lab.mean(axis=0) for lab in labs], 0), atol=0.1)
    spread = np.mean([lab.std(axis=0) for lab in labs], axis=0)
    assert np.allclose(target["deviation"], spread, atol=0.1)

    lab = color.rgb2lab(image)
    mean, deviation = lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))
    moved = color.lab2rgb((lab - mean) / deviation * target["deviation"] + target["mean"])
    expected = np.rint(np.clip(moved, 0, 1) * 255)
    assert np.abs(reinhard(image, target).astype(int) - expected).max() <= 1


def framed(image: Pixels, value: int) -> Pixels:
    frame = np.full((image.shape[0] * 2, image.shape[1] * 2, 3), value, np.uint8)
    frame[: image.shape[0], : image.shape[1]] = image
    return frame


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_blank_background_count_nowhere_and_stay(value: int) -> None:
    rng = np.random.default_rng(4)
    image = mixture(AXES, amounts(rng))
    other = mixture(AXES, amounts(rng) * 0.7)
    for fit, apply in ((fit_reinhard, reinhard), (fit_macenko, macenko)):
        target = fit([other])
        framed_target = fit([framed(other, value)])
        for name in target:
            assert np.allclose(target[name], framed_target[name], atol=1e-9)
        result = apply(framed(image, value), target)
        assert np.array_equal(result[:64, :64], apply(image, target))
        assert (result[64:] == value).all()
        assert (result[:, 64:] == value).all()


def test_grey_light_of_a_smear_is_background_too() -> None:
    rng = np.random.default_rng(5)
    through = np.array([180.0, 175.0, 160.0], np.float32)
    blank = np.clip(rng.normal(through, 2, (128, 128, 3)), 0, 255).astype(np.uint8)
    cell = from_density(amounts(rng) @ AXES, through).reshape(64, 64, 3)
    smear = blank.copy()
    smear[32:96, 32:96] = cell
    assert np.abs(light(smear) - through).max() < 5
    found = stained(smear, light(smear))
    assert found[32:96, 32:96].mean() > 0.98
    assert found.sum() <= 64 * 64
    for fit, apply in ((fit_reinhard, reinhard), (fit_macenko, macenko)):
        target = fit([mixture(AXES, amounts(rng) * 0.6)])
        result = apply(smear, target)
        outside = np.ones((128, 128), bool)
        outside[32:96, 32:96] = False
        changed = np.abs(result.astype(int) - smear)
        assert changed[outside].mean() < 1
        assert changed[~outside].mean() > 5


def test_light_is_white_where_there_is_no_empty_slide() -> None:
    tissue = mixture(AXES, amounts(np.random.default_rng(6)))
    assert light(tissue).tolist() == [255, 255, 255]  # purple is no light
    assert light(framed(tissue, 0)).tolist() == [255, 255, 255]
    assert light(np.full((8, 8, 3), 60, np.uint8)).tolist() == [255, 255, 255]  # too dark


def test_black_is_only_what_is_black() -> None:
    pixels = np.array([[0, 0, 0], [10, 10, 10], [11, 0, 0], [30, 0, 60]], np.uint8)
    assert black(pixels).tolist() == [True, True, False, False]


def test_without_stain_an_image_is_left_and_nothing_can_be_fitted() -> None:
    empty = np.zeros((20, 20, 3), np.uint8)
    target = fit_reinhard([mixture(AXES, amounts(np.random.default_rng(7)))])
    assert reinhard(empty, target) is empty
    assert macenko(empty, {"axes": AXES, "high": np.ones(2)}) is empty
    for fit, name in ((fit_reinhard, "reinhard"), (fit_macenko, "macenko")):
        with pytest.raises(ImageError, match=f"{name}: none of the training images has 50"):
            fit([empty])


def test_one_stain_alone_takes_the_targets_axes() -> None:
    rng = np.random.default_rng(8)
    single = np.zeros((64 * 64, 2))
    single[:, 0] = rng.uniform(0.5, 1, 64 * 64)
    image = mixture(AXES, single)
    target = {"axes": AXES, "high": np.array([0.5, 0.5])}
    result = optical_density(macenko(image, target)).reshape(-1, 3).mean(axis=0)
    assert angle(result, AXES[0]) < 3


def test_the_axes_are_ruifroks() -> None:
    assert np.allclose(HED, color.rgb_from_hed, atol=6e-3)  # which are printed with two digits
