"""What a training costs before it is begun: operations, memory, seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..models.classical.names import HEADS, MEASURED, network_of
from ..models.layers import Conv, Dense, Layer, shapes
from ..records.experiment import Experiment, Model
from .disk import BYTES, Disk, disk_of

__all__ = [
    "BACKBONES",
    "MACHINES",
    "Backbone",
    "Cost",
    "Machine",
    "cost_of",
    "forward_gflop",
    "layer_operations",
    "parts_of",
    "vectors_are_kept",
]


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
    pace: float = 1.0
    """Part of a processor's speed that its layers reach: depthwise ones wait for memory."""


BACKBONES: dict[str, Backbone] = {
    "vgg16": Backbone(30.7, 224, 14_714_688, 512),
    "vgg19": Backbone(39.0, 224, 20_024_384, 512),
    "resnet50": Backbone(8.2, 224, 23_508_032, 2048),
    "resnet101": Backbone(15.6, 224, 42_500_160, 2048),
    "inception_v3": Backbone(11.4, 299, 21_785_568, 2048),
    "xception": Backbone(16.8, 299, 20_807_000, 2048, 0.6),
    "mobilenet_v1": Backbone(1.14, 224, 3_207_000, 1024, 0.6),
    "mobilenet_v2": Backbone(0.6, 224, 2_223_872, 1280, 0.25),
    "mobilenet_v3": Backbone(0.44, 224, 2_971_952, 960, 0.25),
    "densenet121": Backbone(5.7, 224, 6_953_856, 1024),
    "densenet169": Backbone(6.8, 224, 12_484_480, 1664),
    "efficientnet_b0": Backbone(0.8, 224, 4_007_548, 1280, 0.25),
    "convnext_tiny": Backbone(8.9, 224, 27_820_128, 768),
    "dinov2-s": Backbone(11.0, 224, 21_500_000, 384),
    "dinobloom-s": Backbone(11.0, 224, 21_500_000, 384),
    "seresnext50_32x4d": Backbone(8.5, 224, 25_500_000, 2048),
}
"""Declared from the networks' own papers and timm's tables; for estimates, never for results."""


def parts_of(name: str) -> tuple[tuple[str, ...], str]:
    """The networks in a model's name and its classical head: ``hybrid:a+b+svm`` → (a, b), svm."""
    words = name.removeprefix("hybrid:").split("+")
    head = words.pop() if words[-1] in HEADS else ""
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


def forward_gflop(name: str, size: int, model: Model | None = None) -> float | None:
    """GFLOP of one image forward; None for a network whose size nobody declared.

    ``model`` has the choices beside the name, of which ``reading`` changes a small network's size.
    """
    from ..models import MODELS

    total = 0.0
    for part in parts_of(name)[0]:
        if part in MODELS:
            total += layer_operations(_layers(part, model or Model()), 3, size) / 1e9
        elif part in BACKBONES:
            known = BACKBONES[part]
            total += known.gflop * (size / known.size) ** 2
        else:
            return None
    return total


def _layers(name: str, model: Model) -> Sequence[Layer]:
    """Of a small network, with the reading and the activation that the model has."""
    from ..models import layers_of

    return layers_of(model.model_copy(update={"name": name, "outputs": "auto"}), 2)


@dataclass(frozen=True)
class Machine:
    """What an estimate is made for."""

    name: str
    title: str
    gflop_per_second: float
    seconds_per_step: float
    """Of a batch, whatever its size."""
    seconds_per_weight: float
    """Of the optimiser, a step and weight."""


