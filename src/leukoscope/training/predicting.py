"""Probabilities: of a fold's rows as a predictions table, and of any pixels from a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor, nn

from ..errors import RunError
from ..files import read_json, write_json
from ..images.pipeline import Pipeline, apply, pipeline_load, pipeline_save
from ..models import build, head_of
from ..models.classical.saving import load_classifier
from ..models.pretrained import Pretraining
from ..records.experiment import Model
from ..schema import Record, parse
from .batches import normaliser_of
from .checkpoint import load_weights, save_weights
from .classical import HEAD_FILE, Classified
from .loop import FORWARD_PIXELS

__all__ = [
    "WEIGHTS",
    "FoldModel",
    "load_model",
    "predict_run",
    "probabilities",
    "read_fold_model",
    "save_model",
    "table_of",
]

SCHEMA = 1
MODEL, WEIGHTS = "model.json", "weights.safetensors"


class FoldModel(Record):
    """``model.json``: what is needed to build a fold's network again, beside its weights."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    model: Model
    classes: tuple[str, ...]
    """In the order of the outputs; of two, the second is the sigmoid's."""
    positive: str | None
    size: int
    epoch: int
    """The epoch whose weights these are, counted from 1."""
    epochs: int
    """How many were trained."""
    chosen_by: str
    fitted_on: str
    """Which rows the preprocessing was fitted on, in words; empty where nothing is fitted."""
    fitted_rows: Literal["none", "training", "all", ""] = ""
    """The same for machines: ``all`` has test rows among them; empty in a run from before."""
    prediction: Literal["inductive", "transductive"] = "inductive"
    """``inductive``: each image is answered by itself, as training here does it; a program that
    adapts to the test images and writes its answers into a run declares ``transductive``."""
    precision: str
    parameters: int
    operations: int = 0
    """Of one image forward; see ``models.network_size``. 0 where nothing was counted."""
    vector_length: int = 0
    """Of what a classical or the network's own fully connected head sees; 0 where none does."""
    seconds: float = 0.0
    """That the epochs of this fold took."""
    head: str = ""
    """The classical head behind the network's vectors, in words."""
    head_seconds: float = 0.0
    """What computing the training vectors and fitting the classical head took."""
    pretraining: Pretraining | None = None
    """Where the weights of a backbone came from; null where they began at random."""
    trained_on: tuple[str, ...] = ()
    """Names of the data sets of the training rows."""


def probabilities(logits: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n, classes) from logits (n, units); one unit is the second class's sigmoid."""
    values = logits.double()
    if values.shape[1] == 1:
        positive = torch.sigmoid(values[:, 0])
        return np.asarray(torch.stack([1 - positive, positive], dim=1).numpy())
    return np.asarray(torch.softmax(values, dim=1).numpy())


def table_of(
    columns: Mapping[str, Any],
    p: np.ndarray[Any, np.dtype[np.float64]],
    classes: tuple[str, ...],
    *,
    fold: int,
    repeat: int,
) -> pd.DataFrame:
    """Rows of ``predictions.csv``; ``columns`` has row, image, subject, group, dataset, part and
    label."""
    named = dict(columns)
    label = named.pop("label")
    return pd.DataFrame(
        {
            **named,
            "fold": fold,
            "repeat": repeat,
            "label": label,
            "predicted": np.array(classes, dtype=object)[p.argmax(axis=1)],
            **{f"p_{name}": p[:, place] for place, name in enumerate(classes)},
        }
    )


def save_model(folder: Path, record: FoldModel, network: nn.Module, pipeline: Pipeline) -> None:
    """Write ``weights.safetensors``, ``pipeline.json`` (and mean image) and ``model.json``."""
    save_weights(folder / WEIGHTS, network.state_dict())
    pipeline_save(pipeline, folder)
    write_json(folder / MODEL, record.model_dump(mode="json", by_alias=True))


def read_fold_model(folder: Path) -> FoldModel:
    """``model.json`` of a fold; raises RunError when it is missing or damaged."""
    path = folder / MODEL
    table = read_json(path, what="fold model", schema=SCHEMA, error=RunError)
    return parse(FoldModel, table, where=str(path), error=RunError)


def load_model(folder: Path) -> tuple[FoldModel, nn.Module, Pipeline]:
    """A fold's model, its network with weights (in evaluation mode, on the CPU), its pipeline.

    Where the model has a classical head the network answers through it, with log-probabilities.

    Raises
    ------
    RunError
        When a file is missing or damaged, or the weights are another network's.
    """
    record = read_fold_model(folder)
    network = build(
        record.model,
        3,
        record.size,
        len(record.classes),
        generator=torch.Generator(),
        weights=record.pretraining,
    )
    try:
        network.load_state_dict(load_weights(folder / WEIGHTS))
    except RuntimeError as reason:
        raise RunError(
            f"{folder / WEIGHTS}: these are not the weights of {record.model.name} at "
            f"{record.size} px ({str(reason).splitlines()[0]}). Restore the file or train again."
        ) from reason
    pipeline = pipeline_load(folder)
    if head_of(record.model.name):
        classifier = load_classifier(folder / HEAD_FILE)
        network = Classified(network, classifier, normaliser_of(pipeline, torch.device("cpu")))
    return record, network.eval(), pipeline


def predict_run(
    run_folder: Path, fold: int, pixels: np.ndarray[Any, np.dtype[np.uint8]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Probabilities of raw images by one fold's network.

    Parameters
    ----------
    run_folder
        A finished run.
    fold
        Number of the fold whose network answers.
    pixels
        Decoded RGB images, uint8 (n, height, width, 3), or a sequence of such images of any
        sizes; they are preprocessed as the training images were.

    Returns
    -------
    numpy.ndarray
        (n, classes), float64, in the order of ``classes`` in the fold's ``model.json``.

    Raises
    ------
    RunError
        When there is no such fold or its files are damaged.
    """
    folder = Path(run_folder) / f"fold-{fold}"
    if not folder.is_dir():
        found = sorted(path.name for path in Path(run_folder).glob("fold-*"))
        raise RunError(f"{folder}: there is no such fold. Found: {', '.join(found) or 'none'}.")
    record, network, pipeline = load_model(folder)
    normalise = normaliser_of(pipeline, torch.device("cpu"))
    answers = []
    step = max(1, FORWARD_PIXELS // record.size**2)
    with torch.inference_mode():
        for start in range(0, len(pixels), step):
            ready = np.stack([apply(pipeline, image) for image in pixels[start : start + step]])
            answers.append(probabilities(network(normalise(normalise.load(ready)))))
    return np.concatenate(answers) if answers else np.zeros((0, len(record.classes)))
