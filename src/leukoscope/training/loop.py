"""One network, one fold: epochs, the epoch that is kept, and a state that survives a kill."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ExperimentError
from ..images.augmentation import Augmentation
from ..models.building import SeededDropout
from ..records.experiment import Experiment
from .augment import augment
from .batches import Inputs, Integers, Loader, Part
from .checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from .history import write_history
from .losses import class_weights, losses_of, right
from .optimisers import Updates, make_optimiser
from .schedules import rate_at
from .seeds import numpy_stream, stream_seed

__all__ = [
    "CHECKPOINT",
    "FORWARD_PIXELS",
    "HISTORY",
    "FoldData",
    "Kept",
    "Snapshot",
    "TrainingState",
    "forward",
    "new_state",
    "run_epoch",
    "train_network",
]

CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.csv"
FORWARD_PIXELS = 600_000
"""Pixels of a pass without gradients: 256 images at 48 px, 9 at 257 px; bounds the memory."""

Report = Callable[[int, int, list[dict[str, float]]], None]
"""Told (finished epochs, finished batches of this epoch, history so far)."""
Snapshot = Callable[[int, nn.Module], None]
"""Told (epochs, network with the weights that a training of so many epochs would keep)."""


@dataclass(frozen=True)
class FoldData:
    """What one fold's training looks at."""

    pixels: Inputs
    normaliser: Loader
    train: Part
    validation: Part
    test: Part
    """Looked at during training only as published: where the epoch is chosen on it, or where its
    curve is asked for."""
    classes: int


@dataclass(frozen=True)
class Kept:
    """Whose weights the network has in the end."""

    epoch: int
    epochs: int
    """How many were trained; fewer than asked for where it stopped early."""
    chosen_by: str


@dataclass
class TrainingState:
    """What changes from epoch to epoch, and is saved after each."""

    network: nn.Module
    parameters: list[Tensor]
    optimiser: Updates
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    """0 while there is none."""
    best_value: tuple[float, float] = (math.inf, math.inf)
    """What is minimised; the second breaks ties."""
    restarted: int = 0
    """The step after which the optimiser began anew, because more of the network is trained."""


def train_network(
    network: nn.Module,
    data: FoldData,
    experiment: Experiment,
    *,
    fold: int,
    precision: torch.dtype,
    folder: Path,
    report: Report,
    counts: Collection[int] = (),
    snapshot: Snapshot | None = None,
) -> Kept:
    """Train ``network`` in place, going on from the checkpoint in ``folder`` where there is one.

    After every epoch ``folder`` holds ``history.csv`` and a checkpoint, so that a kill at any
    moment loses at most one epoch; on the same CPU the weights in the end are the same bits.

    Parameters
    ----------
    network
        On the device of ``data.normaliser``, with its initial weights.
    fold
        Its number, which is part of every random stream.
    precision
        ``torch.bfloat16`` computes the products in it and keeps weights and updates in float32.
    counts, snapshot
        After each of these numbers of epochs ``snapshot`` sees the network as a training of just
        so many would have left it; again after a kill in between.

    Raises
    ------
    ExperimentError
        When the loss is no longer a number, the kept epoch needs a part that is empty, or
        ``counts`` are asked of a schedule that depends on the number of epochs.
    RunError
        When the checkpoint cannot be read.
    """
    settings = experiment.training
    _verify(experiment, data)
    _refuse_counts(experiment, counts)
    state = new_state(network, experiment)
    if (folder / CHECKPOINT).exists():
        _restore(state, folder, experiment)
    weights = class_weights(data.train.targets, data.classes, settings.class_weights)
    if weights is not None:
        weights = weights.to(data.normaliser.device)
    while state.epoch < settings.epochs and not _stops(state, settings.patience):
        began = time.perf_counter()
        row = run_epoch(state, data, experiment, fold, precision, weights, report)
        with_test = settings.epoch == "best-test" or settings.curves_on_test
        row |= _measured(network, data, precision, weights, with_test=with_test)
        row["seconds"] = round(time.perf_counter() - began, 3)
        _refuse_no_number(row, fold)
        state.history.append(row)
        state.epoch += 1
        _judge(state, settings.epoch, folder)
        if snapshot is not None and state.epoch in counts:
            _show(state, settings.epoch, folder, snapshot)
        _save(state, folder)
        report(state.epoch, 0, state.history)
    if settings.epoch != "last":
        network.load_state_dict(load_weights(folder / f"best-{state.best_epoch}.safetensors"))
    kept = state.epoch if settings.epoch == "last" else state.best_epoch
    return Kept(kept, state.epoch, _RULES[settings.epoch])


