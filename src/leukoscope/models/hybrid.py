"""Hybrids by name: ``hybrid:A+B`` is two backbones, each with its own weights.

bhavsar2023 joins VGG16 and VGG19 and does not say how ("concatenation, parallel branches … are not
mentioned", §III-B). Every reading of its text is a value of ``model.fusion``:

``features``
    two branches see the same image; their vectors are concatenated, one head stands behind them.
``average-features``
    the same, with the mean of two vectors of one length.
``probabilities``
    two networks with a head each; the answer is the mean of their probabilities, and the loss is
    that of the mean.
``average-weights``, ``concatenate-weights``
    one network whose weights are made of both (``merging``), which only plain VGGs allow.

Nothing here needs torch; ``branches`` builds the network.
"""

from __future__ import annotations

from ..errors import ExperimentError
from ..files import sha256_bytes
from .pretrained import Pretraining, published, timm_name
from .weight_files import WeightFile

__all__ = [
    "PREFIX",
    "branch_names",
    "branch_weights",
    "is_hybrid",
    "join_weights",
]

PREFIX = "hybrid:"
Names = tuple[str, str]


def is_hybrid(name: str) -> bool:
    """Whether a model's name is a hybrid's."""
    return name.startswith(PREFIX)


def branch_names(name: str) -> Names:
    """The two backbones of ``hybrid:A+B``.

    Raises
    ------
    ExperimentError
        When there are not two, or one is unknown (near names are told).
    """
    parts = [part.strip() for part in name.removeprefix(PREFIX).split("+")]
    if not is_hybrid(name) or len(parts) != 2 or not all(parts):
        raise ExperimentError(
            f"model.name is '{name}': a hybrid joins two backbones, as in '{PREFIX}vgg16+vgg19'."
        )
    first, second = parts
    for part in parts:
        try:
            timm_name(part)
        except ExperimentError as reason:
            told = str(reason).partition("'. ")[2]
            raise ExperimentError(
                f"model.name is '{name}': there is no backbone '{part}'. {told}"
            ) from reason
    return first, second


def branch_weights(weights: str) -> Names:
    """``model.weights`` of each branch: one for both, or two with a ``+`` between them.

    A folder serves both where it holds a file of each.

    Raises
    ------
    ExperimentError
        When it cannot be told where the one ends.
    """
    parts = [part.strip() for part in weights.split("+")]
    if len(parts) == 1:
        return parts[0], parts[0]
    if len(parts) != 2 or not all(parts):
        raise ExperimentError(
            f"model.weights is '{weights}': a hybrid takes one value for both of its networks, or "
            "two with a '+' between them ('a.safetensors+b.safetensors'). Where a path has a '+' "
            "in it, put both files into one folder and give the folder."
        )
    return parts[0], parts[1]


def join_weights(
    name: str, first: WeightFile | None, second: WeightFile | None
) -> WeightFile | None:
    """The files of a hybrid's two networks as one; None stands for weights drawn at random."""
    there = [file for file in (first, second) if file is not None]
    if not there:
        return None
    facts = [
        published(branch)[0] if file is None else file.facts
        for branch, file in zip(branch_names(name), (first, second), strict=True)
    ]
    return WeightFile(there[0].path, _joined(facts), branches=(first, second))


def _joined(facts: list[Pretraining]) -> Pretraining:
    """The facts of both in one record; input and normalisation stand in ``branches``."""
    datasets = dict.fromkeys(name for own in facts for name in own.datasets)
    return facts[0].model_copy(
        update={
            "source": " + ".join(own.source for own in facts),
            "sha256": sha256_bytes("".join(own.sha256 for own in facts).encode()),
            "architecture": "+".join(own.architecture for own in facts),
            "datasets": tuple(datasets),
            "branches": tuple(facts),
        }
    )
