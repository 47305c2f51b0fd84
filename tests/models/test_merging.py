"""VGG16 and VGG19 merged by their weights: the numbers of weights, and what the mergers compute.

timm's own networks are the oracle for the features.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from leukoscope.errors import ExperimentError
from leukoscope.models.merging import (
    average_weights,
    concatenate_weights,
    convolution_weights,
    convolutions,
    trunk,
)
from leukoscope.models.timm_import import import_timm

State = dict[str, Tensor]
# VGG19 (Simonyan & Zisserman 2015, table 1, columns D and E) has these beside VGG16's thirteen.
ONLY_VGG19 = {"features.16", "features.25", "features.34"}
# features.N of VGG19 → of VGG16, written down from the same table.
PARTNERS = {
    **{n: n for n in (0, 2, 5, 7, 10, 12, 14)},
    19: 17,
    21: 19,
    23: 21,
    28: 24,
    30: 26,
    32: 28,
}


def _vgg(name: str, seed: int) -> State:
    """timm's network without its fully connected layers (they are nine tenths of the memory)."""
    torch.manual_seed(seed)
    network = import_timm().create_model(name, num_classes=0)
    return {k: v for k, v in network.state_dict().items() if k.startswith("features.")}


@pytest.fixture(scope="module")
def vgg16() -> State:
    return _vgg("vgg16", 16)


@pytest.fixture(scope="module")
def vgg19() -> State:
    return _vgg("vgg19", 19)


def _small(widths: list[int | str], seed: int, *, whole_numbers: bool = False) -> nn.Module:
    """timm's VGG class with a few channels."""
    torch.manual_seed(seed)
    network = import_timm().models.vgg.VGG(cfg=widths, num_classes=0, mlp_ratio=1 / 512)
    if whole_numbers:
        for parameter in network.parameters():
            parameter.data = torch.randint(-2, 3, parameter.shape).float()
    return network.eval()


SHALLOW: list[int | str] = [4, "M", 6, 6, "M"]
DEEP: list[int | str] = [4, 4, "M", 6, 6, 6, "M"]


def test_the_papers_numbers_of_weights(vgg16: State, vgg19: State) -> None:
    assert convolution_weights(vgg16) == 14_714_688
    assert convolution_weights(vgg19) == 20_024_384
    assert convolution_weights(vgg16) + convolution_weights(vgg19) == 34_739_072
    kept = sum(v.numel() for k, v in vgg19.items() if k.rpartition(".")[0] in ONLY_VGG19)
    assert kept == 5_309_696


def test_the_blocks_are_those_of_the_published_table(vgg16: State, vgg19: State) -> None:
    for state, expected in ((vgg16, [2, 2, 3, 3, 3]), (vgg19, [2, 2, 4, 4, 4])):
        blocks = [one.block for one in convolutions(state)]
        assert [blocks.count(number) for number in range(5)] == expected


@pytest.mark.parametrize("swapped", [False, True])
def test_thirteen_convolutions_are_means_and_three_are_kept(
    vgg16: State, vgg19: State, swapped: bool
) -> None:
    merged = average_weights(vgg19, vgg16) if swapped else average_weights(vgg16, vgg19)
    assert list(merged) == list(vgg19)
    means = 0
    for place in (one.name for one in convolutions(vgg19)):
        for kind in ("weight", "bias"):
            deep, got = vgg19[f"{place}.{kind}"], merged[f"{place}.{kind}"]
            if place in ONLY_VGG19:
                assert torch.equal(got, deep)
            else:
                partner = f"features.{PARTNERS[int(place.split('.')[1])]}.{kind}"
                torch.testing.assert_close(got, torch.stack([vgg16[partner], deep]).mean(0))
                means += 1
    assert means == 26


def test_a_network_averaged_with_itself_is_itself(vgg19: State) -> None:
    merged = average_weights(vgg19, vgg19)
    assert all(torch.equal(merged[key], vgg19[key]) for key in vgg19)


def test_fully_connected_layers_are_averaged_too() -> None:
    shallow, deep = (_small(cfg, seed).state_dict() for seed, cfg in enumerate((SHALLOW, DEEP)))
    merged = average_weights(shallow, deep)
    for key in deep:
        if key.startswith("pre_logits."):
            torch.testing.assert_close(merged[key], (shallow[key] + deep[key]) / 2)
    _small(DEEP, 2).load_state_dict(merged)


