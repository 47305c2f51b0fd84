"""Draws and their application, against Keras, SciPy, scikit-image and Pillow."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from scipy import ndimage
from skimage import color

from leukoscope.images.augmentation import PRESETS, Augmentation
from leukoscope.images.draws import apply, draw
from leukoscope.images.recolour import STAIN_SPACES

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
RNG = np.random.default_rng(21)
NOISE = RNG.integers(11, 256, (33, 33, 3), dtype=np.uint8)
SMOOTH = np.asarray(Image.fromarray(NOISE[:6, :6]).resize((48, 48), 3))
SMOOTH = np.maximum(SMOOTH, 12)


def augmented(image: Pixels, n: int = 1, seed: int = 0, **ranges: Any) -> Pixels:
    draws = draw(Augmentation(**ranges), n, image.shape[:2], np.random.default_rng(seed))
    return apply(draws, np.repeat(image[None], n, axis=0))


def test_nothing_asked_for_nothing_drawn_and_nothing_changed() -> None:
    rng = np.random.default_rng(0)
    draws = draw(Augmentation(), 3, (33, 33), rng)
    assert not draws.moves
    assert not draws.stains
    batch = np.repeat(NOISE[None], 3, axis=0)
    assert np.array_equal(apply(draws, batch), batch)
    assert rng.random() == np.random.default_rng(0).random()


def test_flips_transpositions_and_quarter_turns_are_exact_and_all_occur() -> None:
    whole = [np.rot90(side, k) for side in (NOISE, NOISE.transpose(1, 0, 2)) for k in range(4)]
    known = {np.ascontiguousarray(image).tobytes() for image in whole}
    found = augmented(NOISE, 200, transpose=0.5, quarter_turns=0.75, flip_vertical=0.5)
    assert {image.tobytes() for image in found} == known


@pytest.mark.parametrize(
    ("ranges", "image"),
    [
        ({"flip_horizontal": 1.0}, NOISE[:, ::-1]),
        ({"flip_vertical": 1.0}, NOISE[::-1]),
        ({"transpose": 1.0}, NOISE.transpose(1, 0, 2)),
    ],
)
def test_each_flip_is_its_own(ranges: dict[str, float], image: Pixels) -> None:
    assert np.array_equal(augmented(NOISE, **ranges)[0], image)


def test_probabilities_are_kept() -> None:
    draws = draw(Augmentation(transpose=0.25), 4000, (8, 8), np.random.default_rng(1))
    share = (draws.affine[:, 0, 0] == 0).mean()
    assert abs(share - 0.25) < 0.03  # four standard errors


def test_rotation_shear_zoom_and_shift_are_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    transform = keras.src.legacy.preprocessing.image.apply_affine_transform
    draws = draw(
        Augmentation(rotation=40, shear=25, zoom=(0.7, 1.4), shift=0.2),
        6,
        SMOOTH.shape[:2],
        np.random.default_rng(5),
    )
    rng = np.random.default_rng(5)  # the same numbers, in the order of ``draw``
    zoom = rng.uniform(0.7, 1.4, 6)
    shear = rng.uniform(-25, 25, 6)
    shift = rng.uniform(-0.2, 0.2, (6, 2)) * 48
    theta = rng.uniform(-40, 40, 6)
    ours = apply(draws, np.repeat(SMOOTH[None], 6, axis=0))
    for k in range(6):
        theirs = transform(
            SMOOTH.astype(float), theta[k], shift[k, 0], shift[k, 1], shear[k],
            1 / zoom[k], 1 / zoom[k], row_axis=0, col_axis=1, channel_axis=2, order=1,
        )  # fmt: skip
        error = np.abs(ours[k].astype(float) - theirs)
        # Rounding, and coordinates in whole 32nds of a pixel in some releases of OpenCV.
        assert error.mean() < 0.5
        assert error.max() <= 4


@pytest.mark.parametrize(("fill", "mode"), [("nearest", "nearest"), ("reflect", "reflect")])
def test_the_map_is_applied_as_scipy_does(fill: Any, mode: str) -> None:
    draws = draw(
        Augmentation(rotation=180, shear=30, zoom=(0.5, 1.5), shift=0.3, crop=(0.6, 1), fill=fill),
        8,
        SMOOTH.shape[:2],
        np.random.default_rng(2),
    )
    ours = apply(draws, np.repeat(SMOOTH[None], 8, axis=0))
    for k, affine in enumerate(draws.affine):
        matrix = affine[::-1, 1::-1]
        for channel in range(3):
            theirs = ndimage.affine_transform(
                SMOOTH[..., channel].astype(float), matrix, affine[::-1, 2], order=1, mode=mode
            )
            # Coordinates in whole 32nds of a pixel in some releases of OpenCV.
            assert np.abs(ours[k, ..., channel] - theirs).max() <= 4


def test_constant_fill() -> None:
    image = np.full((20, 20, 3), 200, np.uint8)
    small = augmented(image, zoom=(0.5, 0.5), fill="constant", fill_value=7)[0]
    assert (small[:4] == 7).all()
    assert (small[8:12, 8:12] == 200).all()


def test_a_random_crop_is_a_part_of_the_image_enlarged() -> None:
    ramp = np.repeat(np.arange(100, dtype=np.uint8)[None, :, None] + 50, 100, 0).repeat(3, 2)
    seen = set()
    for image in augmented(ramp, 50, crop=(0.5, 0.5)):
        low, high = int(image[0, 0, 0]), int(image[0, -1, 0])
        assert high - low == pytest.approx(49.5, abs=1)
        assert 50 <= low <= 100
        seen.add(low)
    assert len(seen) > 15


def test_brightness_is_pillows_as_keras_uses_it() -> None:
    draws = draw(Augmentation(brightness=(0.1, 1.0)), 5, (48, 48), np.random.default_rng(3))
    ours = apply(draws, np.repeat(SMOOTH[None], 5, axis=0))
    for k, factor in enumerate(draws.brightness):
        theirs = np.asarray(ImageEnhance.Brightness(Image.fromarray(SMOOTH)).enhance(factor))
        assert np.abs(ours[k].astype(int) - theirs).max() <= 1


def test_brightness_shift_and_contrast_are_tensorflows() -> None:
    draws = draw(
        Augmentation(brightness_shift=(-0.1, 0.1), contrast=(0.5, 1.5)),
        5,
        (48, 48),
        np.random.default_rng(4),
    )
    ours = apply(draws, np.repeat(SMOOTH[None], 5, axis=0))
    for k in range(5):
        # tf.image.adjust_brightness adds delta; adjust_contrast: (x - mean) * factor + mean
        values = np.clip(SMOOTH + 255.0 * draws.brightness_shift[k], 0, 255)
        mean = values.mean(axis=(0, 1))
        expected = np.clip((values - mean) * draws.contrast[k] + mean, 0, 255)
        assert np.abs(ours[k] - expected).max() <= 0.51


def test_saturation_and_hue_are_those_of_hsv() -> None:
    draws = draw(Augmentation(saturation=(0.3, 2.5), hue=90), 3, (48, 48), np.random.default_rng(6))
    ours = apply(draws, np.repeat(SMOOTH[None], 3, axis=0))
    for k in range(3):
        for row, column in RNG.integers(0, 48, (60, 2)):
            h, s, v = colorsys.rgb_to_hsv(*(SMOOTH[row, column] / 255.0))
            s = min(1.0, s * draws.saturation[k])
            rgb = colorsys.hsv_to_rgb((h + draws.hue[k] / 360) % 1, s, v)
            assert np.abs(ours[k, row, column] / 255 - rgb).max() < 1.6 / 255


def test_stain_changes_concentrations_as_scikit_image_counts_them() -> None:
    axes = STAIN_SPACES["giemsa"]
    expected = color.rgb_from_bex[:2] / np.linalg.norm(color.rgb_from_bex[:2], axis=1)[:, None]
    assert np.allclose(axes[:2], expected, atol=1e-3)

    made = RNG.uniform(0.3, 1.0, (32 * 32, 3))
    image = np.clip(np.rint(256 * np.exp(-made @ axes) - 1), 0, 255).astype(np.uint8)
    image = image.reshape(32, 32, 3)
    draws = draw(
        Augmentation(stain=0.3, stain_shift=0.1, stain_space="giemsa"),
        4,
        (32, 32),
        np.random.default_rng(7),
    )
    result = apply(draws, np.repeat(image[None], 4, axis=0))
    for k in range(4):
        found = -np.log((result[k].reshape(-1, 3) + 1) / 256) @ np.linalg.inv(axes)
        wanted = made * draws.stain_factor[k] + draws.stain_shift[k]
        assert np.abs(found - wanted).mean() < 0.03  # bytes are that coarse where it is dense


def test_background_is_left_alone() -> None:
    rng = np.random.default_rng(8)
    black = np.zeros((40, 40, 3), np.uint8)
    black[10:30, 10:30] = (120, 60, 140)
    ranges = {
        "stain": 0.3, "stain_shift": 0.1, "brightness": (0.5, 1.5), "contrast": (0.5, 1.5),
        "brightness_shift": (-0.2, 0.2), "saturation": (0.5, 1.5), "hue": 30,
    }  # fmt: skip
    outside = np.ones((40, 40), bool)
    outside[10:30, 10:30] = False
    for image in augmented(black, 10, seed=8, **ranges):
        assert not image[outside].any()
        assert image[15, 15].tolist() != [120, 60, 140]
    smear = np.clip(rng.normal((180, 176, 165), 2, (40, 40, 3)), 0, 255).astype(np.uint8)
    smear[10:30, 10:30] = (120, 60, 140)
    for image in augmented(smear, 10, seed=9, stain=0.3, stain_shift=0.1):
        changed = np.abs(image.astype(int) - smear)
        assert changed[outside].mean() < 1.2
        assert changed[~outside].mean() > 1.5


def test_contrast_ignores_black_in_its_mean() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10, :10] = 100
    image[:5, :10] = 140
    result = augmented(image, contrast=(0.5, 0.5))[0]
    assert result[7, 2].tolist() == [110] * 3  # about 120, not about the frame's 30
    assert result[2, 2].tolist() == [130] * 3


def test_each_colour_change_is_decided_for_itself() -> None:
    draws = draw(
        Augmentation(brightness=(0.5, 0.9), contrast=(0.5, 0.9), colour_probability=0.6),
        3000,
        (8, 8),
        np.random.default_rng(10),
    )
    bright, contrast = draws.brightness != 1, draws.contrast != 1
    assert abs(bright.mean() - 0.6) < 0.04
    assert abs((bright & contrast).mean() - 0.36) < 0.04


@pytest.mark.parametrize("name", PRESETS)
def test_presets_run_and_change_images(name: str) -> None:
    found = augmented(SMOOTH, 12, **PRESETS[name].model_dump())
    assert (np.abs(found.astype(int) - SMOOTH).max(axis=(1, 2, 3)) > 0).sum() >= 6


def test_varol2024_is_what_the_paper_lists() -> None:
    preset = PRESETS["varol2024"]
    assert (preset.rotation, preset.shear, preset.brightness) == (30, 0.2, (0.1, 1.0))
    draws = draw(preset, 500, (32, 32), np.random.default_rng(0))
    assert draws.brightness.min() < 0.15
    assert draws.brightness.max() <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(PRESETS)), st.integers(1, 5))
def test_same_seed_same_bits_and_slices_are_the_whole(seed: int, name: str, n: int) -> None:
    batch = np.repeat(SMOOTH[None], n, axis=0)
    one = draw(PRESETS[name], n, (48, 48), np.random.default_rng(seed))
    two = draw(PRESETS[name], n, (48, 48), np.random.default_rng(seed))
    whole = apply(one, batch)
    assert np.array_equal(whole, apply(two, batch))
    assert len(one) == n
    assert np.array_equal(apply(one[: n // 2], batch[: n // 2]), whole[: n // 2])
    assert whole.dtype == np.uint8
