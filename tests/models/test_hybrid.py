"""The names of hybrids, and which weights belong to which branch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope.errors import ExperimentError
from leukoscope.models.hybrid import (
    branch_names,
    branch_weights,
    is_hybrid,
    join_weights,
)
from leukoscope.models.pretrained import Pretraining
from leukoscope.models.weight_files import find_weights

PAIR = "hybrid:mobilenetv1_100+mobilenetv2_100"


def test_a_hybrid_names_its_branches() -> None:
    assert is_hybrid("hybrid:vgg16+vgg19")
    assert not is_hybrid("vgg16")
    assert branch_names("hybrid:vgg16+vgg19") == ("vgg16", "vgg19")
    assert branch_names("hybrid:mobilenet_v1+mobilenetv2_100")[1] == "mobilenetv2_100"


@pytest.mark.parametrize("name", ["hybrid:vgg16", "hybrid:", "hybrid:a+b+c", "hybrid:vgg16+"])
def test_a_hybrid_of_another_number_than_two_is_refused(name: str) -> None:
    with pytest.raises(ExperimentError, match=r"joins two backbones, as in 'hybrid:vgg16\+vgg19'"):
        branch_names(name)


def test_a_misspelt_branch_is_answered_with_the_right_one() -> None:
    with pytest.raises(
        ExperimentError,
        match=r"'hybrid:vgg16\+vgg91': there is no backbone 'vgg91'\. Did you mean .*'vgg19'",
    ):
        branch_names("hybrid:vgg16+vgg91")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("none", ("none", "none")),
        ("hub", ("hub", "hub")),
        ("a.safetensors + b.safetensors", ("a.safetensors", "b.safetensors")),
        ("none+hub:tv_in1k", ("none", "hub:tv_in1k")),
    ],
)
def test_one_value_serves_both_branches_or_each_has_its_own(
    weights: str, expected: tuple[str, str]
) -> None:
    assert branch_weights(weights) == expected


@pytest.mark.parametrize("weights", ["c++/a.safetensors", "a+b+c", "a.safetensors+"])
def test_weights_that_cannot_be_told_apart_are_refused(weights: str) -> None:
    with pytest.raises(ExperimentError, match=r"two with a '\+' between them .* one\s+folder"):
        branch_weights(weights)


@pytest.mark.real
def test_one_record_names_both_weights(real_weights: Path) -> None:
    folder = str(real_weights)
    file = join_weights(PAIR, *(find_weights(name, folder) for name in branch_names(PAIR)))
    assert file is not None
    first, second = file.facts.branches
    assert file.facts.source == f"{first.source} + {second.source}"
    assert file.facts.architecture == "mobilenetv1_100+mobilenetv2_100"
    assert (first.mean, second.mean) == ((0.5, 0.5, 0.5), (0.485, 0.456, 0.406))
    assert len({file.facts.sha256, first.sha256, second.sha256}) == 3
    assert Pretraining.model_validate(file.facts.model_dump(mode="json")) == file.facts


@pytest.mark.real
def test_one_branch_alone_may_have_weights(real_weights: Path) -> None:
    file = join_weights(PAIR, None, find_weights("mobilenetv2_100", str(real_weights)))
    assert file is not None
    assert file.branches[0] is None
    assert file.facts.source.startswith("none + file:mobilenetv2_100")
    assert join_weights(PAIR, None, None) is None


def test_the_names_need_no_torch() -> None:
    code = (
        "import sys; from leukoscope.models.hybrid import branch_weights;"
        "branch_weights('a+b'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