CORES = 2
MACHINES = (
    Machine("cores", "2 cores", 170.0, 0.004, 4e-9),
    Machine("gpu", "1 GPU", 12_000.0, 0.003, 1e-11),
)
"""Two cores of a server processor (AMD EPYC, both busy): on one of them CNN-1 to CNN-4 were
measured at 75 to 98 GFLOP/s in training, ResNet50 at 74, DenseNet169 at 62, and forward VGG16 at
102, ResNet50 at 83, MobileNetV1 at 59 and V2 at 20; an update of Adam at 8 ns a weight. A
data-centre GPU in single precision: declared, not measured."""
MEASURED_PX_SECONDS = {"lab-kmeans": 6e-7, "wavelet": 7e-8}
"""Of one core for each pixel: 29 and 3.2 ms for an image of 224 px, measured on ALL-IDB2."""
MEASURED_LENGTH = {"lab-kmeans": 33, "wavelet": 60}
TRAINING_FACTOR = 3.0
"""Forward, gradients of the inputs, gradients of the weights."""


@dataclass(frozen=True)
class Cost:
    """What one training is estimated to need."""

    operations: float
    """GFLOP at the pace of plain convolutions."""
    steps: int
    weights: int
    """That are trained."""
    memory_bytes: float
    disk: Disk
    head_seconds: float = 0.0
    """Of classical heads on one core, wherever the network runs."""
    vector_operations: float = 0.0
    """GFLOP among ``operations`` that go into a frozen backbone's vectors, which are kept."""

    @property
    def cached(self) -> Cost:
        """The same where those vectors were computed before."""
        operations = self.operations - self.vector_operations
        return replace(self, operations=operations, vector_operations=0.0)

    def seconds(self, machine: Machine) -> float:
        """On that machine."""
        return (
            self.operations / machine.gflop_per_second
            + self.steps * (machine.seconds_per_step + self.weights * machine.seconds_per_weight)
            + self.head_seconds / CORES
        )


def cost_of(
    experiment: Experiment,
    images: Mapping[str, int],
    *,
    counts: Sequence[int] = (),
    heads: Sequence[str] = (),
) -> Cost:
    """Estimate a training from its experiment and the images of each class.

    It is measured at ``counts`` too, with ``heads`` beside its own, as ``training.train`` does. A
    frozen backbone is passed once over every image; a network of unknown size counts as ResNet50.
    """
    model, size = experiment.model, experiment.preprocess.size
    used, train = _counts(experiment, images)
    forward = _paced_gflop(model, size)
    epochs = experiment.training.epochs
    weights, length = _weights(model, size)
    own = parts_of(model.name)[1]
    all_heads = (*heads, own) if own else tuple(heads)
    once = vectors_are_kept(experiment)
    if once:
        operations = forward * used
    else:
        trained = 1.0 if model.trainable == "head" else TRAINING_FACTOR
        trained = 1.5 if model.trainable.startswith("last-") else trained
        operations = forward * (trained * train * epochs + (used - train) * (epochs + 1))
        operations += forward * used * (len(counts) + 1) * bool(all_heads)
    folds = experiment.split.folds if experiment.split.kind == "kfold" else 1
    steps = math.ceil(train / experiment.training.batch_size) * epochs
    fits = sum(_head_seconds(head, train, used - train, length) for head in all_heads)
    memory = used * size**2 * 3 + 4 * BYTES * weights + _activations(model, size, experiment)
    if all_heads:
        memory += BYTES * used * min(length, 8192) + 2 * 8 * train**2
    if once:
        memory += BYTES * used * length
    of_weights = _head_weights(model, length) if model.trainable == "head" else weights
    disk = disk_of(
        experiment,
        images,
        used=used,
        train=train,
        weights=weights,
        trained=of_weights,
        length=length,
        answers=(len(counts) + 1) * (len(heads) + 1),
        head=own,
        heads=bool(all_heads),
        vectors_kept=once,
    )
    return Cost(
        operations=operations if once else operations * folds,
        steps=steps * folds,
        weights=of_weights,
        memory_bytes=memory + 600 * 2**20,
        disk=disk,
        head_seconds=folds * (len(counts) + 1) * fits,
        vector_operations=operations if once else 0.0,
    )


