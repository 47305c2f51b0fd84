"""``experiment.toml``: everything that a training is, as data; the same file repeats the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field, field_validator, model_validator

from ..datasets.card import DatasetCard
from ..errors import ExperimentError
from ..files import canonical_json, sha256_bytes, write_atomic
from ..images.augmentation import Augmentation
from ..images.steps import Step
from ..schema import Record, parse, read_toml
from .split import Edition, SplitKind

__all__ = [
    "DEFAULT_RATES",
    "SCHEMA",
    "Classical",
    "Data",
    "Expansion",
    "Experiment",
    "Model",
    "Optimiser",
    "Preprocess",
    "Schedule",
    "SplitPlan",
    "Training",
    "differences",
    "experiment_sha256",
    "read_experiment",
    "weights_kind",
    "weights_moved",
    "with_settings",
    "write_experiment",
]

SCHEMA = 1
WITHOUT_EFFECT = ("name", "data.manifest", "split.file")
"""Keys that change nothing of the result, so a run may go on under others."""


class Data(Record):
    """Which rows, and what is to be told apart."""

    manifest: str = ""
    """Manifest file or folder of images, relative to the experiment file."""
    task: Literal["classes", "binary"] = "classes"
    """``classes``: the labels as they are; ``binary``: blast against normal, as the card maps."""
    leave_out: tuple[str, ...] = ()
    """Labels whose rows are not used."""
    balance: int = Field(default=0, ge=0)
    """Draw this many images of each class before anything else; 0 takes all (varol2024 §2.2)."""
    sample: int = Field(default=0, ge=0)
    """Draw this many images in all before that, each class in its share and in turn from each
    group of each official part; 0 takes all."""


class SplitPlan(Record):
    """How the rows are divided, unless a split file is given."""

    file: str = ""
    """A ``split.json`` to use; the other keys are then ignored."""
    kind: SplitKind = "kfold"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=1, ge=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of the rows that test, for a holdout."""
    validation: float = Field(default=0.15, ge=0, lt=1)
    """Share of the rows that validate: of all rows in a holdout, of those that do not test in
    folds."""
    group_duplicates: bool = True
    """Join near-identical images into one group, where the manifest has no groups yet."""

    @model_validator(mode="after")
    def _some_left_to_train(self) -> SplitPlan:
        if self.kind in ("holdout", "image", "forward") and self.test + self.validation >= 1:
            raise ValueError("test and validation together leave nothing to train on")
        return self


class Preprocess(Record):
    """From decoded pixels to what the network sees, the same in training and in inference."""

    size: int = Field(default=32, ge=8, le=1024)
    """Side of the square input in pixels."""
    steps: tuple[Step, ...] = ()
    """Named steps in their order, before the resize unless a step says otherwise."""
    scale: Literal["unit", "symmetric", "none", "pretrained"] = "symmetric"
    """``unit``: /255; ``symmetric``: /127.5 − 1; ``none``: 0–255 as they are; ``pretrained``: as
    the backbone's weights want it."""
    subtract_mean_image: bool = False
    """Subtract the mean image of the training rows (abed2022 §4.3)."""


class Expansion(Record):
    """Offline augmentation: copies that carry ``parent`` (abed2022 ×8, murtoza2023 ×20, …)."""

    factor: int = Field(default=0, ge=0)
    """Images after for one before (8 means seven copies each); 0 means none."""
    per_class: int = Field(default=0, ge=0)
    """Or copies until each class has this many images (varol2024: 6070)."""
    augmentation: Augmentation = Augmentation()
    before_split: bool = False
    """As published: copies are made first and divided like originals. Only ``as-published``."""


class Model(Record):
    """A name that ``models`` knows, and what may be chosen about it."""

    name: str = "cnn-3"
    activation: Literal["relu", "elu", "gelu", "silu", "tanh"] = "relu"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    reading: Literal["R1", "R2", "R3"] = "R1"
    """Which reconstruction of varol2024's unpublished networks."""
    weights: str = "none"
    """``none`` (from scratch) or ``run:FOLDER``: the backbone, or the small network's convolutions,
    that a finished run has trained. Of a backbone also ``hub`` or ``hub:TAG`` (timm's published
    weights), or a safetensors file or a folder that holds one."""
    pooling: Literal["average", "flatten"] = "average"
    """Between backbone and head: the mean over the places, or all of them in one vector."""
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default_factory=lambda known: (256,) if known.get("name", "").startswith("hybrid:") else ()
    )
    """Units of the fully connected layers between backbone and output; of a hybrid 256 where
    nothing is said (bhavsar2023 prints no head)."""
    outputs: Literal["auto", "sigmoid", "softmax"] = "auto"
    """``auto``: one sigmoid unit for two classes, else a softmax over one unit a class;
    ``softmax``: that also for two."""
    trainable: str = "all"
    """What of a backbone is trained: ``all``, ``head``, ``last-K`` (its last K blocks and the
    head) or ``gradual`` (the head first, then block by block from the end)."""
    fusion: Literal[
        "features", "average-features", "probabilities", "average-weights", "concatenate-weights"
    ] = "features"
    """How a hybrid joins its two backbones (bhavsar2023); see ``models.hybrid``."""

    @field_validator("trainable")
    @classmethod
    def _known_part(cls, value: str) -> str:
        if not re.fullmatch(r"all|head|gradual|last-[1-9][0-9]*", value):
            raise ValueError(
                f"'{value}' is none of 'all', 'head', 'gradual' and 'last-K' (as in 'last-2')"
            )
        return value

    @field_validator("weights")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip() or value == "hub:":
            raise ValueError("give 'none', 'hub', 'hub:TAG' or the path of a file or folder")
        return value


