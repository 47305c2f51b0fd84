"""Two VGG networks made into one by their parameters: averaged, or concatenated.

bhavsar2023 (§III-B) joins VGG16 and VGG19 "by averaging or concatenating the weight matrices from
corresponding layers", biases too, then fine-tunes. It does not say which layers correspond. Here
they do so block by block (a block ends in a pool), first with first: VGG16's thirteen convolutions
meet their partners, and the fourth ones of VGG19's blocks 3, 4 and 5 have none.

The functions take and give state dicts with the names of timm and torchvision:
``features.N.weight`` and ``features.N.bias``, N counting convolutions, ReLUs and pools. Pools have
no weights and show as a larger step in N. Everything else (the fully connected layers, 4,096 wide
and of equal shape in all VGGs) is averaged where names and shapes agree, and has no part in a
concatenation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..errors import ExperimentError

__all__ = [
    "Convolution",
    "average_weights",
    "concatenate_weights",
    "convolution_weights",
    "convolutions",
    "trunk",
]

State = Mapping[str, Tensor]
INSTEAD = "fusion = 'features' and 'probabilities' join any two networks"


@dataclass(frozen=True)
class Convolution:
    """One 3 × 3 convolution of a VGG network."""

    name: str
    """As in the state dict, without ``.weight``: ``features.0``."""
    block: int
    place: int
    """Within its block, from 0."""
    weight: Tensor
    """(outputs, inputs, 3, 3), float32."""
    bias: Tensor
    """(outputs,), float32."""

    def __str__(self) -> str:
        shape = "×".join(map(str, self.weight.shape))
        return f"block {self.block + 1} convolution {self.place + 1} ({shape})"


def convolutions(state: State, name: str = "this network") -> tuple[Convolution, ...]:
    """The convolutions of a VGG network in their order, from its state dict.

    Parameters
    ----------
    state
        As timm and torchvision name it; half precision becomes float32.
    name
        Of the network, for messages.

    Raises
    ------
    ExperimentError
        When these are not the weights of a VGG without batch normalisation.
    """
    found = {key for key in state if key.startswith("features.")}
    places = sorted(
        int(match[1]) for key in found if (match := re.fullmatch(r"features\.(\d+)\.weight", key))
    )
    expected = {f"features.{place}.{kind}" for place in places for kind in ("weight", "bias")}
    stray = sorted(found ^ expected)
    if not places or stray or any(state[f"features.{n}.weight"].ndim != 4 for n in places):
        seen = f" (found {stray[0]})" if stray and stray[0] in found else ""
        raise ExperimentError(
            f"{name}: its weights can be neither averaged nor concatenated with another "
            "network's: only plain VGG networks (vgg16, vgg19), whose every layer is a "
            f"convolution features.N with a bias, correspond layer by layer{seen}; {INSTEAD}."
        )
    made: list[Convolution] = []
    for before, place in zip([None, *places], places, strict=False):
        # A ReLU follows every convolution: the next one is two further, or three after a pool.
        new_block = before is not None and place - before > 2
        last = made[-1] if made else None
        block = 0 if last is None else last.block + new_block
        number = 0 if last is None or new_block else last.place + 1
        layer = f"features.{place}"
        weight, bias = (state[f"{layer}.{kind}"].float() for kind in ("weight", "bias"))
        made.append(Convolution(layer, block, number, weight, bias))
    return tuple(made)


def convolution_weights(state: State) -> int:
    """How many weights the convolutions have, biases included: the network without its top."""
    return sum(one.weight.numel() + one.bias.numel() for one in convolutions(state))


def average_weights(
    first: State, second: State, names: tuple[str, str] = ("first", "second")
) -> dict[str, Tensor]:
    """The deeper of two VGG networks with the mean of both wherever they correspond.

    VGG16 and VGG19: thirteen convolutions are means, three are VGG19's as they are (5,309,696
    weights). Two networks that were trained independently do not share an order of their
    channels, so this is a place to begin a training, not a network that sees.

    Parameters
    ----------
    first, second
        State dicts of any two plain VGG networks, in any order; of two equally deep ones the
        second is the skeleton.
    names
        Of the two, for messages.

    Returns
    -------
    dict
        Every key of the deeper network, float32.

    Raises
    ------
    ExperimentError
        When a network is no plain VGG, or a pair has different shapes.
    """
    pairs, swapped = _pairs(first, second, names)
    shallow, skeleton = (second, first) if swapped else (first, second)
    merged = {
        key: _mean_where_equal(value.float(), shallow.get(key))
        for key, value in skeleton.items()
        if not key.startswith("features.")
    }
    for one, deep in pairs:
        for kind, value in (("weight", deep.weight), ("bias", deep.bias)):
            partner = None if one is None else getattr(one, kind)
            merged[f"{deep.name}.{kind}"] = _mean_where_equal(value, partner)
    return {key: merged[key] for key in skeleton}


def _mean_where_equal(value: Tensor, partner: Tensor | None) -> Tensor:
    if partner is None or partner.shape != value.shape:
        return value
    return (value + partner.float()) / 2


def concatenate_weights(
    first: State, second: State, names: tuple[str, str] = ("first", "second")
) -> dict[str, Tensor]:
    """One VGG network twice as wide that computes both networks' features at once.

    The first convolution gives the channels of ``first``, then those of ``second``. Every later
    one is dense over both: each network's own weights on the diagonal, zeros between them, which
    training may fill. Where only the deeper network has a convolution the other half gets the
    identity (behind a ReLU nothing is negative, so convolution and ReLU leave it unchanged).

    Returns
    -------
    dict
        ``features.N.weight`` and ``.bias`` in the layout of the deeper network, float32.

    Raises
    ------
    ExperimentError
        As ``average_weights``.
    """
    pairs, swapped = _pairs(first, second, names)
    merged: dict[str, Tensor] = {}
    for shallow, deep in pairs:
        left, right = _identity(deep) if shallow is None else shallow, deep
        if swapped:
            left, right = right, left
        merged[f"{deep.name}.weight"] = _side_by_side(left.weight, right.weight, first=not merged)
        merged[f"{deep.name}.bias"] = torch.cat([left.bias, right.bias])
    return merged


def _side_by_side(left: Tensor, right: Tensor, *, first: bool) -> Tensor:
    """Outputs of both over the inputs of both; both see the same image."""
    if first:
        return torch.cat([left, right])
    above = torch.cat([left, left.new_zeros(len(left), *right.shape[1:])], dim=1)
    below = torch.cat([right.new_zeros(len(right), *left.shape[1:]), right], dim=1)
    return torch.cat([above, below])


def _identity(like: Convolution) -> Convolution:
    weight = nn.init.dirac_(torch.empty_like(like.weight))
    return replace(like, weight=weight, bias=torch.zeros_like(like.bias))


def trunk(state: State) -> nn.Sequential:
    """A VGG network without its top, as wide and deep as its weights are.

    Gives a module named as ``state`` is, (n, 3, height, width) → (n, channels, height/2ᵏ,
    width/2ᵏ) after k blocks, with the weights of ``state``.
    """
    layers: list[nn.Module] = []
    previous: Convolution | None = None
    for one in convolutions(state):
        if previous is not None and one.block != previous.block:
            layers.append(nn.MaxPool2d(2))
        convolution = nn.Conv2d(one.weight.shape[1], len(one.weight), 3, padding=1)
        with torch.no_grad():
            convolution.weight.copy_(one.weight)
            convolution.bias.copy_(one.bias)  # type: ignore[union-attr]
        layers += [convolution, nn.ReLU(inplace=True)]
        previous = one
    return nn.Sequential(*layers, nn.MaxPool2d(2))


Pairs = list[tuple[Convolution | None, Convolution]]


def _pairs(first: State, second: State, names: tuple[str, str]) -> tuple[Pairs, bool]:
    """Each convolution of the deeper network behind its partner, and whether that is the first."""
    both = [convolutions(state, name) for state, name in zip((first, second), names, strict=True)]
    swapped = len(both[0]) > len(both[1])
    if swapped:
        both, names = both[::-1], names[::-1]
    partner = {(one.block, one.place): one for one in both[0]}
    pairs: Pairs = [(partner.pop((deep.block, deep.place), None), deep) for deep in both[1]]
    if partner:
        left_over = next(iter(partner.values()))
        raise ExperimentError(
            f"{names[0]} and {names[1]} do not correspond: {left_over} of {names[0]} has no "
            f"partner in {names[1]}; {INSTEAD}."
        )
    for one, deep in pairs:
        if one is not None and one.weight.shape != deep.weight.shape:
            raise ExperimentError(
                f"{names[0]} and {names[1]} do not correspond: {one} of the one and {deep} of the "
                f"other have different shapes; {INSTEAD}."
            )
    return pairs, swapped
