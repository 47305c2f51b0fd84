"""What is known of published backbones and of each set of weights, in one place.

A backbone has the name that the papers use, or timm's own. With its weights travel the facts that
they were trained under: padding and batch normalisation (arguments of the network), input size,
mean and standard deviation. They come, in this order, from the header of a safetensors file (keys
``timm`` and ``norm``), from a ``config.json`` beside it as the Hugging Face hub writes it, and
else from timm's own table of published weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from ..errors import ExperimentError, suggestion
from ..schema import Record
from .classical.names import without_head
from .timm_import import import_timm

__all__ = [
    "BACKBONES",
    "HUB_IDS",
    "Pretraining",
    "datasets_of_tag",
    "facts_of_config",
    "facts_of_header",
    "is_backbone",
    "known_names",
    "published",
    "timm_name",
]

BACKBONES: dict[str, str] = {
    "vgg16": "vgg16",
    "vgg19": "vgg19",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "inception_v3": "inception_v3",
    # Chollet's network of 2017, which Keras has; timm's others of the name are wider relatives.
    "xception": "legacy_xception",
    "mobilenet_v1": "mobilenetv1_100",
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3": "mobilenetv3_large_100",
    "densenet121": "densenet121",
    "densenet169": "densenet169",
    "efficientnet_b0": "efficientnet_b0",
    "convnext_tiny": "convnext_tiny",
    "dinov2-s": "vit_small_patch14_dinov2",
    "dinobloom-s": "vit_small_patch14_dinov2",
}
"""The papers' names → timm's. Any other name of timm is taken as it is."""

HUB_IDS = {"dinobloom-s": "1aurent/vit_small_patch14_224.dinobloom"}
"""Weights that timm does not list: name → repository on the Hugging Face hub.

DinoBloom-S (Koch et al. 2024, arXiv 2404.05022; Apache-2.0) is DINOv2's ViT-S/14 at 224 px; this
is timm's layout of the file on Zenodo (record 10908163), which can be given as a file too."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
NORMS = {"imagenet mean/std": IMAGENET, "x/127.5-1": HALVES}
"""What ``norm`` in a file's header may say."""

LVD_142M = ("LVD-142M", "ImageNet-22k", "ImageNet-1k")
"""DINOv2's images (Oquab et al. 2023, arXiv 2304.07193, §3), with the two sets that are whole in
it."""
BLOOD_OF_DINOBLOOM = (
    "pbc",
    "lisc",
    "jtsc",
    "cellavision-2",
    "bccd",
    "Raabin-WBC",
    "AML Hehr",
    "AML-Cytomorphology_LMU",
    "BM_cytomorphology_data",
    "APL-AML (Sidhom)",
    "NuClick",
    "Chula RBC-12",
    "Warty pig",
)
"""Public sets of blood and marrow cells that DinoBloom has, or may have, seen (Koch et al. 2024).

By their names in our catalogue where they have one. Its weights carry no list of files, so whatever
is doubtful stands here: a refusal too many costs less than a leak. That a set is absent does not
prove that it was not seen."""
TAG_DATASETS = {
    "in1k": ("ImageNet-1k",),
    "in12k": ("ImageNet-12k",),
    "in21k": ("ImageNet-21k",),
    "in22k": ("ImageNet-22k",),
    "lvd142m": LVD_142M,
    "lvd1689m": ("LVD-1689M",),
    "laion2b": ("LAION-2B",),
    "laion400m": ("LAION-400M",),
    "openai": ("WebImageText",),
    "dinobloom": (*LVD_142M, *BLOOD_OF_DINOBLOOM),
}
"""Parts of a tag of timm → the names of what was trained on, the first stage first."""

Triple = tuple[float, float, float]


class Pretraining(Record):
    """Where a backbone's weights come from, and the facts that belong to them."""

    source: str
    """``hub:REPOSITORY``, ``file:NAME`` or ``run:NAME``; ``none`` for no weights."""
    sha256: str = ""
    """Of the file; empty for no weights."""
    architecture: str
    """timm's name."""
    arguments: dict[str, str | float] = Field(default={})
    """Of the network: ``pad_type``, ``bn_eps``, where they differ from timm's."""
    input_size: int
    """Pixels on a side in the pretraining; another size is allowed."""
    mean: Triple
    """Of red, green and blue in 0–1, subtracted."""
    std: Triple
    """Divided by, after the mean."""
    datasets: tuple[str, ...] = ()
    """Names of what was trained on, the first stage first; empty where nobody says."""
    branches: tuple[Pretraining, ...] = ()
    """Of a hybrid: the facts of each of its networks."""


