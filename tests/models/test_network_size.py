"""How large networks are, beside what their own papers say."""

from __future__ import annotations

import pytest
import torch

from leukoscope.models import build
from leukoscope.models.network_size import NetworkSize, network_size
from leukoscope.papers.costs import forward_gflop
from leukoscope.records.experiment import Model

PUBLISHED_LENGTHS = {
    ("cnn-1", 32): 50176,
    ("cnn-2", 32): 73728,
    ("cnn-3", 32): 1024,
    ("cnn-4", 32): 64,
    ("cnn-1", 48): 123904,
    ("cnn-2", 48): 204800,
    ("cnn-3", 48): 4096,
    ("cnn-4", 48): 576,
}
"""varol2024, Table 6."""


def size_of(model: Model, side: int) -> NetworkSize:
    network = build(model, 3, side, 2, generator=torch.Generator().manual_seed(0))
    assert network.training
    found = network_size(network, side)
    assert network.training
    return found


@pytest.mark.parametrize(
    ("name", "multiply_adds", "length"),
    [
        ("mobilenet_v1", 569e6, 1024),  # Howard et al. 2017, Table 8: 569 million
        ("mobilenet_v2", 300e6, 1280),  # Sandler et al. 2018, Table 4: 300 million
    ],
)
def test_published_operations(name: str, multiply_adds: float, length: int) -> None:
    found = size_of(Model(name=name), 224)
    # The papers count a head of a thousand classes, at most 1.3 million multiply-adds more.
    assert found.operations == pytest.approx(2 * multiply_adds, rel=0.01)
    assert found.vector_length == length


@pytest.mark.parametrize(("name", "side"), PUBLISHED_LENGTHS)
def test_vectors_are_as_long_as_published(name: str, side: int) -> None:
    if PUBLISHED_LENGTHS[name, side] > 60_000:
        pytest.skip("the same layers; its head of 100 MB is not built here")
    found = size_of(Model(name=name), side)
    assert found.vector_length == PUBLISHED_LENGTHS[name, side]
    # Counted by torch on the network itself; the planner's count is our own of its layers.
    assert found.operations == pytest.approx(1e9 * (forward_gflop(name, side) or 0), rel=1e-6)


def test_the_small_cnn_of_abed2022() -> None:
    """59,075,905 weights (thesis, Table 4.4)."""
    assert size_of(Model(name="simple-cnn"), 257).parameters == 59_075_905


def test_what_measures_has_no_weights() -> None:
    found = size_of(Model(name="wavelet+svm"), 32)
    assert found == NetworkSize(0, 0, 0)
