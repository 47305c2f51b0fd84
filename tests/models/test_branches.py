"""Hybrid networks do what their parts do: timm's networks and plain arithmetic are the oracles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from leukoscope.errors import ExperimentError
from leukoscope.models import build
from leukoscope.models.backbones import BackboneNetwork
from leukoscope.models.branches import Branches, logits_of_mean_probability
from leukoscope.models.hybrid import join_weights
from leukoscope.models.timm_import import import_timm
from leukoscope.models.weight_files import find_weights
from leukoscope.records.experiment import Model

# Two small networks of timm, with vectors of 320 and 512, without published weights needed.
ONE, OTHER = "convnext_atto", "repghostnet_050"
PAIR = f"hybrid:{ONE}+{OTHER}"
VGGS = "hybrid:vgg16+vgg19"


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _hybrid(
    name: str = PAIR, *, size: int = 64, classes: int = 4, **settings: object
) -> BackboneNetwork:
    model = Model(name=name, **settings)  # type: ignore[arg-type]
    network = build(model, 3, size, classes, generator=_seeded())
    assert isinstance(network, BackboneNetwork)
    return network.eval()


def _images(count: int = 3, size: int = 64) -> Tensor:
    return torch.rand(count, 3, size, size, generator=_seeded(1))


def _branches(network: BackboneNetwork) -> Branches:
    assert isinstance(network.backbone, Branches)
    return network.backbone


def _standard(images: Tensor) -> Tensor:
    """ImageNet's mean and standard deviation, as both networks publish them."""
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    return (images - mean) / torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def test_the_vector_is_both_networks_vectors() -> None:
    network = _hybrid()
    with torch.no_grad():
        own = [branch.network for branch in _branches(network).branches]
        expected = [
            part.forward_head(part.forward_features(_standard(_images())), pre_logits=True)  # type: ignore[operator]
            for part in own
        ]
        found = network.vectors(_images())
    assert found.shape[1] == network.backbone.length == sum(v.shape[1] for v in expected)
    # The same operations in the same order; only the division by the deviation may round.
    torch.testing.assert_close(found, torch.cat(expected, dim=1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("pooling", "length"), [("average", 1024), ("flatten", 50176)])
def test_the_head_of_the_paper_s_reading(pooling: str, length: int) -> None:
    """512 + 512 pooled, 2 · 25,088 flattened (bhavsar2023 prints neither), Dense(256), outputs."""
    network = _hybrid(VGGS, size=224, pooling=pooling)
    shapes = [tuple(p.shape) for p in network.head.parameters() if p.ndim == 2]
    assert shapes == [(256, length), (4, 256)]
    backbone = sum(parameter.numel() for parameter in network.backbone.parameters())
    assert backbone == 34_739_072


def test_the_mean_of_two_vectors() -> None:
    network = _hybrid(f"hybrid:{ONE}+{ONE}", fusion="average-features")
    with torch.no_grad():
        vectors = [branch(_standard(_images())) for branch in _branches(network).branches]
        found = network.vectors(_images())
    assert not torch.equal(*vectors)
    torch.testing.assert_close(found, (vectors[0] + vectors[1]) / 2)


def test_vectors_of_different_lengths_have_no_mean() -> None:
    with pytest.raises(
        ExperimentError, match=rf"\d+ \({ONE}\) and \d+ \({OTHER}\), so they have no mean"
    ):
        _hybrid(fusion="average-features")


@pytest.mark.parametrize("classes", [2, 4])
def test_the_mean_of_two_probabilities(classes: int) -> None:
    network = _hybrid(fusion="probabilities", classes=classes)
    with torch.no_grad():
        logits = network(_images())
        lengths = [branch.length for branch in _branches(network).branches]
        parts = network.vectors(_images()).split(lengths, dim=1)
        each = [head(part) for head, part in zip(network.head.heads, parts, strict=True)]  # type: ignore[union-attr, arg-type]
        if classes == 2:
            expected = sum(one.sigmoid() for one in each) / 2
            torch.testing.assert_close(logits.sigmoid(), expected)
        else:
            expected = sum(one.softmax(1) for one in each) / 2
            torch.testing.assert_close(logits.softmax(1), expected)
            # They are logarithms already, so the loss of the mean is cross-entropy on them.
            torch.testing.assert_close(logits.exp(), expected)


def test_probabilities_of_certain_networks_have_a_finite_mean() -> None:
    sure, opposed = torch.tensor([[90.0], [-200.0]]), torch.tensor([[-90.0], [-150.0]])
    mean = logits_of_mean_probability(sure, opposed)
    # 1 and 0 have the mean ½, whose logit is 0; e⁻²⁰⁰ and e⁻¹⁵⁰ that of e⁻¹⁵⁰/2.
    torch.testing.assert_close(mean, torch.tensor([[0.0], [-150.0 - 0.693147]]))
    many = torch.tensor([[500.0, 0.0, 0.0]])
    found = logits_of_mean_probability(many, many.roll(1))
    torch.testing.assert_close(found.softmax(1), torch.tensor([[0.5, 0.5, 0.0]]))
    loss = functional.cross_entropy(found, torch.tensor([0]))
    assert float(loss) == pytest.approx(0.693147, abs=1e-5)


def test_only_the_last_blocks_of_both_are_trained() -> None:
    network = _hybrid(trainable="last-1").train()
    trained = {
        n.split(".network.")[1][0]
        for n, p in network.backbone.named_parameters("backbone")
        if p.requires_grad
    }
    assert trained == {"0", "1"}
    for branch in _branches(network).branches:
        expected = set(branch.groups()[-1])
        assert {n for n, p in branch.network.named_parameters() if p.requires_grad} == expected
    frozen = _hybrid(trainable="head").train()
    assert not any(p.requires_grad for p in frozen.backbone.parameters())
    assert not any(m.training for m in frozen.backbone.network.modules() if list(m.parameters()))


def test_blocks_thaw_from_the_end_of_both() -> None:
    network = _hybrid(trainable="gradual")
    counts = []
    for epoch in range(30):
        network.thaw(epoch)
        counts.append(sum(p.requires_grad for p in network.backbone.parameters()))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == sum(1 for _ in network.backbone.parameters())


@pytest.mark.parametrize("fusion", ["average-weights", "concatenate-weights"])
def test_merged_vggs_compute_what_their_weights_say(fusion: str) -> None:
    network = _hybrid(VGGS, size=32, classes=2, fusion=fusion)
    widths = {"average-weights": 512, "concatenate-weights": 1024}
    assert network.backbone.length == widths[fusion]
    assert network(_images(2, 32)).shape == (2, 1)
    parameters = sum(p.numel() for p in network.backbone.parameters())
    # VGG19 as it is; or every width doubled, but for the three channels of the image.
    biases, first = 5504, 64 * 27
    doubled = 4 * (20_024_384 - biases - first) + 2 * (biases + first)
    assert parameters == {"average-weights": 20_024_384, "concatenate-weights": doubled}[fusion]
    assert len(network.backbone.groups()) == 16


def test_concatenated_weights_begin_with_the_features_of_two_branches() -> None:
    images = _images(2, 32)
    found = []
    for fusion in ("features", "concatenate-weights"):
        network = _hybrid(VGGS, size=32, fusion=fusion)
        with torch.no_grad():
            found.append(network.vectors(images))
    assert found[0].shape == (2, 1024)
    # float32 sums in another order; the same seed draws the same VGGs.
    torch.testing.assert_close(*found, atol=1e-6, rtol=1e-3)


def test_only_vggs_can_be_merged() -> None:
    with pytest.raises(ExperimentError, match=r"neither averaged nor concatenated"):
        _hybrid(fusion="average-weights")


@pytest.mark.real
def test_each_branch_has_its_own_weights_and_normalisation(real_weights: Path) -> None:
    """MobileNetV1 wants x/127.5 − 1, MobileNetV2 ImageNet's mean and deviation."""
    import safetensors.torch

    files = {
        "mobilenetv1_100": ("mobilenetv1_100.tf_qat.f16", {"pad_type": "same", "bn_eps": 1e-3}),
        "mobilenetv2_100": ("mobilenetv2_100.torchvision_features.f16", {}),
    }
    images = _images(2, 224)
    expected = []
    for name, (file, arguments) in files.items():
        theirs = import_timm().create_model(name, num_classes=0, **arguments).eval()
        state = safetensors.torch.load_file(real_weights / f"{file}.safetensors")
        own = theirs.state_dict()
        theirs.load_state_dict({k: state[k].float() if k in state else own[k] for k in own})
        ready = images * 255 / 127.5 - 1 if name == "mobilenetv1_100" else _standard(images)
        with torch.no_grad():
            expected.append(theirs(ready))
    model = Model(name="hybrid:" + "+".join(files))
    weights = join_weights(model.name, *(find_weights(name, str(real_weights)) for name in files))
    network = build(model, 3, 224, 2, generator=_seeded(), weights=weights).eval()
    with torch.no_grad():
        found = network.vectors(images)
    assert found.shape == (2, 2304)
    # One rounding more or less in the input, through some sixty layers.
    torch.testing.assert_close(found, torch.cat(expected, dim=1), atol=2e-4, rtol=1e-3)
