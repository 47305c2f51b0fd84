"""Weights of a backbone as one local safetensors file, wherever they come from.

The hub is asked only where the experiment says ``hub``. A pickled checkpoint passes once through a
converter that reads tensors and nothing else; what a network loads is always safetensors.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExperimentError, StorageError
from ..files import atomic_path, cache_folder, sha256_file
from .hub import fetch, hub_file
from .pretrained import (
    HUB_IDS,
    Pretraining,
    datasets_of_tag,
    facts_of_config,
    facts_of_header,
    is_backbone,
    published,
    timm_name,
)

__all__ = ["WeightFile", "convert_checkpoint", "find_weights", "header_of", "pretraining_facts"]

PICKLES = (".pth", ".pt", ".bin", ".tar", ".ckpt")
WRAPPERS = ("state_dict", "model_state_dict", "model", "teacher")
"""Keys under which checkpoints keep their weights; DINOv2 and DinoBloom use ``teacher``."""
PREFIXES = ("module.", "backbone.")
LEFT_OUT = ("dino_head.", "ibot_head.")
"""Heads of the self-supervised training, which no classifier has."""


@dataclass(frozen=True)
class WeightFile:
    """A safetensors file and the facts that belong to it."""

    path: Path
    facts: Pretraining
    prefix: str = ""
    """Of the names in the file that belong to the backbone; others are passed over."""
    branches: tuple[WeightFile | None, ...] = ()
    """Of a hybrid: one for each of its networks, and ``path`` is that of the first."""


def pretraining_facts(name: str, weights: str) -> Pretraining:
    """The facts of a backbone's weights without loading or downloading them.

    For weights that are not there (``none``) those of timm's default: inputs need a scale also
    where a network begins from nothing.
    """
    if not is_backbone(name):
        raise ExperimentError(
            f"preprocess.scale is 'pretrained', but {name} has no pretrained weights. "
            "Use 'unit' or 'symmetric'."
        )
    if weights == "none":
        return published(name)[0]
    if weights == "hub" or weights.startswith("hub:"):
        tag = weights.partition(":")[2]
        facts, config = published(name, tag)
        return facts.model_copy(update={"datasets": datasets_of_tag(str(config.tag))})
    return find_weights(name, weights).facts


def find_weights(name: str, weights: str) -> WeightFile:
    """The local file for ``model.weights`` (anything but ``none``) and its facts.

    Parameters
    ----------
    name
        Of the backbone.
    weights
        ``hub``, ``hub:TAG``, or the path of a safetensors file, of a checkpoint, or of a folder
        that holds one (of several, the one whose name begins with the backbone's).

    Raises
    ------
    ExperimentError
        When there is no such file or tag, or the file is for another architecture.
    DownloadError
        When the hub cannot be reached: says what to download and where to put it.
    """
    if weights == "hub" or weights.startswith("hub:"):
        return _from_hub(name, weights.partition(":")[2])
    path = Path(weights).expanduser()
    if path.is_dir():
        path = _choose(path, name)
    if not path.is_file():
        raise ExperimentError(
            f"model.weights: there is no file or folder {path}. Give 'hub' to download "
            f"timm's weights of {name}, or a safetensors file of {timm_name(name)}."
        )
    return _local(name, path, f"file:{path.name}")


def header_of(path: Path) -> dict[str, str]:
    """The metadata in a safetensors file's header.

    Raises
    ------
    ExperimentError
        When the file is no safetensors file.
    """
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, safetensors.SafetensorError) as reason:
        raise ExperimentError(
            f"{path}: cannot be read as safetensors ({reason}). Download the file again."
        ) from reason


def _local(name: str, path: Path, source: str) -> WeightFile:
    if path.suffix in PICKLES:
        path = convert_checkpoint(path)
    header = header_of(path)
    facts, _ = published(name)
    config = path.parent / "config.json"
    if path.stem == "model" and config.is_file():
        table = read_json_object(config)
        _refuse_other(name, str(table.get("architecture", "")), path)
        facts = facts_of_config(facts, table)
    _refuse_other(name, (header.get("timm") or header.get("torchvision", "")).split(" ")[0], path)
    facts = facts_of_header(facts, header, str(path))
    if name in HUB_IDS and not facts.datasets:
        facts = facts.model_copy(update={"datasets": datasets_of_tag(name.partition("-")[0])})
    return WeightFile(
        path, facts.model_copy(update={"source": source, "sha256": sha256_file(path)})
    )


def read_json_object(path: Path) -> dict[str, Any]:
    """A JSON object of somebody else's making."""
    import json

    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise ExperimentError(f"{path}: cannot be read ({reason}). Download it again.") from reason
    return table if isinstance(table, dict) else {}


def _refuse_other(name: str, found: str, path: Path) -> None:
    """A file that names its architecture is not tried on another one."""
    bare = found.partition(".")[0]
    # A foundation model's repository may call the same network by another size.
    if bare and bare != timm_name(name) and name not in HUB_IDS:
        raise ExperimentError(
            f"{path}: these are weights of {bare}, and model.name is '{name}' "
            f"({timm_name(name)}). Give weights of {timm_name(name)}, or set model.name = '{bare}'."
        )


def _choose(folder: Path, name: str) -> Path:
    """The weights in a folder; of several, those whose file name begins with the backbone's."""
    found = sorted(p for p in folder.iterdir() if p.suffix == ".safetensors")
    found = found or sorted(p for p in folder.iterdir() if p.suffix in PICKLES)
    if len(found) == 1:
        return found[0]
    named = [p for p in found if _stem(p) in (name, timm_name(name))]
    if len(named) == 1:
        return named[0]
    if not named:
        listed = ", ".join(p.name for p in found) or "none"
        raise ExperimentError(
            f"no weights of {name} lie in {folder}. A file whose name begins with "
            f"'{timm_name(name)}.' is looked for, found {listed}. Give the file itself in "
            "model.weights."
        )
    listed = ", ".join(p.name for p in named)
    raise ExperimentError(
        f"{folder}: which weights of {name}? Several files are named so: {listed}. Give one of "
        "them in model.weights."
    )


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _from_hub(name: str, tag: str) -> WeightFile:
    facts, config = published(name, tag)
    wanted = hub_file(name, tag)
    path, *beside = fetch(wanted)
    if wanted.repository:
        if name in HUB_IDS:
            facts = facts_of_config(facts, read_json_object(beside[0]))
        source = f"hub:{wanted.repository}"
    else:
        path = convert_checkpoint(path)
        source = f"hub:{wanted.address}"
    datasets = facts.datasets or datasets_of_tag(str(config.tag))
    if name in HUB_IDS:
        datasets = datasets_of_tag(name.partition("-")[0])
    changed = {"source": source, "sha256": sha256_file(path), "datasets": datasets}
    return WeightFile(path, facts.model_copy(update=changed))


def convert_checkpoint(path: Path) -> Path:
    """A pickled checkpoint as safetensors, beside it or in the cache; done once for each content.

    Only tensors are read (``torch.load(weights_only=True)``); optimiser state, heads of a
    self-supervised training and prefixes of wrappers are left out.

    Raises
    ------
    ExperimentError
        When the file holds anything that would be executed, or no weights.
    """
    import safetensors.torch

    digest = sha256_file(path)
    for target in _targets(path, digest):
        if target.is_file() and header_of(target).get("converted_from_sha256") == digest:
            return target
    tensors = _tensors_of(path)
    header = {"converted_from_sha256": digest, "converted_from": path.name}
    for target in _targets(path, digest):
        # Somebody else's file of that name stays as it is.
        if target.is_file() or not _writable(target.parent):
            continue
        with atomic_path(target) as temporary:
            safetensors.torch.save_file(tensors, temporary, header)
        return target
    raise StorageError(
        f"{path}: the converted weights can be written neither beside it nor into the cache. "
        "Set LEUKOSCOPE_CACHE to a folder that can be written."
    )


def _targets(path: Path, digest: str) -> tuple[Path, Path]:
    beside = path.with_suffix(".safetensors")
    return beside, cache_folder() / "weights" / f"{path.stem}.{digest[:16]}.safetensors"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _tensors_of(path: Path) -> dict[str, Any]:
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as reason:
        raise ExperimentError(
            f"{path}: holds more than tensors, and what it holds would be executed on loading. "
            "Save its state_dict alone, or give a safetensors file."
        ) from reason
    except (OSError, EOFError, RuntimeError, ValueError, KeyError) as reason:
        raise ExperimentError(
            f"{path}: cannot be read as a checkpoint ({reason or type(reason).__name__}). "
            "Download the file again."
        ) from reason
    while isinstance(loaded, Mapping) and any(key in loaded for key in WRAPPERS):
        loaded = loaded[next(key for key in WRAPPERS if key in loaded)]
    tensors = {}
    for key, value in loaded.items() if isinstance(loaded, Mapping) else ():
        name = str(key)
        for prefix in PREFIXES:
            name = name.removeprefix(prefix)
        if isinstance(value, torch.Tensor) and not name.startswith(LEFT_OUT):
            tensors[name] = value.detach().clone().contiguous()
    if not tensors:
        raise ExperimentError(f"{path}: holds no weights: no tensors with names were found in it.")
    return tensors
