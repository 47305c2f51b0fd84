"""Backbones: the papers' counts of weights, timm as the oracle, freezing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from leukoscope.errors import ExperimentError
from leukoscope.models import build
from leukoscope.models.backbones import Backbone, BackboneNetwork, _create, build_backbone
from leukoscope.models.pretrained import BACKBONES, is_backbone, published, timm_name
from leukoscope.models.timm_import import import_timm
from leukoscope.models.weight_files import find_weights, pretraining_facts
from leukoscope.records.experiment import Model

V2 = "mobilenetv2_100.torchvision_features.f16.safetensors"
V1 = "mobilenetv1_100.tf_qat.f16.safetensors"


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def network_of(model: Model, size: int = 32, classes: int = 2) -> BackboneNetwork:
    network = build(model, 3, size, classes, generator=seeded())
    assert isinstance(network, BackboneNetwork)
    return network


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vgg16", 14_714_688),
        ("vgg19", 20_024_384),
        ("resnet50", 23_508_032),
        # Keras counts 12,642,880, of which 158,400 are statistics: buffers in torch.
        ("densenet169", 12_642_880 - 158_400),
    ],
)
def test_published_numbers_of_weights(name: str, expected: int) -> None:
    with torch.device("meta"):
        assert count(_create(name, 224, {})) == expected


@pytest.mark.parametrize(
    ("name", "size", "length"),
    [
        ("vgg16", 32, 512),
        ("vgg16", 48, 512),
        ("vgg16", 224, 25_088),
        ("resnet50", 32, 2048),
        ("resnet50", 48, 8192),
        ("resnet50", 224, 100_352),
        ("densenet169", 257, 8 * 8 * 1664),
    ],
)
def test_published_flatten_lengths(name: str, size: int, length: int) -> None:
    """Of one forward pass without memory: shapes are enough."""
    with torch.device("meta"):
        backbone = Backbone(_create(name, size, {}).eval(), name, "flatten", size)
        assert backbone(torch.zeros(1, 3, size, size)).shape == (1, length)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(25_088, 12_846_594), (100_352, 51_381_762), (512, 263_682), (2048, 1_050_114)],
)
def test_heads_of_fata2023(length: int, expected: int) -> None:
    from leukoscope.models.heads import head_layers
    from leukoscope.models.layers import weights

    model = Model(name="vgg16", hidden=(512,), outputs="softmax")
    assert sum(weights(head_layers(model, 2), length, 1)) == expected


def test_head_of_abed2022() -> None:
    from leukoscope.models.heads import head_layers
    from leukoscope.models.layers import weights

    model = Model(name="densenet169", outputs="softmax")
    assert sum(weights(head_layers(model, 2), 1664, 1)) == 3330


def test_head_of_varol2024() -> None:
    network = network_of(Model(name="mobilenet_v2", hidden=(256, 128)))
    assert [m.out_features for m in network.head if isinstance(m, nn.Linear)] == [256, 128, 1]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_name_has_its_facts(name: str) -> None:
    facts, _ = published(name)
    assert facts.architecture == timm_name(name)
    assert facts.input_size in (224, 299, 518)
    assert facts.mean in ((0.485, 0.456, 0.406), (0.5, 0.5, 0.5))


def test_any_other_name_of_timm() -> None:
    assert is_backbone("resnet18")
    with pytest.raises(ExperimentError, match=r"Did you mean 'resnet50'"):
        build(Model(name="resnet_50"), 3, 32, 2, generator=seeded())
    with pytest.raises(ExperimentError, match=r"Did you mean 'cnn-3'"):
        build(Model(name="cnn-33"), 3, 32, 2, generator=seeded())
    with pytest.raises(ExperimentError, match=r"model\.weights = 'hub:tv_in1k'"):
        timm_name("resnet50.tv_in1k")
    with pytest.raises(ExperimentError, match=r"Did you mean 'tv_in1k'"):
        published("resnet50", "tv_in1")


def test_same_seed_same_weights_and_torchs_own_generator_untouched() -> None:
    before = torch.random.get_rng_state()
    one, two = (network_of(Model(name="mobilenet_v2")).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert torch.equal(before, torch.random.get_rng_state())


def test_vectors_are_timms() -> None:
    backbone = build_backbone("mobilenet_v3", 64, generator=seeded()).eval()
    batch = torch.rand(2, 3, 64, 64, generator=seeded())
    with torch.inference_mode():
        assert torch.equal(backbone(batch), backbone.network(batch))
    assert backbone.length == 1280


def test_flatten_is_in_the_order_of_keras() -> None:
    backbone = build_backbone("mobilenet_v1", 64, pooling="flatten", generator=seeded()).eval()
    batch = torch.rand(2, 3, 64, 64, generator=seeded())
    with torch.inference_mode():
        maps = backbone.network.forward_features(batch)
        expected = maps.numpy().transpose(0, 2, 3, 1).reshape(2, -1)
        assert (backbone(batch).numpy() == expected).all()


def test_what_follows_the_pooling_is_not_trained_behind_a_flatten() -> None:
    network = network_of(Model(name="mobilenet_v3", pooling="flatten"))
    assert "conv_head.weight" in network.backbone.unused
    parameters = [p for p in network.parameters() if p.requires_grad]
    loss = network(torch.rand(2, 3, 32, 32)).sum()
    assert len(torch.autograd.grad(loss, parameters)) == len(parameters)


def test_a_transformer_takes_the_asked_size() -> None:
    backbone = build_backbone("dinov2-s", 56, generator=seeded()).eval()
    with torch.inference_mode():
        assert backbone(torch.zeros(1, 3, 56, 56)).shape == (1, 384)
    with pytest.raises(ExperimentError, match=r"preprocess\.size is 60, which dinov2-s cannot"):
        build_backbone("dinov2-s", 60, generator=seeded())


def test_too_small_for_the_network() -> None:
    with pytest.raises(ExperimentError, match=r"size is 32, which inception_v3 cannot take.*299"):
        build_backbone("inception_v3", 32, generator=seeded())


def test_a_sigmoid_cannot_tell_four_classes_apart() -> None:
    with pytest.raises(ExperimentError, match="there are 4"):
        network_of(Model(name="mobilenet_v2", outputs="sigmoid"), classes=4)


@pytest.mark.parametrize(
    "keys", [{"weights": "hub"}, {"hidden": (3,)}, {"trainable": "head"}, {"pooling": "flatten"}]
)
def test_small_networks_refuse_what_is_about_backbones(keys: dict[str, object]) -> None:
    with pytest.raises(ExperimentError, match=r"is about backbones, and cnn-3"):
        build(Model(name="cnn-3", **keys), 3, 32, 2, generator=seeded())


def trained(network: BackboneNetwork) -> set[str]:
    own = network.backbone.network.named_parameters()
    return {name.partition(".")[0] for name, p in own if p.requires_grad}


def test_what_is_trained() -> None:
    assert trained(network_of(Model(name="resnet18", trainable="head"))) == set()
    assert trained(network_of(Model(name="resnet18", trainable="last-2"))) == {"layer3", "layer4"}
    assert len(trained(network_of(Model(name="resnet18")))) == 6
    with pytest.raises(ExperimentError, match=r"has 5 blocks\. Use at most 'last-5'"):
        network_of(Model(name="resnet18", trainable="last-6"))


def test_gradual_thaws_one_block_an_epoch() -> None:
    network = network_of(Model(name="resnet18", trainable="gradual"))
    assert trained(network) == set()
    assert network.thaw(1)
    assert trained(network) == {"layer4"}
    assert network.thaw(5)
    assert not network.thaw(6)
    assert len(trained(network)) == 6


def test_frozen_statistics_stay() -> None:
    network = network_of(Model(name="resnet18", trainable="last-1")).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network(torch.rand(4, 3, 32, 32, generator=seeded()))
    changed = {
        key.split(".")[2]
        for key, value in network.state_dict().items()
        if not torch.equal(value, before[key])
    }
    assert changed == {"layer4"}


def test_weights_of_torchvision_are_renamed(tmp_path: Path) -> None:
    """A DenseNet in the layout of torchvision's first files, whose names have other dots."""
    source = import_timm().create_model("densenet121", num_classes=1000)
    old = {
        key.replace("norm1.", "norm.1.").replace("conv1.", "conv.1.")
        .replace("norm2.", "norm.2.").replace("conv2.", "conv.2."): value
        for key, value in source.state_dict().items()
    }  # fmt: skip
    path = tmp_path / "old.safetensors"
    safetensors.torch.save_file(old, path)
    file = find_weights("densenet121", str(path))
    backbone = build_backbone("densenet121", 32, weights=file, generator=seeded())
    own = backbone.network.state_dict()
    assert all(torch.equal(value, source.state_dict()[key]) for key, value in own.items())


