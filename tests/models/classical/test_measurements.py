"""Texture and wavelet measurements against published examples and other implementations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
from skimage.color import rgb2lab
from skimage.feature import graycomatrix, graycoprops

from leukoscope.models.classical.measurements import (
    ANGLES,
    GREY_LEVELS,
    MEASURES,
    PROPERTIES,
    _co_occurrence,
    measure,
    names,
)
from leukoscope.models.classical.names import MEASURED
from leukoscope.models.classical.nucleus import find_nucleus, lab
from leukoscope.models.classical.run_lengths import (
    DIRECTIONS,
    RUN_MEASURES,
    run_length_matrix,
    run_measures,
)

PUBLISHED = np.array(
    [[5, 2, 5, 4, 4], [3, 3, 3, 1, 3], [2, 1, 1, 1, 3], [4, 2, 2, 2, 3], [3, 5, 3, 3, 2]]
)
"""The worked example in pyradiomics' documentation of its GLRLM class, with its matrix at 0°."""
PUBLISHED_RUNS = [
    [1, 0, 1, 0, 0],
    [3, 0, 1, 0, 0],
    [4, 1, 1, 0, 0],
    [1, 1, 0, 0, 0],
    [3, 0, 0, 0, 0],
]


def test_runs_of_the_published_example() -> None:
    found = run_length_matrix(PUBLISHED - 1, np.ones((5, 5), bool), (0, 1), 5)
    assert found.tolist() == PUBLISHED_RUNS


def runs_by_hand(lines: list[list[int]], count: int, longest: int) -> Any:
    """Runs of lines of levels, −1 for outside, by walking along them."""
    matrix = np.zeros((count, longest), int)
    for line in lines:
        place = 0
        while place < len(line):
            stop = place
            while stop < len(line) and line[stop] == line[place]:
                stop += 1
            if line[place] >= 0:
                matrix[line[place], stop - place - 1] += 1
            place = stop
    return matrix


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_runs_in_every_direction_end_at_the_mask(direction: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 3, (9, 12))
    mask = rng.random((9, 12)) < 0.8
    known = np.where(mask, levels, -1)
    if direction == (0, 1):
        lines = [list(row) for row in known]
    elif direction == (-1, 0):
        lines = [list(column) for column in known.T]
    else:
        turned = known if direction == (-1, -1) else known[:, ::-1]
        lines = [list(np.diagonal(turned, k)) for k in range(-8, 12)]
    found = run_length_matrix(levels, mask, direction, 3)
    assert np.array_equal(found, runs_by_hand(lines, 3, 12))


def test_run_measures_of_hall_beyers_image() -> None:
    """Her 4 × 4 tutorial image at 0°, with the figures that R's radiomics package tests against
    (its non-uniformities are divided by the eight runs once; ours twice)."""
    image = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]])
    found = dict(
        zip(
            RUN_MEASURES,
            run_measures(run_length_matrix(image, np.ones((4, 4), bool), (0, 1), 4)),
            strict=True,
        )
    )
    assert found["short_run_emphasis"] == pytest.approx(0.3263889, abs=1e-6)
    assert found["long_run_emphasis"] == pytest.approx(4.25)
    assert found["grey_level_non_uniformity"] == pytest.approx(2.25 / 8)
    assert found["run_length_non_uniformity"] == pytest.approx(4.75 / 8)
    assert found["run_percentage"] == pytest.approx(0.5)


def test_run_measures_of_the_published_example() -> None:
    """Sums over the published matrix, written out: 17 runs of 25 pixels."""
    runs = np.array(PUBLISHED_RUNS)
    lengths = runs.sum(axis=0)
    assert runs.sum() == 17
    expected = {
        "short_run_emphasis": (12 + 2 / 4 + 3 / 9) / 17,
        "long_run_emphasis": (12 + 2 * 4 + 3 * 9) / 17,
        "grey_level_non_uniformity": (2**2 + 4**2 + 6**2 + 2**2 + 3**2) / 17**2,
        "run_length_non_uniformity": (12**2 + 2**2 + 3**2) / 17**2,
        "run_percentage": 17 / 25,
        "low_grey_level_emphasis": (2 + 4 / 4 + 6 / 9 + 2 / 16 + 3 / 25) / 17,
        "high_grey_level_emphasis": (2 + 4 * 4 + 6 * 9 + 2 * 16 + 3 * 25) / 17,
    }
    assert lengths.tolist() == [12, 2, 3, 0, 0]
    assert run_measures(runs) == pytest.approx([expected[name] for name in RUN_MEASURES])
    assert not run_measures(np.zeros((3, 4), int)).any()


