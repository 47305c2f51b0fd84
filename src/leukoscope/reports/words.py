"""An experiment in words, as the methods section of a paper tells it."""

from __future__ import annotations

from typing import Any

from ..images.augmentation import Augmentation
from ..records.experiment import DEFAULT_RATES, Expansion, Experiment
from ..records.split import Split
from .numbers import counted, listed, number, plain, share

__all__ = [
    "KINDS",
    "augmentation_words",
    "given_split_words",
    "setting_words",
    "split_words",
    "step_words",
    "training_words",
    "value_words",
]

OPTIMISERS = {"sgd": "SGD", "adam": "Adam", "rmsprop": "RMSprop"}
SCALES = {
    "unit": "scaled to the range 0 to 1",
    "symmetric": "scaled to the range −1 to 1",
    "none": "left in the range 0 to 255",
}
EPOCHS = {
    "last": "The weights of the last epoch were kept.",
    "best-validation": "The weights of the epoch that was best on the validation part were kept.",
    "best-test": "The weights of the epoch that was best on the TEST part were kept, as published: "
    "the result is optimistic.",
}
KINDS = {
    "holdout": "once into training, validation and test parts",
    "kfold": "into {folds} folds, each of which tests once",
    "lodo": "by data set: each of {folds} was left out in turn and tested",
    "official": "as the publishers of the data set divided it",
    "image": "at random, image by image, as published",
    "forward": "forward in file number: the last numbers of each class test",
    "given": "as a given file says",
}
"""How each kind of split divides: "The data was divided …"."""
SPECIAL = {
    ("data.balance", 0): "0, all images",
    ("expand.factor", 0): "0, none",
    ("expand.per_class", 0): "0, none",
    ("optimiser.learning_rate", 0.0): "0, the default: "
    + listed([f"{plain(rate)} for {OPTIMISERS[name]}" for name, rate in DEFAULT_RATES.items()]),
    ("training.patience", 0): "0, never stops early",
}
"""Values that mean something other than their number."""


def training_words(
    experiment: Experiment, *, head: str = "", trained: bool = True
) -> tuple[str, ...]:
    """The training as sentences: input, network, loop, epoch kept, classical head.

    ``head`` is what a fold's ``model.json`` says of its classical head; ``trained`` is False where
    nothing was trained before it.
    """
    answer = f"A classical head answers, fitted on the vectors of the training rows: {head}."
    if not trained:
        return (_input(experiment), "Nothing was trained before the head.", answer)
    sentences = [_input(experiment)]
    augmented = augmentation_words(experiment.augment)
    sentences.append(
        f"Training batches were augmented anew each time: {augmented}."
        if augmented
        else "Training batches were not augmented."
    )
    if expanded := _expansion(experiment.expand):
        sentences.append(expanded)
    sentences.append(_loop(experiment))
    sentences.append(EPOCHS[experiment.training.epoch])
    if experiment.training.patience:
        sentences.append(
            f"Training stopped early after {counted(experiment.training.patience, 'epoch')} "
            "without a better validation loss."
        )
    if head:
        sentences.append(answer)
    return tuple(sentences)


def _input(experiment: Experiment) -> str:
    model, preprocess = experiment.model, experiment.preprocess
    size = preprocess.size
    choices = [f"{model.activation} activation"]
    if model.dropout:
        choices.append(f"dropout {plain(model.dropout)}")
    text = f"The network {model.name} ({', '.join(choices)}) saw images of {size} × {size} pixels"
    steps = [step_words(step.model_dump(mode="json")) for step in preprocess.steps]
    text += f", prepared by {listed(steps)}" if steps else ", without further preparation"
    text += f" and {SCALES[preprocess.scale]}"
    if preprocess.subtract_mean_image:
        text += "; the mean image of the training rows was subtracted"
    return text + "."


