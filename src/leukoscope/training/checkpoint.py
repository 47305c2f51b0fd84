"""The state of a training after an epoch: one file, replaced as a whole.

Tensors and facts lie in one safetensors file (the facts as JSON in its header), so that there is
no moment at which the one is newer than the other, and nothing in it can execute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ..errors import RunError
from ..files import atomic_path

__all__ = ["SCHEMA", "load_checkpoint", "load_weights", "save_checkpoint", "save_weights"]

SCHEMA = 1


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and JSON facts, atomically; a stop in the midst leaves the old file.

    Raises
    ------
    StorageError
        When the disk is full; the old file is unchanged.
    """
    header = {"leukoscope": json.dumps({"schema": SCHEMA, **facts}, allow_nan=False)}
    # In safetensors a tensor is its values in order; channels-last is put back when it is loaded.
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(plain, temporary, header)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``save_checkpoint`` wrote.

    Raises
    ------
    RunError
        When the file is damaged, from a newer leukoscope, or not one of ours.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts = json.loads(header["leukoscope"])
        schema = facts.pop("schema")
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as reason:
        raise RunError(
            f"{path}: cannot be read as a checkpoint ({reason}). Remove the file: this fold then "
            "begins anew."
        ) from reason
    if schema > SCHEMA:
        raise RunError(
            f"{path}: written by a newer leukoscope (checkpoint schema {schema}, this one reads "
            f"up to {SCHEMA}). Upgrade leukoscope to go on."
        )
    return tensors, facts


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write a network's weights, atomically."""
    save_checkpoint(path, weights, {})


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a network's weights; raises RunError when they cannot be read."""
    try:
        return dict(safetensors.torch.load_file(path))
    except (OSError, safetensors.SafetensorError) as reason:
        raise RunError(f"{path}: the weights cannot be read ({reason}). Train again.") from reason