def test_dinobloom_in_the_layout_of_its_authors(tmp_path: Path) -> None:
    """DINOv2's names under ``teacher`` and ``backbone.``, position embedding for 224 px."""
    source = import_timm().create_model("vit_small_patch14_dinov2", num_classes=0, img_size=224)
    teacher = {f"backbone.{key}": value for key, value in source.state_dict().items()}
    teacher["backbone.mask_token"] = torch.zeros(1, 384)
    teacher["dino_head.mlp.0.weight"] = torch.zeros(8, 384)
    torch.save({"teacher": teacher, "iteration": 4}, tmp_path / "DinoBloom-S.pth")
    file = find_weights("dinobloom-s", str(tmp_path / "DinoBloom-S.pth"))
    assert file.path.name == "DinoBloom-S.safetensors"
    assert file.facts.datasets[0] == "LVD-142M", "the stage before: DINOv2"
    assert {"pbc", "lisc", "bccd"} < set(file.facts.datasets)
    same = build_backbone("dinobloom-s", 224, weights=file, generator=seeded())
    assert torch.equal(same.network.blocks[3].attn.qkv.weight, source.blocks[3].attn.qkv.weight)
    smaller = build_backbone("dinobloom-s", 56, weights=file, generator=seeded())
    assert smaller.network.pos_embed.shape[1] in (16, 17)