def test_half_precision_is_averaged_in_single(vgg16: State, vgg19: State) -> None:
    halves = [{k: v.half() for k, v in state.items()} for state in (vgg16, vgg19)]
    merged = average_weights(*halves)
    expected = (halves[0]["features.0.weight"].double() + halves[1]["features.0.weight"]) / 2
    assert merged["features.0.weight"].dtype == torch.float32
    torch.testing.assert_close(merged["features.0.weight"].double(), expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_concatenation_computes_both_networks_features_exactly(swapped: bool) -> None:
    """Whole numbers, so that every sum is exact in whatever order it is made."""
    shallow, deep = (
        _small(cfg, seed, whole_numbers=True) for seed, cfg in enumerate((SHALLOW, DEEP))
    )
    images = torch.randint(-3, 4, (3, 3, 8, 8)).float()
    both = [deep, shallow] if swapped else [shallow, deep]
    merged = concatenate_weights(*(network.state_dict() for network in both))
    with torch.no_grad():
        expected = torch.cat([network.features(images) for network in both], dim=1)
        got = trunk(merged)(images)
    assert expected.count_nonzero() > 100
    assert torch.equal(got, expected)


def test_the_concatenation_of_vgg16_and_vgg19(vgg16: State, vgg19: State) -> None:
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = torch.cat([trunk(vgg16)(images), trunk(vgg19)(images)], dim=1)
        got = trunk(concatenate_weights(vgg16, vgg19))(images)
    assert got.shape == (1, 1024, 2, 2)
    # float32 sums of up to 9,216 products, half of them zeros, in another order.
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-4)


def test_the_zeros_between_the_halves_are_learned() -> None:
    shallow, deep = (_small(cfg, seed).state_dict() for seed, cfg in enumerate((SHALLOW, DEEP)))
    merged = concatenate_weights(shallow, deep)
    network = trunk(merged)
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    network(images).sum().backward()
    between = network[2].weight.grad[:4, 4:]  # type: ignore[union-attr, index]
    assert not network[2].weight[:4, 4:].any()  # type: ignore[index]
    assert between.abs().max() > 0


def test_the_trunk_is_timm_s(vgg16: State) -> None:
    torch.manual_seed(0)
    theirs = import_timm().create_model("vgg16", num_classes=0).eval()
    images = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        assert torch.equal(trunk(theirs.state_dict())(images), theirs.forward_features(images))


def test_networks_of_other_widths_are_refused() -> None:
    wide = _small([8, "M", 6, 6, "M"], 0).state_dict()
    deep = _small(DEEP, 1).state_dict()
    with pytest.raises(
        ExperimentError,
        match=r"narrow and vgg19 do not .*: block 1 convolution 1 \(8×3×3×3\) of the one and "
        r"block 1 convolution 1 \(4×3×3×3\) of the other .* fusion = 'features'",
    ):
        average_weights(wide, deep, ("narrow", "vgg19"))


def test_a_convolution_without_a_partner_is_refused() -> None:
    one = _small([4, 4, "M", 6, "M"], 0).state_dict()
    other = _small([4, "M", 6, 6, 6, "M"], 1).state_dict()
    with pytest.raises(
        ExperimentError,
        match=r"block 1 convolution 2 \(4×4×3×3\) of one has no partner in other",
    ):
        concatenate_weights(one, other, ("one", "other"))


@pytest.mark.parametrize("name", ["mobilenetv2_100", "vgg11_bn", "convnext_atto"])
def test_other_networks_are_refused(name: str, vgg16: State) -> None:
    state = import_timm().create_model(name, num_classes=0).state_dict()
    with pytest.raises(ExperimentError, match=rf"{name}: .*neither averaged nor concatenated"):
        average_weights(vgg16, state, ("vgg16", name))


@pytest.mark.real
def test_weights_of_another_architecture_are_refused(real_data: Path, vgg16: State) -> None:
    import safetensors.torch

    path = real_data.parent / "weights" / "squeezenet1_1.f16.safetensors"
    state = safetensors.torch.load_file(path)
    with pytest.raises(ExperimentError, match=r"found features\.\d+\.(expand|squeeze)"):
        average_weights(vgg16, state, ("vgg16", "squeezenet1_1"))
