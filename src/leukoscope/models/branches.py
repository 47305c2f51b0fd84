"""The networks of hybrids: two backbones side by side, or merged into one.

Each is a ``BackboneNetwork``, as of a single backbone: one module makes a vector of an image, a
head makes logits of the vector. So what is trained, what stays frozen, which features are computed
once, and what a classical head sees need no rules of their own.

Both branches get the same pixels, scaled to 0–1; each normalises them as its own weights want.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import ExperimentError
from ..records.experiment import Model
from .backbones import Backbone, BackboneNetwork, build_backbone
from .building import FlattenLikeKeras, build_layers
from .heads import head_layers
from .hybrid import branch_names
from .merging import average_weights, concatenate_weights, convolutions, trunk
from .pretrained import Pretraining, published
from .weight_files import WeightFile

__all__ = ["Branches", "MeanProbability", "Merged", "build_hybrid", "logits_of_mean_probability"]

Weights = WeightFile | Pretraining | None


class Branches(Backbone):
    """Two backbones that see the same images; their vectors concatenated or averaged."""

    means: Tensor
    stds: Tensor

    def __init__(
        self, backbones: Sequence[Backbone], facts: Sequence[Pretraining], *, average: bool
    ) -> None:
        names = "+".join(backbone.name for backbone in backbones)
        network = nn.ModuleList(backbones)
        super().__init__(network, names, backbones[0].pooling, backbones[0].size)
        self.average = average
        # Persistent: the weights of a run mean nothing without them.
        self.register_buffer("means", _channels([own.mean for own in facts]))
        self.register_buffer("stds", _channels([own.std for own in facts]))
        lengths = [backbone.length for backbone in backbones]
        if average and len(set(lengths)) > 1:
            told = " and ".join(f"{b.length} ({b.name})" for b in backbones)
            raise ExperimentError(
                f"model.fusion = 'average-features': the vectors have different lengths, {told}, "
                "so they have no mean. fusion = 'features' concatenates vectors of any lengths."
            )
        self.length = lengths[0] if average else sum(lengths)
        self.unused = tuple(
            _name(number, name) for number, b in enumerate(backbones) for name in b.unused
        )

    @property
    def branches(self) -> list[Backbone]:
        """The two backbones."""
        return list(self.network.children())  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """What the modules inside do not say; cached vectors are known by it, too."""
        return f"average={self.average}"

    def forward(self, batch: Tensor) -> Tensor:
        """The first branch's vector and behind it the second's, or their mean."""
        normalised = [(batch - m) / s for m, s in zip(self.means, self.stds, strict=True)]
        both = zip(self.branches, normalised, strict=True)
        vectors = [branch(images) for branch, images in both]
        return torch.stack(vectors).mean(0) if self.average else torch.cat(vectors, dim=1)

    def groups(self) -> list[list[str]]:
        """Blocks of both, counted from the end: the last block is the last one of each."""
        both = [
            [[_name(number, name) for name in group] for group in branch.groups()]
            for number, branch in enumerate(self.branches)
        ]
        paired = itertools.zip_longest(*(groups[::-1] for groups in both), fillvalue=[])
        return [[*one, *other] for one, other in paired][::-1]


def _name(number: int, name: str) -> str:
    """A parameter of a branch's network as ``Branches.network`` has it."""
    return f"{number}.network.{name}"


def _channels(values: Sequence[Sequence[float]]) -> Tensor:
    """(networks, 3, 1, 1)"""
    return torch.tensor(values).reshape(len(values), 3, 1, 1)


