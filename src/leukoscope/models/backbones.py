"""Backbones of timm with the papers' heads.

``BackboneNetwork`` is a backbone, which makes a vector of an image, and a head, which makes logits
of the vector: fully connected layers (``hidden``), dropout, one sigmoid unit or one unit a class.
The heads of the papers are values of ``hidden``, ``pooling`` and ``outputs``: varol2024 (256, 128)
and a sigmoid, fata2023 (512,) behind a flatten and a softmax, abed2022 (DenseNet169) a softmax of
two.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from ..errors import ExperimentError
from ..records.experiment import Model
from .building import FlattenLikeKeras, build_layers
from .heads import head_layers
from .pretrained import Pretraining, timm_name
from .timm_import import import_timm
from .weight_files import WeightFile, header_of

__all__ = ["Backbone", "BackboneNetwork", "build_backbone", "build_network"]

FILTERS = ("checkpoint_filter_fn", "_filter_fn", "_filter_torchvision_pretrained")
"""How timm's modules call the function that renames the weights of other libraries."""
HEADS = ("pre_logits.", "head.", "head_dist.", "fc.", "classifier.", "AuxLogits.", "mask_token")
"""What a file may hold beyond the backbone: heads of the pretraining."""
COUNTER = "num_batches_tracked"
"""Of batch normalisation: absent in older files, and without meaning for its statistics."""


class Backbone(nn.Module):
    """Images (n, 3, size, size), normalised as its weights want, to vectors (n, length)."""

    def __init__(self, network: nn.Module, name: str, pooling: str, size: int) -> None:
        super().__init__()
        self.network = network
        self.name = name
        self.pooling = pooling
        self.size = size
        self.length = 0
        """Of the vectors."""
        self.unused: tuple[str, ...] = ()
        """Parameters that the vectors do not depend on: what follows the pooling, for a flatten."""

    def forward(self, batch: Tensor) -> Tensor:
        """Pooled or flattened features."""
        network: Any = self.network
        if self.pooling == "average":
            pooled: Tensor = network.forward_head(network.forward_features(batch), pre_logits=True)
            return pooled
        features: Tensor = network.forward_features(batch)
        # Height, width, channels as in Keras, so that (512,) behind it means the same weights.
        return FlattenLikeKeras()(features) if features.ndim == 4 else features.flatten(1)

    def groups(self) -> list[list[str]]:
        """Names of the parameters, block by block as timm groups them, the stem first.

        Raises
        ------
        ExperimentError
            When timm does not say how this network is divided.
        """
        if not hasattr(self.network, "group_matcher"):
            raise ExperimentError(
                f"timm does not divide {self.name} into blocks. Use model.trainable = 'head' or "
                "'all'."
            )
        network: Any = self.network
        matcher = network.group_matcher(coarse=True)
        grouped = import_timm().models.group_parameters(network, matcher)
        return [grouped[number] for number in sorted(grouped)]


class BackboneNetwork(nn.Module):
    """A backbone and a head; ``model.trainable`` says what of the backbone is trained.

    A part that is frozen stays in evaluation mode: its batch normalisation keeps its statistics
    and it drops nothing.
    """

    def __init__(self, backbone: Backbone, head: nn.Module, trainable: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.trainable = trainable
        self.thaw(0)

    def vectors(self, batch: Tensor) -> Tensor:
        """What the head sees, (n, length)."""
        vectors: Tensor = self.backbone(batch)
        return vectors

    def forward(self, batch: Tensor) -> Tensor:
        """Logits (n, units)."""
        logits: Tensor = self.head(self.vectors(batch))
        return logits

    def thaw(self, epoch: int) -> bool:
        """Set what is trained in this epoch, counted from 0; whether that changed.

        ``gradual`` is the schedule of Howard & Ruder 2018 (section 3.3): the head alone in the
        first epoch, and in each that follows one block more, from the end.
        """
        parameters = dict(self.backbone.network.named_parameters())
        before = [parameter.requires_grad for parameter in parameters.values()]
        chosen = set(parameters)
        if self.trainable != "all":
            groups = [] if self.trainable == "head" else self.backbone.groups()
            count = epoch
            if self.trainable.startswith("last-"):
                count = int(self.trainable.removeprefix("last-"))
                if count > len(groups):
                    raise ExperimentError(
                        f"model.trainable is '{self.trainable}', but {self.backbone.name} has "
                        f"{len(groups)} blocks. Use at most 'last-{len(groups)}', or 'all'."
                    )
            chosen = {name for group in groups[::-1][:count] for name in group}
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in chosen and name not in self.backbone.unused)
        self.train(self.training)
        return before != [parameter.requires_grad for parameter in parameters.values()]

    def train(self, mode: bool = True) -> BackboneNetwork:
        """Training or evaluation mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        if mode:
            for module in self.backbone.modules():
                own = list(module.parameters())
                if own and not any(parameter.requires_grad for parameter in own):
                    module.eval()
        return self


def build_network(
    model: Model,
    size: int,
    classes: int,
    weights: WeightFile | Pretraining | None,
    generator: torch.Generator,
) -> BackboneNetwork:
    """The network of a model whose name is a backbone's; see ``models.build``."""
    backbone = build_backbone(
        model.name, size, pooling=model.pooling, weights=weights, generator=generator
    )
    with torch.random.fork_rng(devices=[]):
        head = build_layers(head_layers(model, classes), backbone.length, 1, generator)
    return BackboneNetwork(backbone, head, model.trainable)


