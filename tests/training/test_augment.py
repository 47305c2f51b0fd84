"""The same draws give the same pictures as bytes and as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from leukoscope.images.augmentation import Augmentation
from leukoscope.images.draws import apply, draw
from leukoscope.training.augment import apply_draws, augment

N, SIDE = 6, 32
CASES = {
    "flips": (Augmentation(flip_horizontal=0.5, flip_vertical=0.5), 0),
    "transposition and quarter turns": (Augmentation(transpose=0.5, quarter_turns=0.7), 0),
    "rotation, nearest": (Augmentation(rotation=30), 2),
    "rotation, reflected": (Augmentation(rotation=180, fill="reflect"), 2),
    "rotation, constant": (Augmentation(rotation=45, fill="constant", fill_value=200), 2),
    "shear": (Augmentation(shear=20), 2),
    "zoom, shift and crop": (Augmentation(zoom=(0.7, 1.4), shift=0.2, crop=(0.6, 1.0)), 2),
    "brightness": (Augmentation(brightness=(0.1, 1.0), brightness_shift=(-0.1, 0.1)), 1),
    "contrast": (Augmentation(contrast=(0.5, 1.5)), 1),
    "saturation": (Augmentation(saturation=(0.3, 1.7)), 1),
    "hue": (Augmentation(hue=90), 1),
    "haematoxylin and eosin": (Augmentation(stain=0.3, stain_shift=0.05), 1),
    "giemsa": (Augmentation(stain=0.3, stain_shift=0.05, stain_space="giemsa"), 1),
    "now and then": (Augmentation(contrast=(0.5, 1.5), colour_probability=0.4), 1),
}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Smooth pictures with a black frame and a blank spot, so that interpolation has a meaning."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.random((N, SIDE, SIDE, 3)), (0, 3, 3, 0))
    low, high = noise.min(), noise.max()
    pictures = ((noise - low) / (high - low) * 220 + 20).astype(np.uint8)
    pictures[:, :4] = 0
    pictures[:, 20:24, 20:24] = 255
    return pictures


def _as_tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize(("augmentation", "tolerance"), CASES.values(), ids=CASES.keys())
def test_bytes_and_tensors_agree(
    images: np.ndarray, augmentation: Augmentation, tolerance: int
) -> None:
    draws = draw(augmentation, N, (SIDE, SIDE), np.random.default_rng(1))
    expected = apply(draws, images).astype(int)
    found = apply_draws(draws, _as_tensor(images)).permute(0, 2, 3, 1).numpy()
    assert (found == np.rint(found)).all()
    difference = np.abs(found - expected)
    assert np.quantile(difference, 0.99) <= tolerance
    if tolerance:
        # OpenCV interpolates at whole 32nds of a pixel: at a black edge that is 255/64.
        assert np.abs(expected - images).max() > 5
        assert difference.mean() < 0.5
    if not augmentation.geometry:
        assert difference.max() <= 1


def test_nothing_drawn_changes_nothing(images: np.ndarray) -> None:
    values = _as_tensor(images)
    assert torch.equal(augment(Augmentation(), values, np.random.default_rng(0)), values)


def test_the_same_stream_draws_the_same(images: np.ndarray) -> None:
    augmentation = Augmentation(rotation=20, hue=10)
    first, again, other = (
        augment(augmentation, _as_tensor(images), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