class Merged(Backbone):
    """One VGG network made of two, as deep and wide as its weights are."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, weights: Mapping[str, Tensor], facts: Pretraining, name: str, pooling: str, size: int
    ) -> None:
        super().__init__(trunk(weights), name, pooling, size)
        self.register_buffer("mean", _channels([facts.mean]))
        self.register_buffer("std", _channels([facts.std]))
        last = convolutions(weights)[-1]
        side = size >> (last.block + 1)
        if side < 1:
            raise ExperimentError(
                f"preprocess.size is {size}, which {name} cannot take: nothing is left of the "
                "image after its pools. VGGs were trained at 224 and take at least 32."
            )
        self.length = len(last.weight) * (1 if pooling == "average" else side * side)

    def forward(self, batch: Tensor) -> Tensor:
        """Pooled or flattened features."""
        features: Tensor = self.network((batch - self.mean) / self.std)
        if self.pooling == "average":
            return features.mean(dim=(2, 3))
        flat: Tensor = FlattenLikeKeras()(features)
        return flat

    def groups(self) -> list[list[str]]:
        """One block a convolution, as timm divides a VGG."""
        names = [name for name, _ in self.network.named_parameters()]
        by_layer = itertools.groupby(names, key=lambda name: name.rpartition(".")[0])
        return [list(group) for _, group in by_layer]


class MeanProbability(nn.Module):
    """A head for each branch, on its part of the concatenated vector."""

    def __init__(self, heads: Sequence[nn.Module], lengths: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.lengths = list(lengths)

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits (n, units) whose probabilities are the mean of both heads' probabilities."""
        parts = torch.split(vectors, self.lengths, dim=1)
        first, second = (head(part) for head, part in zip(self.heads, parts, strict=True))
        return logits_of_mean_probability(first, second)


def logits_of_mean_probability(first: Tensor, second: Tensor) -> Tensor:
    """Logits of the mean of two networks' probabilities.

    So the loss and everything after it see one network. Computed from logarithms: no probability
    of 0 or 1 is ever divided by.

    Parameters
    ----------
    first, second
        (n, 1) logits of a sigmoid, or (n, classes) of a softmax.
    """
    first, second = first.float(), second.float()
    if first.shape[1] == 1:
        yes = torch.logaddexp(functional.logsigmoid(first), functional.logsigmoid(second))
        no = torch.logaddexp(functional.logsigmoid(-first), functional.logsigmoid(-second))
        return yes - no
    both = torch.logaddexp(first.log_softmax(1), second.log_softmax(1))
    return both - math.log(2)


def build_hybrid(
    model: Model,
    size: int,
    classes: int,
    weights: WeightFile | Pretraining | None,
    generator: torch.Generator,
) -> BackboneNetwork:
    """The network of ``hybrid:A+B``; see ``models.build``.

    Parameters
    ----------
    weights
        Of both (``hybrid.join_weights``): files are loaded; facts alone (where all weights are
        loaded later) set arguments and normalisation; None begins from random weights.

    Raises
    ------
    ExperimentError
        When the two cannot be joined as ``model.fusion`` says.
    """
    names = branch_names(model.name)
    each: Sequence[Weights] = (None, None) if weights is None else weights.branches
    backbones = [
        build_backbone(name, size, pooling=model.pooling, weights=own, generator=generator)
        for name, own in zip(names, each, strict=True)
    ]
    facts = [_facts(name, own) for name, own in zip(names, each, strict=True)]
    joined: Backbone
    if model.fusion in ("average-weights", "concatenate-weights"):
        joined = _merged(model, backbones, facts)
    else:
        joined = Branches(backbones, facts, average=model.fusion == "average-features")
    head: nn.Module
    if model.fusion == "probabilities":
        lengths = [backbone.length for backbone in backbones]
        head = MeanProbability([_head(model, classes, n, generator) for n in lengths], lengths)
    else:
        head = _head(model, classes, joined.length, generator)
    return BackboneNetwork(joined, head, model.trainable)


def _head(model: Model, classes: int, length: int, generator: torch.Generator) -> nn.Sequential:
    return build_layers(head_layers(model, classes), length, 1, generator)


def _facts(name: str, weights: Weights) -> Pretraining:
    if isinstance(weights, WeightFile):
        return weights.facts
    return weights or published(name)[0]


def _merged(model: Model, backbones: Sequence[Backbone], facts: Sequence[Pretraining]) -> Merged:
    """One network of two; the weights meet, so the images must be normalised alike."""
    first, second = backbones
    if (facts[0].mean, facts[0].std) != (facts[1].mean, facts[1].std):
        raise ExperimentError(
            f"model.fusion = '{model.fusion}': the weights of {first.name} and {second.name} want "
            "differently normalised images, and one network sees them one way. Use weights of one "
            "pretraining, or fusion = 'features'."
        )
    join = average_weights if model.fusion == "average-weights" else concatenate_weights
    states = (first.network.state_dict(), second.network.state_dict())
    weights = join(*states, (first.name, second.name))
    return Merged(weights, facts[0], f"{first.name}+{second.name}", model.pooling, first.size)