def cell(side: int = 64, shift: float = 0.0) -> Any:
    """A purple disc with chromatin, in pink cytoplasm on a light field; and the disc's mask."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:side, :side]
    away = np.hypot(row - side / 2, column - side / 2 - shift)
    image = np.full((side, side, 3), (235, 228, 232), float)
    image[away < side * 0.38] = (205, 170, 205)
    nucleus = away < side * 0.25
    image[nucleus] = (95, 50, 140)
    image += rng.normal(0, 6, image.shape)
    return image.clip(0, 255).astype(np.uint8), nucleus


def overlap(found: Any, truth: Any) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def test_the_nucleus_is_found() -> None:
    image, nucleus = cell()
    assert overlap(find_nucleus(image), nucleus) > 0.9
    cut_out = image.copy()
    row, column = np.mgrid[:64, :64]
    cut_out[np.hypot(row - 32, column - 32) > 24] = 0
    assert overlap(find_nucleus(cut_out), nucleus) > 0.9


@pytest.mark.parametrize("value", [0, 130, 255])
def test_an_image_of_one_colour_is_measured_as_a_whole(value: int) -> None:
    image = np.full((16, 16, 3), value, np.uint8)
    assert find_nucleus(image).all()
    for name in MEASURED:
        assert np.isfinite(measure(name, image)).all()


def test_co_occurrence_is_scikit_images_where_nothing_is_masked() -> None:
    levels = np.random.default_rng(0).integers(0, GREY_LEVELS, (20, 20))
    matrix = graycomatrix(
        levels.astype(np.uint8), [1], ANGLES, levels=GREY_LEVELS, symmetric=True, normed=True
    )
    expected = np.stack([graycoprops(matrix, name)[0] for name in PROPERTIES])
    assert _co_occurrence(levels, np.ones((20, 20), bool)) == pytest.approx(expected)


def test_pairs_with_a_pixel_outside_are_not_counted() -> None:
    """The left half masked: as if there were only the right half."""
    levels = np.random.default_rng(0).integers(0, GREY_LEVELS, (20, 20))
    mask = np.zeros((20, 20), bool)
    mask[:, 10:] = True
    expected = _co_occurrence(levels[:, 10:], np.ones((20, 10), bool))
    assert _co_occurrence(levels, mask) == pytest.approx(expected)


def test_colours_are_scikit_images() -> None:
    image, _ = cell()
    # OpenCV looks the sRGB curve up in tables: 0.15 of 91 were seen.
    assert np.allclose(lab(image), rgb2lab(image), atol=0.25)


def test_every_measurement_has_its_name() -> None:
    image, nucleus = cell()
    assert MEASURES.keys() == MEASURED.keys()
    for name in MEASURED:
        found = measure(name, image)
        assert found.dtype == np.float32
        assert len(found) == len(names(name)) == len(set(names(name)))
    measured = dict(zip(names("lab-kmeans"), measure("lab-kmeans", image), strict=True))
    assert measured["nucleus_area_ratio"] == pytest.approx(nucleus.mean(), rel=0.05)
    assert measured["L_mean"] == pytest.approx(lab(image)[nucleus][:, 0].mean(), rel=0.02)
    waves = dict(zip(names("wavelet"), measure("wavelet", image), strict=True))
    bands = pywt.dwt2(lab(image)[..., 2], "haar", mode="periodization")[1]
    assert waves["b_diagonal_1_sd"] == pytest.approx(bands[2].std(), rel=1e-5)
    assert waves["b_horizontal_1_abs"] == pytest.approx(np.abs(bands[0]).mean(), rel=1e-5)


def test_the_same_image_gives_the_same_bits() -> None:
    image, _ = cell()
    for name in MEASURED:
        assert np.array_equal(measure(name, image), measure(name, image.copy()))