class Classical(Record):
    """The classifier of ``NETWORK+HEAD`` and what comes before it; scikit-learn's defaults."""

    standardise: Literal["auto", "yes", "no"] = "auto"
    """Mean 0 and variance 1 of each feature on the training rows. ``auto``: of measured features,
    whose units differ; a network's vectors stay as they are (varol2024)."""
    reduction: Literal["auto", "none", "pca", "lpp"] = "auto"
    """Principal components or locality preserving projection before the head. ``auto``: principal
    components where the model's name stands for them (``lab-kmeans``), else none."""
    components: int = Field(default=50, ge=1)
    """How many the reduction leaves; fewer where the training rows do not have so many."""
    graph_neighbours: int = Field(default=5, ge=1)
    """Of each row in the graph of the locality preserving projection."""
    kernel: Literal["rbf", "linear"] = "rbf"
    C: float = Field(default=1.0, gt=0)
    """Cost of the SVM and of the logistic regression."""
    gamma: Literal["scale", "auto"] | Annotated[float, Field(gt=0)] = "scale"
    """Of the RBF kernel; ``scale``: 1 / (length · variance), ``auto``: 1 / length."""
    probabilities: Literal["through-zero", "platt"] = "through-zero"
    """The SVM's sigmoid: with its middle where the SVM decides, so that the more probable class is
    the SVM's answer, or Platt's own with an offset (1999)."""
    trees: int = Field(default=100, ge=1)
    neighbours: int = Field(default=5, ge=1)
    """Of k-nearest neighbours."""
    iterations: int = Field(default=100, ge=1)
    """Of the logistic regression, at most."""


DEFAULT_RATES = {"sgd": 0.01, "adam": 0.0003, "rmsprop": 0.0003}
"""What a learning rate of 0 stands for.

Keras's own 0.001 for Adam and RMSprop kills the rectified layers of CNN-3 for good with some
seeds (`docs/rendered.md`); the papers' protocols name it where they want it.
"""


class Optimiser(Record):
    """Updates as Keras makes them; a rate of 0 takes 0.0003 for Adam and RMSprop, 0.01 for SGD."""

    name: Literal["sgd", "adam", "rmsprop"] = "adam"
    learning_rate: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)

    @property
    def initial_rate(self) -> float:
        """The learning rate to begin with: the one that is set, or the default."""
        return self.learning_rate or DEFAULT_RATES[self.name]


class Schedule(Record):
    """How the learning rate falls with the number of steps."""

    kind: Literal["constant", "exponential", "staircase", "cosine"] = "constant"
    decay_steps: int = Field(default=900, ge=1)
    decay_rate: float = Field(default=0.95, gt=0, le=1)