@pytest.mark.real
def test_real_mobilenet_v2(real_weights: Path) -> None:
    file = find_weights("mobilenet_v2", str(real_weights / V2))
    assert file.facts.mean == (0.485, 0.456, 0.406)
    assert file.facts.source == f"file:{V2}"
    backbone = build_backbone("mobilenet_v2", 224, weights=file, generator=seeded()).eval()
    assert all(p.dtype == torch.float32 for p in backbone.parameters())
    twin = import_timm().create_model("mobilenetv2_100", num_classes=0)
    twin.load_state_dict(
        {k: v.float() for k, v in safetensors.torch.load_file(real_weights / V2).items()},
        strict=False,
    )
    batch = torch.rand(1, 3, 224, 224, generator=seeded())
    with torch.inference_mode():
        assert torch.equal(backbone(batch), twin.eval()(batch))


@pytest.mark.real
def test_real_mobilenet_v1_keeps_its_padding_and_epsilon(real_weights: Path) -> None:
    """A folder of several: the one that is called after the network. Its 1000 classes go."""
    file = find_weights("mobilenet_v1", str(real_weights))
    assert file.path.name == V1
    assert file.facts.arguments == {"pad_type": "same", "bn_eps": 1e-3}
    assert file.facts.mean == file.facts.std == (0.5, 0.5, 0.5)
    assert pretraining_facts("mobilenet_v1", str(real_weights)) == file.facts
    backbone = build_backbone("mobilenet_v1", 96, weights=file, generator=seeded())
    assert isinstance(backbone, Backbone)
    assert {m.eps for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}


@pytest.mark.real
def test_weights_of_another_architecture_are_refused_with_both_names(real_weights: Path) -> None:
    squeeze = str(real_weights / "squeezenet1_1.f16.safetensors")
    with pytest.raises(ExperimentError, match=r"weights of squeezenet1_1.*mobilenetv2_100"):
        find_weights("mobilenet_v2", squeeze)
    with pytest.raises(ExperimentError, match=r"weights of mobilenetv1_100.*vgg16"):
        find_weights("vgg16", str(real_weights / V1))


def test_unnamed_weights_of_another_architecture(tmp_path: Path) -> None:
    other = import_timm().create_model("squeezenet1_1") if is_backbone("squeezenet1_1") else None
    other = other or nn.Sequential(nn.Conv2d(3, 8, 3))
    safetensors.torch.save_file(other.state_dict(), tmp_path / "squeeze.safetensors")
    file = find_weights("mobilenet_v2", str(tmp_path / "squeeze.safetensors"))
    with pytest.raises(ExperimentError, match=r"not weights of mobilenet_v2.*squeeze\.safetensors"):
        build_backbone("mobilenet_v2", 32, weights=file, generator=seeded())