def known_names() -> list[str]:
    """Every name that a backbone can have: the papers' and, where timm is installed, timm's."""
    names = list(BACKBONES)
    if find_spec("timm") is not None:
        names += import_timm().list_models()
    return names


def is_backbone(name: str) -> bool:
    """Whether timm has a network of this name (or of the papers' name for it), head or not."""
    name = without_head(name)
    if name in BACKBONES:
        return True
    return find_spec("timm") is not None and bool(import_timm().is_model(name)) and "." not in name


def timm_name(name: str) -> str:
    """timm's name of a backbone.

    Raises
    ------
    ExperimentError
        When there is no such network; near names are told.
    """
    name = without_head(name)
    if not is_backbone(name):
        bare, dot, tag = name.partition(".")
        if dot and is_backbone(bare):
            raise ExperimentError(
                f"model.name is '{name}': the tag belongs to the weights. Set model.name = "
                f"'{bare}' and model.weights = 'hub:{tag}'."
            )
        raise ExperimentError(f"model.name is '{name}'. {suggestion(name, known_names())}")
    return BACKBONES.get(name, name)


def published(name: str, tag: str = "") -> tuple[Pretraining, Any]:
    """The facts of weights that timm lists, and timm's own record of them.

    Parameters
    ----------
    name
        Of the backbone.
    tag
        Of the weights, such as ``tv_in1k``; empty for timm's default.

    Raises
    ------
    ExperimentError
        When timm lists no weights of this tag (the known ones are told).
    """
    timm, architecture = import_timm(), timm_name(name)
    listed = timm.list_pretrained(f"{architecture}.*")
    tags = [entry.partition(".")[2] for entry in listed]
    if tag and tag not in tags:
        raise ExperimentError(
            f"model.weights is 'hub:{tag}', but timm lists no such weights of {architecture}. "
            f"{suggestion(tag, tags)}"
        )
    with warnings.catch_warnings():  # names that timm has renamed still work
        warnings.simplefilter("ignore")
        config = timm.get_pretrained_cfg(f"{architecture}.{tag}" if tag else architecture)
    if config is None:
        raise ExperimentError(f"timm knows no input size and normalisation of {architecture}.")
    # Without weights at all such an entry still says how inputs are scaled.
    facts = Pretraining(
        source="none",
        architecture=architecture,
        input_size=int(config.input_size[-1]),
        mean=_triple(config.mean),
        std=_triple(config.std),
    )
    return facts, config


def facts_of_config(facts: Pretraining, table: Mapping[str, Any]) -> Pretraining:
    """``facts`` changed by a ``config.json`` of the Hugging Face hub."""
    config = table.get("pretrained_cfg", {})
    changed: dict[str, Any] = {}
    for key in ("mean", "std"):
        if key in config:
            changed[key] = _triple(config[key])
    if "input_size" in config:
        changed["input_size"] = int(config["input_size"][-1])
    arguments = table.get("model_args", {})
    changed["arguments"] = facts.arguments | {
        key: arguments[key] for key in ("pad_type", "bn_eps") if key in arguments
    }
    if config.get("tag"):
        changed["datasets"] = datasets_of_tag(str(config["tag"]))
    return facts.model_copy(update=changed)


def facts_of_header(facts: Pretraining, header: Mapping[str, str], where: str) -> Pretraining:
    """``facts`` changed by the header of a safetensors file.

    ``timm`` is an architecture and its arguments (``mobilenetv1_100 pad_type=same bn_eps=1e-3``);
    ``norm`` one of ``NORMS``; ``datasets`` names, separated by commas.

    Raises
    ------
    ExperimentError
        When ``norm`` says something unknown.
    """
    changed: dict[str, Any] = {}
    pairs = [part.partition("=") for part in header.get("timm", "").split()[1:]]
    changed["arguments"] = facts.arguments | {key: _value(text) for key, _, text in pairs}
    if "norm" in header:
        if header["norm"] not in NORMS:
            raise ExperimentError(
                f"{where}: the header's norm is '{header['norm']}'. "
                f"{suggestion(header['norm'], NORMS)}"
            )
        changed["mean"], changed["std"] = NORMS[header["norm"]]
    if "datasets" in header:
        changed["datasets"] = tuple(name.strip() for name in header["datasets"].split(","))
    return facts.model_copy(update=changed)


def datasets_of_tag(tag: str) -> tuple[str, ...]:
    """What weights were trained on, by the parts of their tag: ``in12k_ft_in1k`` is two sets."""
    names = (name for part in tag.split("_") for name in TAG_DATASETS.get(part, ()))
    return tuple(dict.fromkeys(names))


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _triple(values: Any) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