class Training(Record):
    """The loop."""

    epochs: int = Field(default=25, ge=1)
    batch_size: int = Field(default=32, ge=1)
    class_weights: Literal["none", "balanced"] = "none"
    epoch: Literal["last", "best-validation", "best-test"] = "best-validation"
    """Whose weights are kept. ``best-test`` looks at the test part: only ``as-published``."""
    curves_on_test: bool = False
    """Measure the test part after each epoch too, and choose nothing on it: for curves of papers
    whose test part served as validation (fata2023). Only ``as-published``."""
    patience: int = Field(default=0, ge=0)
    """Stop after this many epochs without a better validation loss; 0 never stops early."""
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    """``auto`` takes bfloat16 where the processor or the GPU computes it natively."""
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Experiment(Record):
    """One experiment, complete; defaults live here and nowhere else."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    name: str = "experiment"
    edition: Edition = "leak-free"
    seed: int = Field(default=0, ge=0)
    data: Data = Data()
    split: SplitPlan = SplitPlan()
    preprocess: Preprocess = Preprocess()
    augment: Augmentation = Augmentation()
    """Online: drawn anew for each batch of the training part."""
    expand: Expansion = Expansion()
    model: Model = Model()
    classical: Classical = Classical()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    training: Training = Training()

    @model_validator(mode="after")
    def _edition_is_honest(self) -> Experiment:
        """What looks at test groups is as published, and is called so."""
        if self.edition == "leak-free":
            if self.expand.before_split:
                raise ValueError("expand.before_split leaks; it needs edition = 'as-published'")
            if self.training.epoch == "best-test":
                raise ValueError("training.epoch = 'best-test' needs edition = 'as-published'")
            if self.training.curves_on_test:
                raise ValueError("training.curves_on_test needs edition = 'as-published'")
            if self.split.kind == "image":
                raise ValueError("split.kind = 'image' cuts groups; it needs 'as-published'")
        return self


CARD_KEYS, EXPERIMENT_KEYS = (
    {field.alias or name for name, field in record.model_fields.items()}
    for record in (DatasetCard, Experiment)
)


def read_experiment(path: Path) -> Experiment:
    """Read an experiment; a misspelt key is an error that suggests the right one."""
    table = read_toml(path, what="experiment", schema=SCHEMA, error=ExperimentError)
    _refuse_card(table, path)
    return parse(Experiment, table, where=str(path), error=ExperimentError)


def _refuse_card(table: Mapping[str, Any], path: Path) -> None:
    """A data set card lies beside its manifest under a name that an experiment could have."""
    if "name" in table and table.keys() <= CARD_KEYS and not table.keys() <= EXPERIMENT_KEYS:
        raise ExperimentError(
            f"{path}: this is a data set card, no experiment. Give the manifest beside it as data: "
            f"leukoscope train --model cnn-3 --data {path.with_suffix('.csv')} -o RUN"
        )


def with_settings(
    experiment: Experiment, settings: Mapping[str, Any], where: str = "--set"
) -> Experiment:
    """A copy with dotted keys changed: ``{"training.epochs": 10}``; values are validated."""
    table = experiment.model_dump(mode="json", by_alias=True)
    if "hidden" not in experiment.model.model_fields_set:
        # Its default depends on the name, which may change.
        del table["model"]["hidden"]
    for dotted, value in settings.items():
        *outer, last = dotted.split(".")
        _suggest_another_table(table, dotted, where)
        place: Any = table
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                kind = "a list: set it as a whole" if isinstance(place, list) else "a value"
                raise ExperimentError(f"{where}: '{dotted}': '{part}' is {kind}, not a table.")
        place[last] = value
    return parse(Experiment, table, where=where, error=ExperimentError)


def _suggest_another_table(table: Mapping[str, Any], dotted: str, where: str) -> None:
    """Refuse a key that stands in another table than the one that is named, and say which."""
    if _has(table, dotted):
        return
    known = _flat(table)
    last = dotted.rpartition(".")[2]
    elsewhere = [key for key in known if key.rpartition(".")[2] == last and key.count(".") == 1]
    if elsewhere:
        raise ExperimentError(
            f"{where}: unknown key '{dotted}'. Did you mean "
            + " or ".join(f"'{key}'" for key in elsewhere)
            + "?"
        )


def _has(table: Mapping[str, Any], dotted: str) -> bool:
    place: Any = table
    for part in dotted.split("."):
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return True


def write_experiment(experiment: Experiment, path: Path) -> None:
    """Write the experiment with every default resolved, as TOML, atomically."""
    write_atomic(path, tomli_w.dumps(experiment.model_dump(mode="json", by_alias=True)))


def experiment_sha256(experiment: Experiment) -> str:
    """Hash of everything that changes the result: not its name, not where its files lie.

    What is in a file of weights is compared by its own hash, in ``pretraining.json``.
    """
    table = experiment.model_dump(mode="json", by_alias=True)
    table.pop("name")
    table["data"].pop("manifest")
    table["split"].pop("file")
    table["model"]["weights"] = weights_moved(experiment.model, lambda place: "file")
    return sha256_bytes(canonical_json(table).encode())


def differences(before: Experiment, now: Experiment) -> tuple[str, ...]:
    """The keys that change the result and differ, each with both of its values."""
    if experiment_sha256(before) == experiment_sha256(now):
        return ()
    old, new = (_flat(one.model_dump(mode="json", by_alias=True)) for one in (before, now))
    return tuple(
        f"{key} was {old.get(key)!r} and is now {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if key not in WITHOUT_EFFECT and old.get(key) != new.get(key)
    )


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def weights_kind(weights: str) -> Literal["none", "hub", "file", "run"]:
    """What ``model.weights`` names."""
    if weights == "none":
        return "none"
    if weights == "hub" or weights.startswith("hub:"):
        return "hub"
    return "run" if weights.startswith("run:") else "file"


def weights_moved(model: Model, move: Callable[[str], str]) -> str:
    """``model.weights`` with the paths in it changed by ``move``; a hybrid may have two."""
    hybrid = model.name.startswith("hybrid:")
    parts = model.weights.split("+") if hybrid else [model.weights]
    return "+".join(_moved(part.strip(), move) for part in parts)


def _moved(weights: str, move: Callable[[str], str]) -> str:
    match weights_kind(weights):
        case "file":
            return move(weights)
        case "run":
            return "run:" + move(weights.removeprefix("run:"))
        case _:
            return weights
