"""Weights from files, folders and the hub; checkpoints pass once through the converter."""

from __future__ import annotations

import json
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from leukoscope.errors import DownloadError, ExperimentError
from leukoscope.models import hub, weight_files
from leukoscope.models.backbones import build_backbone
from leukoscope.models.timm_import import import_timm
from leukoscope.models.weight_files import convert_checkpoint, find_weights, header_of


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    return dict(import_timm().create_model("mobilenetv3_small_050", num_classes=10).state_dict())


def test_a_checkpoint_is_converted_once(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "net.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    converted = convert_checkpoint(path)
    assert converted == tmp_path / "net.safetensors"
    stamp = converted.stat().st_mtime_ns
    assert convert_checkpoint(path) == converted
    assert converted.stat().st_mtime_ns == stamp
    file = find_weights("mobilenetv3_small_050", str(path))
    backbone = build_backbone(
        "mobilenetv3_small_050", 32, weights=file, generator=torch.Generator()
    )
    own = backbone.network.state_dict()
    assert all(torch.equal(own[key], state[key]) for key in own)


def test_another_file_of_that_name_stays(tmp_path: Path, state: dict[str, Any]) -> None:
    torch.save(state, tmp_path / "net.pth")
    safetensors.torch.save_file({"x": torch.zeros(1)}, tmp_path / "net.safetensors")
    converted = convert_checkpoint(tmp_path / "net.pth")
    assert converted.parent.name == "weights"
    assert list(safetensors.torch.load_file(tmp_path / "net.safetensors")) == ["x"]


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("was-executed"),))


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"x": torch.zeros(1)}, "args": Harmful()}, tmp_path / "net.pth")
    with pytest.raises(ExperimentError, match="would be executed"):
        convert_checkpoint(tmp_path / "net.pth")
    assert not Path("was-executed").exists()


def test_damaged_files(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(pickle.dumps({})[:3])
    with pytest.raises(ExperimentError, match=r"net\.pth"):
        convert_checkpoint(tmp_path / "net.pth")
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    with pytest.raises(ExperimentError, match="holds no weights"):
        convert_checkpoint(tmp_path / "none.pth")
    (tmp_path / "net.safetensors").write_bytes(b"\0" * 30)
    with pytest.raises(ExperimentError, match="cannot be read as safetensors"):
        header_of(tmp_path / "net.safetensors")
    with pytest.raises(ExperimentError, match="there is no file or folder"):
        find_weights("vgg16", str(tmp_path / "absent"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExperimentError, match=r"begins with 'vgg16\.' is looked for, found none"):
        find_weights("vgg16", str(tmp_path / "folder"))


def test_half_precision_becomes_single(tmp_path: Path, state: dict[str, Any]) -> None:
    half = {k: v.half() if v.ndim > 1 else v for k, v in state.items()}
    safetensors.torch.save_file(half, tmp_path / "half.safetensors")
    file = find_weights("mobilenetv3_small_050", str(tmp_path / "half.safetensors"))
    backbone = build_backbone(
        "mobilenetv3_small_050", 32, weights=file, generator=torch.Generator()
    )
    assert backbone.network.conv_stem.weight.dtype == torch.float32
    assert torch.equal(backbone.network.conv_stem.weight, half["conv_stem.weight"].float())


def hub_folder(folder: Path, state: dict[str, Any], architecture: str) -> Path:
    folder.mkdir()
    safetensors.torch.save_file(state, folder / "model.safetensors")
    config = {
        "architecture": architecture,
        "pretrained_cfg": {"tag": "in12k_ft_in1k", "mean": [0.5, 0.4, 0.3], "std": [1, 1, 1],
                           "input_size": [3, 160, 160]},
        "model_args": {"bn_eps": 1e-3, "img_size": 160},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_a_folder_of_the_hub(tmp_path: Path, state: dict[str, Any]) -> None:
    folder = hub_folder(tmp_path / "net", state, "mobilenetv3_small_050")
    facts = find_weights("mobilenetv3_small_050", str(folder)).facts
    assert (facts.mean, facts.input_size) == ((0.5, 0.4, 0.3), 160)
    assert facts.arguments == {"bn_eps": 1e-3}
    assert facts.datasets == ("ImageNet-12k", "ImageNet-1k")
    with pytest.raises(ExperimentError, match=r"weights of mobilenetv3_small_050.*'resnet18'"):
        find_weights("resnet18", str(folder))


def test_from_the_hub(
    tmp_path: Path, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hub_folder(tmp_path / "net", state, "mobilenetv3_small_050")
    import huggingface_hub

    asked = []

    def download(repository: str, file: str) -> str:
        asked.append(repository)
        return str(folder / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(hub, "reachable", lambda address: True)
    facts = find_weights("mobilenetv3_small_050", "hub").facts
    assert asked == ["timm/mobilenetv3_small_050.lamb_in1k"]
    assert facts.source == "hub:timm/mobilenetv3_small_050.lamb_in1k"
    assert facts.datasets == ("ImageNet-1k",)
    assert len(facts.sha256) == 64


def test_without_a_network_it_is_said_what_to_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(repository: str, file: str) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    monkeypatch.setattr(hub, "reachable", lambda address: True)
    with pytest.raises(DownloadError, match=r"download model\.safetensors.*timm/vgg16\.tv_in1k"):
        find_weights("vgg16", "hub")
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable_url)
    with pytest.raises(DownloadError, match=r"download https://.*xception.*model\.weights"):
        find_weights("xception", "hub")
    with pytest.raises(ExperimentError, match=r"'hub:tv_in2k'.*Did you mean 'tv_in1k'"):
        find_weights("vgg16", "hub:tv_in2k")


def unreachable_url(url: str, target: str, progress: bool) -> None:
    raise urllib.error.URLError("no connection")


def test_header_with_an_unknown_normalisation(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file(state, path, {"norm": "imagenet mean-std"})
    with pytest.raises(ExperimentError, match="Did you mean 'imagenet mean/std'"):
        find_weights("mobilenetv3_small_050", str(path))
    safetensors.torch.save_file(state, path, {"norm": "x/127.5-1", "datasets": "pcam, pbc"})
    facts = find_weights("mobilenetv3_small_050", str(path)).facts
    assert facts.std == (0.5, 0.5, 0.5)
    assert facts.datasets == ("pcam", "pbc")
    assert weight_files.pretraining_facts("mobilenetv3_small_050", str(path)) == facts
