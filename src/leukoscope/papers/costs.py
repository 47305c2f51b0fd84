"""What a training costs before it is begun: operations, memory, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..models.layers import Conv, Dense, Layer, shapes
from ..records.experiment import Model

__all__ = ["BACKBONES", "Backbone", "forward_gflop", "layer_operations", "parts_of"]


@dataclass(frozen=True)
class Backbone:
    """Declared size of a published network."""

    gflop: float
    """Forward at ``size``, two operations a multiplication with its addition."""
    size: int
    parameters: int
    """Without its top."""
    channels: int
    """Of the last feature map."""


BACKBONES: dict[str, Backbone] = {
    "vgg16": Backbone(30.7, 224, 14_714_688, 512),
    "vgg19": Backbone(39.0, 224, 20_024_384, 512),
    "resnet50": Backbone(8.2, 224, 23_508_032, 2048),
    "resnet101": Backbone(15.6, 224, 42_500_160, 2048),
    "inception_v3": Backbone(11.4, 299, 21_785_568, 2048),
    "xception": Backbone(16.8, 299, 20_807_000, 2048),
    "mobilenet_v1": Backbone(1.14, 224, 3_207_000, 1024),
    "mobilenet_v2": Backbone(0.6, 224, 2_223_872, 1280),
    "mobilenet_v3": Backbone(0.44, 224, 2_971_952, 960),
    "densenet121": Backbone(5.7, 224, 6_953_856, 1024),
    "densenet169": Backbone(6.8, 224, 12_484_480, 1664),
    "efficientnet_b0": Backbone(0.8, 224, 4_007_548, 1280),
    "convnext_tiny": Backbone(8.9, 224, 27_820_128, 768),
    "dinov2-s": Backbone(11.0, 224, 21_500_000, 384),
    "dinobloom-s": Backbone(11.0, 224, 21_500_000, 384),
    "seresnext50_32x4d": Backbone(8.5, 224, 25_500_000, 2048),
}
"""Declared from the networks' own papers and timm's tables; for estimates, never for results."""


def parts_of(name: str) -> tuple[tuple[str, ...], str]:
    """The networks in a model's name and its classical head: ``hybrid:a+b+svm`` → (a, b), svm."""
    heads = {"svm", "rf", "nb", "logreg", "knn"}
    words = name.removeprefix("hybrid:").split("+")
    head = words.pop() if words[-1] in heads else ""
    return tuple(word.replace("fem-", "cnn-") for word in words), head


def layer_operations(layers: Sequence[Layer], channels: int, size: int) -> int:
    """Operations of one image through a list of layers, forward."""
    total = 0
    before: tuple[int, ...] = (size, size, channels)
    for layer, shape in zip(layers, shapes(layers, channels, size), strict=True):
        match layer:
            case Conv(filters, kernel, _):
                total += 2 * shape[0] * shape[1] * filters * kernel**2 * before[-1]
            case Dense(units):
                total += 2 * units * before[-1]
            case _:
                pass
        before = shape
    return total


def forward_gflop(name: str, size: int) -> float | None:
    """GFLOP of one image forward; None for a network whose size nobody declared."""
    from ..models import MODELS, layers_of

    total = 0.0
    for part in parts_of(name)[0]:
        if part in MODELS:
            total += layer_operations(layers_of(Model(name=part), 2), 3, size) / 1e9
        elif part in BACKBONES:
            known = BACKBONES[part]
            total += known.gflop * (size / known.size) ** 2
        else:
            return None
    return total
