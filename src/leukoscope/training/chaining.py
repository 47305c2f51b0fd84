"""What a network begins with: published weights, or what an earlier run has trained.

Chained transfer (abed2022 §4.8: ImageNet, then PCam, then ALL) is a run that begins with
``model.weights = "run:FOLDER"``. The names of all data sets that the weights have seen travel
along, and a leak-free run refuses to test on them.
"""

from __future__ import annotations

from pathlib import Path

from ..datasets.manifest import Manifest
from ..errors import ExperimentError, RunError, SplitError
from ..files import read_json, sha256_file, write_json
from ..images.pipeline import Pipeline, pipeline_load
from ..models import MODELS, network_of
from ..models.hybrid import branch_names, branch_weights, is_hybrid, join_weights
from ..models.pretrained import Pretraining, is_backbone, published, timm_name
from ..models.weight_files import WeightFile, find_weights
from ..records.experiment import Experiment, Model, weights_kind
from ..records.split import Split
from .predicting import WEIGHTS, FoldModel, read_fold_model

__all__ = [
    "refuse_other_weights",
    "refuse_tested_pretraining",
    "starting_weights",
    "weights_of_run",
    "write_pretraining",
]

SCHEMA = 1
SCALES = {"unit": (0.0, 1.0), "symmetric": (0.5, 0.5), "none": (0.0, 1 / 255)}
"""A scale of the pipeline as mean and standard deviation of values in 0–1."""


def starting_weights(model: Model) -> WeightFile | None:
    """The file that a network begins with; None where it begins at random.

    Raises
    ------
    ExperimentError, RunError, DownloadError
        When there is none, or it belongs to another network.
    """
    name = network_of(model.name)
    if is_hybrid(name):
        both = zip(branch_names(name), branch_weights(model.weights), strict=True)
        first, second = (_of_network(branch, weights) for branch, weights in both)
        return join_weights(name, first, second)
    if is_backbone(name) or name in MODELS:
        return _of_network(name, model.weights)
    return None


def _of_network(name: str, weights: str) -> WeightFile | None:
    match weights_kind(weights):
        case "none":
            return None
        case "run":
            return weights_of_run(name, Path(weights.removeprefix("run:")))
        case _ if is_backbone(name):
            return find_weights(name, weights)
        case _:
            return None  # refused with its reason where the network is built


def weights_of_run(name: str, path: Path) -> WeightFile:
    """What a finished run has trained: its backbone, or a small network's convolutions.

    Parameters
    ----------
    name
        Of the network that is to begin with it; the run's must be the same.
    path
        A run with one fold, or a fold's folder.

    Raises
    ------
    RunError
        When there is no finished fold there, or several.
    ExperimentError
        When the run trained another network.
    """
    folder = _fold_folder(path)
    record = read_fold_model(folder)
    trained = network_of(record.model.name)
    small = name in MODELS
    same = trained == name if small else timm_name(trained) == timm_name(name)
    if (trained in MODELS) != small or not same:
        raise ExperimentError(
            f"{path}: this run trained {trained}, and model.name is '{name}'. "
            f"Set model.name = '{trained}', or give a run of {name}."
        )
    pipeline = pipeline_load(folder)
    file = folder / WEIGHTS
    facts = _facts(name, record, pipeline).model_copy(
        update={"source": f"run:{path.name}", "sha256": sha256_file(file)}
    )
    return WeightFile(file, facts, prefix="" if small else "backbone.network.")


def _fold_folder(path: Path) -> Path:
    if (path / WEIGHTS).is_file():
        return path
    if not path.is_dir():
        raise RunError(f"{path}: there is no such run folder to take the weights of.")
    folds = sorted(folder for folder in path.glob("fold-*") if (folder / WEIGHTS).is_file())
    if len(folds) == 1:
        return folds[0]
    if not folds:
        raise RunError(f"{path}: holds no trained fold. Give the folder of a finished run.")
    raise RunError(
        f"{path}: has {len(folds)} folds, each with weights of its own. Name one, such as "
        f"run:{folds[0]}; its test rows have not been trained on."
    )


def _facts(name: str, record: FoldModel, pipeline: Pipeline) -> Pretraining:
    """The facts of the stage before, with the scale that the run itself used."""
    if pipeline.scale == "standard":
        mean, std = pipeline.mean, pipeline.std
    else:
        middle, spread = SCALES[pipeline.scale]
        mean, std = (middle, middle, middle), (spread, spread, spread)
    before = record.pretraining
    if before is None and name in MODELS:
        before = Pretraining(
            source="none", architecture=name, input_size=record.size, mean=mean, std=std
        )
    before = before or published(name)[0]
    seen = tuple(dict.fromkeys((*before.datasets, *record.trained_on)))
    used = {"input_size": record.size, "mean": mean, "std": std, "datasets": seen}
    return before.model_copy(update=used)


def refuse_tested_pretraining(
    experiment: Experiment, weights: WeightFile | None, manifest: Manifest, split: Split
) -> None:
    """Leak-free, nothing is tested on a data set that the weights were trained on.

    Raises
    ------
    SplitError
        When a test row is of such a set. Sets are compared by name.
    """
    if weights is None or experiment.edition != "leak-free":
        return
    row_of = {key: row for row, key in enumerate(manifest.keys)}
    tested = {row_of[key] for fold in split.folds for key in fold.test if key in row_of}
    names = manifest.column("dataset")
    seen = {name.casefold(): name for name in weights.facts.datasets}
    for row in sorted(tested):
        name = str(names[row])
        if name.casefold() in seen:
            raise SplitError(
                f"the weights ({weights.facts.source}) were trained on {name}, and this split "
                f"tests on {name}: its figures would not be leak-free. Test on another data set, "
                "begin with other weights, or set edition = 'as-published'."
            )


def write_pretraining(weights: WeightFile, path: Path) -> None:
    """Write ``pretraining.json``: what a run's backbone began with."""
    write_json(path, {"schema": SCHEMA, **weights.facts.model_dump(mode="json")})


def refuse_other_weights(weights: WeightFile | None, path: Path) -> None:
    """A run goes on only with the weights that it was begun with.

    Raises
    ------
    RunError
        When the file has changed since.
    """
    before = ""
    if path.is_file():
        table = read_json(path, what="pretraining", schema=SCHEMA, error=RunError)
        before = str(table.get("sha256", ""))
    now = "" if weights is None else weights.facts.sha256
    if before != now:
        raise RunError(
            f"{path.parent}: was begun with other weights (SHA-256 {before[:12] or 'none'}, now "
            f"{now[:12] or 'none'}). Finish it with the former ones, or choose another folder."
        )
