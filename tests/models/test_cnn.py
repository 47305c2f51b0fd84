"""The networks have the shapes and the numbers of weights that the papers print."""

from __future__ import annotations

from itertools import pairwise

import pytest

from leukoscope.errors import ExperimentError
from leukoscope.models import cnn
from leukoscope.models.layers import Conv, Flatten, Pool, flatten_length, shapes, weights

PUBLISHED = ("cnn-1", "cnn-2", "cnn-3", "cnn-4")
# varol2024, Table 6.
TABLE_6 = {32: (50176, 73728, 1024, 64), 48: (123904, 204800, 4096, 576)}
# The reconstruction's own arithmetic (not printed by the paper).
CONVOLUTION_WEIGHTS = (75648, 444672, 592320, 629248)
ALL_WEIGHTS = {
    32: (12953985, 19352321, 887745, 678913),
    48: (31828353, 52906753, 1674177, 809985),
}


@pytest.mark.parametrize("reading", ["R1", "R2", "R3"])
@pytest.mark.parametrize("size", [32, 48])
def test_the_eight_flatten_lengths_of_table_6(reading: str, size: int) -> None:
    found = tuple(flatten_length(cnn.layers(name, reading), 3, size) for name in PUBLISHED)
    assert found == TABLE_6[size]


@pytest.mark.parametrize("reading", ["R1", "R2", "R3"])
def test_the_numbers_of_convolutions(reading: str) -> None:
    counts = [sum(isinstance(x, Conv) for x in cnn.layers(name, reading)) for name in PUBLISHED]
    assert counts == [3, 6, 9, 10]


def test_in_the_first_reading_each_network_begins_with_the_one_before_it() -> None:
    bodies = []
    for name in PUBLISHED:
        layers = cnn.layers(name, "R1")
        bodies.append(layers[: [isinstance(x, Flatten) for x in layers].index(True)])
    for shorter, longer in pairwise(bodies):
        assert longer[: len(shorter)] == shorter


def test_in_the_second_reading_every_network_ends_in_a_pool() -> None:
    for name in PUBLISHED:
        layers = cnn.layers(name, "R2")
        place = [isinstance(x, Flatten) for x in layers].index(True)
        assert layers[place - 1] == Pool(2)


def test_in_the_third_reading_no_more_than_two_convolutions_follow_a_padded_one() -> None:
    for name in PUBLISHED:
        layers = cnn.layers(name, "R3")
        padded = [x.padding == "same" for x in layers if isinstance(x, Conv)]
        assert not any(a and b for a, b in pairwise(padded)), "[same, valid] in pairs"
        assert padded[:2] == [True, False]


@pytest.mark.parametrize("size", [32, 48])
def test_weights_of_the_first_reading(size: int) -> None:
    for name, convolutions, everything in zip(
        PUBLISHED, CONVOLUTION_WEIGHTS, ALL_WEIGHTS[size], strict=True
    ):
        layers = cnn.layers(name, "R1")
        counts = weights(layers, 3, size)
        conv = [n for layer, n in zip(layers, counts, strict=True) if isinstance(layer, Conv)]
        assert (sum(conv), sum(counts)) == (convolutions, everything)


def test_the_simple_cnn_is_figure_4_8() -> None:
    layers = cnn.layers("simple-cnn")
    sides = [shape[0] for shape in shapes(layers, 3, 257)]
    assert sides == [255, 127, 125, 62, 60, 460800, 128, 1]
    counts = [count for count in weights(layers, 3, 257) if count]
    # The figure's fourth number is misread by the OCR (68,982,528); its total is right.
    assert counts == [896, 18496, 73856, 58982528, 129]
    assert sum(counts) == 59_075_905


def test_an_input_that_is_too_small_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"preprocess.size is 16: nothing .* layer 10"):
        shapes(cnn.layers("cnn-3"), 3, 16)


def test_an_unknown_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(ExperimentError, match=r"model.name is 'cnn3'. Did you mean 'cnn-3'"):
        cnn.layers("cnn3")


def test_a_network_without_a_flatten_has_no_length() -> None:
    with pytest.raises(ExperimentError, match="has no Flatten layer"):
        flatten_length([Conv(8)], 3, 32)