def _refuse_counts(experiment: Experiment, counts: Collection[int]) -> None:
    """A shorter training is the beginning of a longer one, unless its rates know the end."""
    if counts and experiment.schedule.kind == "cosine":
        raise ExperimentError(
            "schedule.kind = 'cosine' falls to the last epoch, so a training of fewer epochs is "
            "another training: measure each number of epochs in a run of its own."
        )
    longer = [count for count in counts if not 0 < count <= experiment.training.epochs]
    if longer:
        raise ExperimentError(
            f"a snapshot after {longer[0]} epochs is asked of {experiment.training.epochs}."
        )


def _show(state: TrainingState, rule: str, folder: Path, snapshot: Snapshot) -> None:
    """Show the weights that are kept if the training ended here, then go on with the newest."""
    if rule == "last":
        snapshot(state.epoch, state.network)
        return
    newest = {name: value.clone() for name, value in state.network.state_dict().items()}
    state.network.load_state_dict(load_weights(folder / f"best-{state.best_epoch}.safetensors"))
    snapshot(state.epoch, state.network)
    state.network.load_state_dict(newest)


def new_state(network: nn.Module, experiment: Experiment) -> TrainingState:
    """A training that has not begun."""
    parameters: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
    optimiser = make_optimiser([p.data for p in parameters], experiment.optimiser)
    return TrainingState(network, parameters, optimiser)


def _thaw(state: TrainingState, experiment: Experiment, epoch: int) -> None:
    """Train what the network says is trained in this epoch.

    Where that changes, the optimiser begins anew, as Keras's does when a model is compiled again.
    """
    thaw = getattr(state.network, "thaw", None)
    if thaw is not None and thaw(epoch):
        begun = new_state(state.network, experiment)
        state.parameters, state.optimiser = begun.parameters, begun.optimiser
        state.restarted = state.step


_RULES = {
    "last": "the last epoch",
    "best-validation": "lowest loss on the validation part",
    "best-test": "highest accuracy on the test part, then lowest loss (as published: it leaks)",
}


def _verify(experiment: Experiment, data: FoldData) -> None:
    settings = experiment.training
    if not len(data.validation) and (settings.epoch == "best-validation" or settings.patience):
        key = "training.epoch" if settings.epoch == "best-validation" else "training.patience"
        raise ExperimentError(
            f"{key} looks at the validation part, but this fold has none: split.validation is 0, "
            "or too few groups were left to make one of. Set split.validation above 0 and add "
            "subjects where they are few; or train without one: training.epoch = 'last' and "
            "training.patience = 0."
        )


def run_epoch(
    state: TrainingState,
    data: FoldData,
    experiment: Experiment,
    fold: int,
    precision: torch.dtype,
    weights: Tensor | None,
    report: Report,
) -> dict[str, float]:
    """One pass over the training part in a new order; its row of the history.

    ``state.epoch`` stays as it is: the epoch counts as made once its state is saved.
    """
    epoch, settings = state.epoch, experiment.training
    seed, device = experiment.seed, data.normaliser.device
    order = numpy_stream(seed, fold, "order", epoch).permutation(len(data.train))
    drawn = numpy_stream(seed, fold, "augmentation", epoch)
    for module in state.network.modules():
        if isinstance(module, SeededDropout):
            module.reseed(stream_seed(seed, fold, "dropout", epoch), device)
    batches = math.ceil(len(order) / settings.batch_size)
    steps = batches * settings.epochs
    rate = first_rate = experiment.optimiser.initial_rate
    total_loss = torch.zeros((), dtype=torch.float64, device=device)
    total_right = torch.zeros((), dtype=torch.float64, device=device)
    _thaw(state, experiment, epoch)
    state.network.train()
    for batch in range(batches):
        places = order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
        images = _images(data, data.train.rows[places], experiment.augment, drawn)
        targets = torch.from_numpy(data.train.targets[places]).to(device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            logits = state.network(images)
        losses = losses_of(logits.float(), targets, weights)
        gradients = list(torch.autograd.grad(losses.mean(), state.parameters))
        rate = rate_at(experiment.schedule, first_rate, state.step, steps)
        state.step += 1
        with torch.no_grad():
            state.optimiser.step(gradients, rate, state.step - state.restarted)
            total_loss += losses.sum()
            total_right += right(logits, targets).sum()
        report(epoch, batch + 1, state.history)
    count = len(order)
    return {
        "epoch": epoch + 1,
        "learning_rate": rate,
        "loss": float(total_loss) / count,
        "accuracy": float(total_right) / count,
    }


def _images(
    data: FoldData, rows: Integers, augmentation: Augmentation, drawn: np.random.Generator
) -> Tensor:
    values = data.normaliser.load(data.pixels.batch(rows))
    if augmentation.changes:
        values = augment(augmentation, values, drawn)
    return data.normaliser(values)


def forward(
    network: nn.Module, data: FoldData, part: Part, precision: torch.dtype = torch.float32
) -> Tensor:
    """Logits of a part, (n, units) float32 on the CPU, in the order of its rows."""
    network.eval()
    device = data.normaliser.device
    found = []
    step = 1
    if len(part):
        first = data.pixels.batch(part.rows[:1])
        step = max(1, FORWARD_PIXELS // math.prod(first.shape[1:3]))
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16),
    ):
        for start in range(0, len(part), step):
            rows = part.rows[start : start + step]
            images = data.normaliser(data.normaliser.load(data.pixels.batch(rows)))
            found.append(network(images).float().cpu())
    return torch.cat(found)


