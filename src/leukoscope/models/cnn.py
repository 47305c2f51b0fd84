"""The small networks that are trained from nothing: CNN-1…4 and the simple CNN.

varol2024 prints the number of convolutions (3, 6, 9, 10), the head (256, 128, sigmoid) and eight
flatten lengths (Table 6), not the layers. Two reconstructions fit all eight lengths with one rule,
a third fits each network by itself:

R1
    a chain of blocks in which each network begins with the one before it ("obtained by gradually
    increasing the number of layers", §4).
R2
    the same, but CNN-1 and CNN-2 end in a pool as Figure 5 has it; the lengths then force widths
    of 256 and 512.
R3
    blocks of two, [same, valid], as in Keras's example for CIFAR; each network needs its pools at
    other places, so no rule leads from one to the next.

Only the last width of each network is determined by Table 6; R3's others double towards 512 in
CNN-2 and are 64 elsewhere.

abed2022 prints its network as a table of layers (Figure 4.8).
"""

from __future__ import annotations

from ..errors import ExperimentError, suggestion
from .layers import Activation, Conv, Dense, Dropout, Flatten, Layer, Pool

__all__ = ["NAMES", "layers"]

NAMES = ("cnn-1", "cnn-2", "cnn-3", "cnn-4", "simple-cnn")


def layers(
    name: str,
    reading: str = "R1",
    *,
    activation: Activation = "relu",
    dropout: float = 0.0,
    outputs: int = 1,
) -> tuple[Layer, ...]:
    """The layers of a network, from the image to its logits.

    Parameters
    ----------
    name
        One of ``NAMES``.
    reading
        ``R1``, ``R2`` or ``R3``: which reconstruction of varol2024's networks.
    activation
        Of every layer but the last.
    dropout
        Rate before the last layer; 0 (as published) has no such layer.
    outputs
        1 for a sigmoid unit, else one unit a class for a softmax.

    Raises
    ------
    ExperimentError
        When the name is unknown (near matches are told).
    """
    if name not in NAMES:
        raise ExperimentError(f"model.name is '{name}'. {suggestion(name, NAMES)}")
    simple = name == "simple-cnn"
    body = _abed2022(activation) if simple else _varol2024(name, reading, activation)
    hidden = (128,) if simple else (256, 128)
    last = (Dropout(dropout),) if dropout else ()
    return (
        *body,
        Flatten(),
        *(Dense(units, activation) for units in hidden),
        *last,
        Dense(outputs, "linear"),
    )


def _block(filters: int, activation: Activation) -> tuple[Layer, ...]:
    """Three convolutions: the first keeps the size, the others lose two pixels each."""
    return (
        Conv(filters, 3, "same", activation),
        Conv(filters, 3, "valid", activation),
        Conv(filters, 3, "valid", activation),
    )


def _varol2024(name: str, reading: str, activation: Activation) -> tuple[Layer, ...]:
    """The convolution part (PAPERS: architecture search over Table 6)."""
    if reading == "R3":
        return _blocks_of_two(name, activation)
    if reading == "R2" and name == "cnn-1":
        return (*_block(256, activation), Pool())
    if reading == "R2" and name == "cnn-2":
        return (*_block(256, activation), *_block(512, activation), Pool())
    one = _block(64, activation)
    two = (*one, *_block(128, activation))
    three = (*two, Pool(), *_block(64, activation), Pool())
    four = (*three, Conv(64, 3, "valid", activation), Pool())
    return {"cnn-1": one, "cnn-2": two, "cnn-3": three, "cnn-4": four}[name]


BLOCKS_OF_TWO = {
    "cnn-1": "SV V",
    "cnn-2": "SV SVP SV",
    "cnn-3": "SV SVP SV SV VP",
    "cnn-4": "SV SV SVP SVP SVP",
}
"""Network → its blocks: S and V are convolutions (same, valid), P is a pool."""
WIDTHS_OF_TWO = {"cnn-2": (128, 256, 512)}
"""Filters of each block, where they are not 64."""


def _blocks_of_two(name: str, activation: Activation) -> tuple[Layer, ...]:
    blocks = BLOCKS_OF_TWO[name].split()
    widths = WIDTHS_OF_TWO.get(name, (64,) * len(blocks))
    found: list[Layer] = []
    for block, filters in zip(blocks, widths, strict=True):
        for letter in block:
            if letter == "P":
                found.append(Pool())
            else:
                found.append(Conv(filters, 3, "same" if letter == "S" else "valid", activation))
    return tuple(found)


def _abed2022(activation: Activation) -> tuple[Layer, ...]:
    """Figure 4.8, without its head: 59,075,905 weights at 257 × 257 with it."""
    return (
        Conv(32, 3, "valid", activation),
        Pool(),
        Conv(64, 3, "valid", activation),
        Pool(),
        Conv(128, 3, "valid", activation),
    )