def _loop(experiment: Experiment) -> str:
    training, optimiser, schedule = experiment.training, experiment.optimiser, experiment.schedule
    rate = f"a learning rate of {plain(optimiser.initial_rate)}"
    text = (
        f"It was trained for at most {counted(training.epochs, 'epoch')} in batches of "
        f"{training.batch_size} with {OPTIMISERS[optimiser.name]} at {rate}"
    )
    if optimiser.momentum:
        text += f", momentum {plain(optimiser.momentum)}"
    if optimiser.weight_decay:
        text += f", weight decay {plain(optimiser.weight_decay)}"
    if schedule.kind == "constant":
        text += ", held constant"
    elif schedule.kind == "cosine":
        text += ", falling along a cosine"
    else:
        steps = "in steps" if schedule.kind == "staircase" else "smoothly"
        text += (
            f", falling {steps} by the factor {plain(schedule.decay_rate)} every "
            f"{counted(schedule.decay_steps, 'batch', 'batches')}"
        )
    weights = "balanced class weights" if training.class_weights == "balanced" else ""
    return f"{text}{f', with {weights}' if weights else ''}; seed {experiment.seed}."


def _expansion(expand: Expansion) -> str:
    if expand.factor > 1:
        made = f"to {expand.factor} times its size"
    elif expand.per_class:
        made = f"to {number(expand.per_class)} images a class"
    else:
        return ""
    when = (
        "before it was divided, as published, so that copies of one image stand in several parts"
        if expand.before_split
        else "after it was divided; copies stay in the part of the image they were made from"
    )
    how = augmentation_words(expand.augmentation)
    return f"The data was expanded {made} {when}{f' ({how})' if how else ''}."


def augmentation_words(augmentation: Augmentation) -> str:
    """The settings that differ from doing nothing: ``rotation 30, horizontal flip``."""
    default = Augmentation().model_dump(mode="json")
    chosen = augmentation.model_dump(mode="json")
    words = []
    for key, value in chosen.items():
        if value != default[key]:
            name = key.replace("_", " ")
            words.append(name if value is True else f"{name} {value_words(value)}")
    return ", ".join(words)


def step_words(step: dict[str, Any]) -> str:
    """One preprocessing step: ``median (size 3)``."""
    name = str(step["name"]).replace("_", " ").replace("-", " ")
    settings = [
        f"{key.replace('_', ' ')} {value_words(value)}"
        for key, value in step.items()
        if key != "name" and value not in (None, "", [], ())
    ]
    return f"{name} ({', '.join(settings)})" if settings else name


def split_words(split: Split) -> str:
    """How the rows were divided, in one sentence."""
    repeats = len({fold.repeat for fold in split.folds})
    kind = KINDS[split.kind].format(folds=len(split.folds) // repeats)
    times = f", repeated {repeats} times" if repeats > 1 else ""
    unit = (
        "groups were never cut"
        if split.unit == "group"
        else "single images were divided, so that images of one group stand in several parts"
    )
    return f"The data was divided {kind}{times}; {unit}. Seed {split.seed}."


def given_split_words(split: Split) -> dict[str, str]:
    """What a split that was given says of itself, under the keys of the plan that it replaces."""
    repeats = len({fold.repeat for fold in split.folds})
    rows = sum(len(fold.train + fold.validation + fold.test) for fold in split.folds)
    return {
        "split.kind": f"{split.kind} (given)",
        "split.folds": f"{number(len(split.folds) // repeats)} (given)",
        "split.repeats": f"{number(repeats)} (given)",
        "split.test": f"{share(sum(len(fold.test) for fold in split.folds), rows)} (given)",
        "split.validation": (
            f"{share(sum(len(fold.validation) for fold in split.folds), rows)} (given)"
        ),
        "split.group_duplicates": "— (given)",
    }


def setting_words(key: str, value: Any) -> str:
    """The value of one key of an experiment, said so that it cannot be misread."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return SPECIAL.get((key, value), value_words(value))
    return value_words(value)


def value_words(value: Any) -> str:
    """A JSON value as words: lists with commas, truth as yes and no."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, dict):
        return ", ".join(f"{str(k).replace('_', ' ')} {value_words(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(value_words(item) for item in value) or "none"
    return str(value)