def _measured(
    network: nn.Module,
    data: FoldData,
    precision: torch.dtype,
    weights: Tensor | None,
    *,
    with_test: bool,
) -> dict[str, float]:
    """Loss and accuracy of the validation part and, only where it is asked for, the test part."""
    row = {}
    parts = {"validation": data.validation}
    if with_test:
        parts["test"] = data.test
    for name, part in parts.items():
        if not len(part):
            continue
        logits = forward(network, data, part, precision)
        targets = torch.from_numpy(part.targets)
        losses = losses_of(logits, targets, None if weights is None else weights.cpu())
        row[f"{name}_loss"] = float(losses.double().mean())
        row[f"{name}_accuracy"] = float(right(logits, targets).double().mean())
    return row


def _refuse_no_number(row: Mapping[str, float], fold: int) -> None:
    for name, value in row.items():
        if not math.isfinite(value):
            raise ExperimentError(
                f"fold-{fold}, epoch {int(row['epoch'])}: {name} is {value}: the training "
                "diverged. Lower optimiser.learning_rate, or use training.precision = 'float32'."
            )


def _judge(state: TrainingState, rule: str, folder: Path) -> None:
    """Keep this epoch's weights where it is the best so far."""
    row = state.history[-1]
    if "validation_loss" not in row and rule != "best-test":
        return
    value = (
        (-row["test_accuracy"], row["test_loss"])
        if rule == "best-test"
        else (row["validation_loss"], 0.0)
    )
    if value >= state.best_value:
        return
    state.best_value, state.best_epoch = value, state.epoch
    if rule != "last":
        save_weights(folder / f"best-{state.epoch}.safetensors", state.network.state_dict())


def _stops(state: TrainingState, patience: int) -> bool:
    """Whether ``patience`` epochs brought no lower validation loss."""
    if not patience or not state.history:
        return False
    losses = [row["validation_loss"] for row in state.history]
    return len(losses) - 1 - int(np.argmin(losses)) >= patience


def _save(state: TrainingState, folder: Path) -> None:
    """The checkpoint first, then what is derived from it, then what it no longer needs."""
    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    for name, values in state.optimiser.state.items():
        tensors |= {f"optimiser.{name}.{place}": value for place, value in enumerate(values)}
    facts: dict[str, Any] = {
        "epoch": state.epoch,
        "step": state.step,
        "restarted": state.restarted,
        "history": state.history,
        "best_epoch": state.best_epoch,
        "best_value": list(state.best_value) if state.best_epoch else None,
    }
    save_checkpoint(folder / CHECKPOINT, tensors, facts)
    write_history(state.history, folder / HISTORY)
    for path in folder.glob("best-*.safetensors"):
        if path.name != f"best-{state.best_epoch}.safetensors":
            path.unlink()


def _restore(state: TrainingState, folder: Path, experiment: Experiment) -> None:
    tensors, facts = load_checkpoint(folder / CHECKPOINT)
    _thaw(state, experiment, max(0, facts["epoch"] - 1))
    state.restarted = facts["restarted"]
    prefix = "network."
    state.network.load_state_dict(
        {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
    )
    for name, values in state.optimiser.state.items():
        for place, value in enumerate(values):
            value.copy_(tensors[f"optimiser.{name}.{place}"])
    state.epoch, state.step = facts["epoch"], facts["step"]
    state.history, state.best_epoch = facts["history"], facts["best_epoch"]
    if facts["best_value"] is not None:
        first, second = facts["best_value"]
        state.best_value = (first, second)
