"""One cell twice, under two labels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from leukoscope.checks import run_checks
from leukoscope.datasets.manifest import Manifest
from leukoscope.datasets.rendered import render_dataset

ONLY = ["near-identical-labels"]


@pytest.fixture
def twins(tmp_path, saved: Callable[..., Manifest]) -> Callable[..., Manifest]:
    """Six rendered cells, the last turned and darkened as a seventh with its own label."""
    drawn = render_dataset("rendered-cnmc", tmp_path / "drawn", images=6, subjects=4, size=160)
    pictures = {
        f"{n}.png": cv2.imread(str(drawn.path(n)))[..., ::-1].copy() for n in range(len(drawn))
    }
    last = pictures[f"{len(drawn) - 1}.png"]
    pictures["twin.png"] = np.ascontiguousarray(np.rot90(last) * 0.9).astype(np.uint8)

    def twins(label: str) -> Manifest:
        return saved(pictures, label=["blast"] * len(drawn) + [label])

    return twins


def test_a_twin_with_another_label_is_found(twins: Callable[..., Manifest]) -> None:
    (finding,) = run_checks(twins("normal"), only=ONLY)
    assert finding.severity == "warning"
    assert finding.summary.startswith("1 pair of near-identical images has different labels")
    assert [set(group) for group in finding.evidence["groups"]] == [{"5.png", "twin.png"}]
    assert finding.evidence["least_alike"][0][2] > 0.9


@pytest.mark.parametrize("label", ["blast", ""])
def test_a_twin_with_the_same_label_or_none_is_not(
    twins: Callable[..., Manifest], label: str
) -> None:
    assert run_checks(twins(label), only=ONLY) == ()