def vectors_are_kept(experiment: Experiment) -> bool:
    """Whether vectors are computed once, and found in the cache later.

    Those of a frozen backbone, and what is measured.
    """
    model = experiment.model
    if network_of(model.name) in MEASURED:
        return True
    joined = not (model.name.startswith("hybrid:") and model.fusion == "probabilities")
    return joined and model.trainable == "head" and not experiment.augment.changes


def _paced_gflop(model: Model, size: int) -> float:
    """GFLOP of one image forward, slow layers counted by the time that they take."""
    total = 0.0
    for part in parts_of(model.name)[0]:
        if part in MEASURED_PX_SECONDS:
            total += MEASURED_PX_SECONDS[part] * size**2 * MACHINES[0].gflop_per_second / CORES
            continue
        known = BACKBONES.get(part)
        gflop = forward_gflop(part, size, model)
        gflop = gflop if gflop is not None else forward_gflop("resnet50", size) or 0.0
        total += gflop / (known.pace if known else 1.0)
    return total


def _head_seconds(head: str, train: int, others: int, length: int) -> float:
    """Fit and answers on one core, as measured at 300 to 1592 rows of 4,096 to 204,800 values."""
    products = train * (train + 2 * others) * length
    match head:
        case "svm":
            return products / 50e9
        case "knn":
            return 2 * train * others * length / 50e9
        case "rf":
            return 3.5e-6 * train * math.log2(max(2, train)) * math.sqrt(length)
        case "nb":
            return 9e-9 * (train + others) * length
        case _:
            return 4e-8 * train * length


def _counts(experiment: Experiment, images: Mapping[str, int]) -> tuple[int, int]:
    """Images used, and those among them that train."""
    total = sum(images.values())
    if experiment.data.balance:
        total = min(total, experiment.data.balance * len(images))
    if experiment.expand.per_class:
        total = experiment.expand.per_class * len(images)
    elif experiment.expand.factor > 1:
        total *= experiment.expand.factor
    split = experiment.split
    if split.kind == "kfold":
        return total, round(total * (1 - 1 / split.folds) * (1 - split.validation))
    if split.kind in ("holdout", "image", "forward"):
        return total, round(total * (1 - split.test - split.validation))
    return total, round(total * 0.85 * (1 - split.validation))


def _weights(model: Model, size: int) -> tuple[int, int]:
    """Weights of the network and the length of the vector before its head."""
    from ..models import MODELS
    from ..models.layers import Flatten, flatten_length, weights

    count = length = 0
    for part in parts_of(model.name)[0]:
        if part in MODELS:
            layers = _layers(part, model)
            count += sum(weights(layers, 3, size))
            length += flatten_length(layers, 3, size) if Flatten() in layers else 0
        elif part in MEASURED_LENGTH:
            length += MEASURED_LENGTH[part]
        else:
            known = BACKBONES.get(part, BACKBONES["resnet50"])
            # Pooling of a VGG drops an odd edge; strides of the others keep it.
            side = max(1, size // 32 if part.startswith("vgg") else math.ceil(size / 32))
            side = side if model.pooling == "flatten" else 1
            count += known.parameters
            length += known.channels * side**2
    return count + _head_weights(model, length), length


def _head_weights(model: Model, length: int) -> int:
    """Weights of a network's own fully connected head behind a backbone."""
    count, units = 0, length
    for hidden in model.hidden:
        count += (units + 1) * hidden
        units = hidden
    return count


def _activations(model: Model, size: int, experiment: Experiment) -> float:
    """Bytes of what a batch leaves behind for the gradients."""
    from ..models import MODELS

    total = 0.0
    for part in parts_of(model.name)[0]:
        if part in MODELS:
            layers = _layers(part, model)
            total += sum(math.prod(shape) for shape in shapes(layers, 3, size))
        elif part not in MEASURED_LENGTH:
            # A VGG16 keeps 15 million values of an image at 224 px, which is the most.
            total += 15e6 * (size / 224) ** 2
    kept = 0.3 if model.trainable == "head" else 2.0
    return kept * BYTES * experiment.training.batch_size * total