def build_backbone(
    name: str,
    size: int,
    *,
    pooling: str = "average",
    weights: WeightFile | Pretraining | None = None,
    generator: torch.Generator,
) -> Backbone:
    """A backbone without a head.

    Parameters
    ----------
    name
        The papers' or timm's.
    size
        Side of the images in pixels; any that the network can take, whatever it was trained at.
    pooling
        ``average``: what timm's pooling gives (of a transformer, its class token); ``flatten``:
        the features at all places.
    weights
        A file is loaded; facts alone (of a file that is loaded later) set the arguments; None
        begins from random weights.
    generator
        Draws the weights that are not loaded.

    Raises
    ------
    ExperimentError
        When the name is unknown, the size is too small, or the weights are another network's.
    """
    facts = weights.facts if isinstance(weights, WeightFile) else weights
    arguments = dict(facts.arguments) if facts is not None else {}
    seed = int(torch.randint(2**62, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = Backbone(_create(name, size, arguments), name, pooling, size)
        _measure(backbone)
    if isinstance(weights, WeightFile):
        _load(backbone, weights)
    return backbone


def _create(name: str, size: int, arguments: Mapping[str, Any]) -> nn.Module:
    """timm's network without its classifier, and VGG's without its two layers of 4096."""
    timm, architecture = import_timm(), timm_name(name)
    chosen = dict(arguments)
    config = timm.get_pretrained_cfg(architecture)
    if config is not None and config.fixed_input_size:
        chosen["img_size"] = size
    if architecture.startswith("vgg"):
        # Those layers have 120 million weights, which would be drawn and thrown away.
        chosen["mlp_ratio"] = 1 / 4096
    try:
        network: nn.Module = timm.create_model(architecture, num_classes=0, **chosen)
    except (AssertionError, TypeError) as reason:
        raise ExperimentError(f"{name} cannot be built at {size} px: {reason}.") from reason
    if hasattr(network, "pre_logits"):
        network.pre_logits = nn.Identity()
    return network


def _measure(backbone: Backbone) -> None:
    """Fill in the length of the vectors and the parameters they do not depend on."""
    backbone.eval()
    network, size = backbone.network, backbone.size
    _refuse_cut_patches(network, backbone.name, size)
    flat = backbone.pooling == "flatten"
    try:
        with torch.set_grad_enabled(flat):
            vectors = backbone(torch.zeros(1, 3, size, size))
    except (RuntimeError, AssertionError) as reason:
        raise ExperimentError(
            f"preprocess.size is {size}, which {backbone.name} cannot take "
            f"({str(reason).splitlines()[0]}). Use its own size, "
            f"{_own_size(backbone.name)}, or another that is large enough."
        ) from reason
    backbone.length = int(vectors.shape[1])
    if flat:  # what stands behind the pooling has no part in it
        names, parameters = zip(*network.named_parameters(), strict=True)
        gradients = torch.autograd.grad(vectors.sum(), parameters, allow_unused=True)
        found = zip(names, gradients, strict=True)
        backbone.unused = tuple(name for name, gradient in found if gradient is None)


def _refuse_cut_patches(network: Any, name: str, size: int) -> None:
    """A transformer would pass over the pixels that do not fill a patch."""
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) else patch
    if side and size % side:
        raise ExperimentError(
            f"preprocess.size is {size}, which {name} cannot take: it sees patches of {side} "
            f"pixels. Use a multiple, such as {max(1, round(size / side)) * side}."
        )


def _own_size(name: str) -> int:
    return int(import_timm().get_pretrained_cfg(timm_name(name)).input_size[-1])


def _load(backbone: Backbone, file: WeightFile) -> None:
    """Load the file's weights as float32; heads of the pretraining are passed over.

    Raises
    ------
    ExperimentError
        When they do not fit: both networks are named, and the first difference.
    """
    found = {
        key.removeprefix(file.prefix): value.float() if value.is_floating_point() else value
        for key, value in safetensors.torch.load_file(file.path).items()
        if key.startswith(file.prefix)
    }
    network = backbone.network
    own = network.state_dict()
    difference = _difference(own, found)
    if difference:
        found = _renamed(network, found)
        difference = _difference(own, found)
    if difference:
        raise ExperimentError(
            f"{file.path}: these are not weights of {backbone.name} ({timm_name(backbone.name)}) "
            f"but of {_whose(file)}: {difference}. Give weights of "
            f"{timm_name(backbone.name)}, or set model.name to the network that they belong to."
        )
    network.load_state_dict({key: found.get(key, value) for key, value in own.items()})


def _difference(own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """The first thing that does not fit, in words; empty where all fits."""
    missing = [k for k in own if k not in found and not k.endswith(COUNTER)]
    extra = [k for k in found if k not in own and not k.startswith(HEADS) | k.endswith(COUNTER)]
    if missing:
        there = f"; it has {extra[0]}" if extra else ""
        return f"{len(missing)} of {len(own)} tensors are absent, first {missing[0]}{there}"
    for key, value in own.items():
        if key in found and found[key].shape != value.shape:
            return f"{key} is {tuple(found[key].shape)}, {tuple(value.shape)} was expected"
    return f"{len(extra)} tensors are too many, first {extra[0]}" if extra else ""


def _renamed(network: nn.Module, found: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names (and position embeddings) of other libraries and sizes as timm has them."""
    module = sys.modules[type(network).__module__]
    for name in FILTERS:
        rename = getattr(module, name, None)
        if rename is None:
            continue
        takes_network = len(inspect.signature(rename).parameters) > 1
        try:
            renamed = rename(dict(found), network) if takes_network else rename(dict(found))
        except (KeyError, RuntimeError, AttributeError, IndexError):
            continue  # made for another layout; the difference is told as it is
        return dict(renamed)
    return found


def _whose(file: WeightFile) -> str:
    """What the file says that it is, or else its name."""
    header = header_of(file.path)
    said = (header.get("timm") or header.get("torchvision") or "").split(" ")[0]
    return said or f"another network (the file is called {file.path.name})"
