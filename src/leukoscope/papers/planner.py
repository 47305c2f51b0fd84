"""A grid planned, not looped: cells become distinct trainings, with what each will cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ProtocolError
from ..models.classical.names import HEADS, MEASURED, head_of, network_of
from ..records.experiment import Experiment, experiment_sha256, with_settings
from .budget import SMOKE_MINUTES, Candidate, choose
from .cells import Budget, Cell, cells, experiment_of
from .costs import MACHINES, Cost, Machine, cost_of, vectors_are_kept
from .draws import DataSize, Scale, scale_of
from .protocol import Protocol
from .published import published

__all__ = [
    "Plan",
    "Training",
    "disk_bytes",
    "make_plan",
    "shared_network",
    "shares_epochs",
]


@dataclass(frozen=True)
class Training:
    """One training, and the cells that are measured from it."""

    name: str
    """Of its run folder."""
    edition: str
    experiment: Experiment
    """With the largest number of epochs of its cells."""
    cells: tuple[Cell, ...]
    counts: tuple[int, ...]
    """Numbers of epochs that are measured on the way; the last one is the experiment's own."""
    heads: tuple[str, ...]
    """Classical heads that are fitted on the network beside the experiment's own."""
    cost: Cost
    data: str
    after: str
    """Name of the training whose weights it begins with; empty where there is none."""
    obstacle: str = ""
    """Why it cannot be run, as far as that is known before anything is begun."""


@dataclass(frozen=True)
class Plan:
    """All trainings of a reproduction, in the order in which they are run."""

    protocol: Protocol
    budget: Budget
    trainings: tuple[Training, ...]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    """Data set → what the published draws from it are multiplied by."""
    left_out: tuple[Training, ...] = ()
    """What has no place in the smoke budget."""
    too_long: Mapping[str, float] = field(default_factory=dict)
    """Edition → estimated seconds of its axes alone, where they are more than the budget."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Keys that are set for all cells, against the paper or where it leaves them open."""
    weights: str = ""
    """What stands for the hub's weights; empty where the hub is asked."""
    minutes: float = SMOKE_MINUTES
    """Of an edition at the smoke budget."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Data set → what is planned for, in words."""
    only: tuple[str, ...] = ()
    """Conditions that were asked for; empty: the whole grid."""
    reading: str = "full"
    """Which of the paper's counts of trainings."""
    downloads: Mapping[str, str] = field(default_factory=dict)
    """Backbone → where its weights are downloaded from, of those that are not here."""

    @property
    def scaled(self) -> dict[str, float]:
        """Data set → part of the published images that its draws are made of, where it is less."""
        found = {}
        for name, scale in self.scales.items():
            mine = [one.experiment for one in (*self.trainings, *self.left_out) if one.data == name]
            parts = [scale.balance] * any(one.data.balance for one in mine)
            parts += [scale.per_class] * any(one.expand.per_class for one in mine)
            if min(parts, default=1.0) < 1:
                found[name] = min(parts)
        return found

    @property
    def sampled(self) -> dict[str, int]:
        """Data set → images that are drawn of it, where there may be more."""
        asked = [one for one in (*self.trainings, *self.left_out) if one.experiment.data.sample]
        return {one.data: one.experiment.data.sample for one in asked}

    @property
    def possible(self) -> tuple[Training, ...]:
        """Trainings that nothing is known to stand in the way of."""
        return tuple(one for one in self.trainings if not one.obstacle)

    @property
    def cells(self) -> int:
        """Cells of all editions together that have a place, possible or not."""
        return sum(len(training.cells) for training in self.trainings)

    def seconds(self, machine: Machine) -> float:
        """What the whole is estimated to take there."""
        return sum(training.cost.seconds(machine) for training in self.possible)


def shares_epochs(experiment: Experiment) -> bool:
    """Whether a training of fewer epochs is the beginning of this one, bit for bit.

    A cosine's rate knows how many epochs are to come. A classical head is fitted anew on the
    network at each number of epochs.
    """
    return experiment.schedule.kind != "cosine"


def shared_network(experiment: Experiment) -> str:
    """The network that is trained, which is the same behind any classical head.

    FEM-N is CNN-N trained with its own head (varol2024 §2.6.2). A frozen backbone is not trained
    where a classical head follows, and is where its own does: those are two.
    """
    name = experiment.model.name
    network = network_of(name)
    trained = experiment.model.trainable != "head" and network not in MEASURED
    return network if trained or head_of(name) is None else f"{network}, not trained"


def make_plan(
    protocol: Protocol,
    editions: Sequence[str],
    budget: Budget,
    only: Sequence[str] = (),
    *,
    sizes: Mapping[str, DataSize] | None = None,
    weights: str = "",
    changes: Mapping[str, Any] | None = None,
    instead: Mapping[str, Mapping[str, Any]] | None = None,
    reading: str = "full",
    obstacle: Callable[[Training], str] = lambda training: "",
    minutes: float = SMOKE_MINUTES,
) -> Plan:
    """Plan the cells of a paper.

    Parameters
    ----------
    editions
        Those of ``protocol.editions`` that are wanted.
    sizes
        Data set → images here; without it the published numbers. Draws (``data.balance``,
        ``expand.per_class``) are scaled where fewer are here (``draws.scale_of``).
    weights
        File or folder instead of the hub.
    changes
        Keys set for every cell, such as ``training.device``.
    instead
        Data set → keys that its cells have otherwise, before ``changes``.
    obstacle
        Why a training cannot be run (no data, no weights), or nothing: one that cannot takes no
        time of a budget, and neither can what begins with it.
    minutes
        Of an edition at the smoke budget; to meet every axis may take longer.

    Raises
    ------
    ProtocolError, ExperimentError
        For an edition, condition or key that does not exist.
    """
    trainings: list[Training] = []
    left_out: list[Training] = []
    too_long: dict[str, float] = {}
    known = sizes or {}
    grids = {
        edition: cells(protocol, edition, budget, only, reading=reading)  # type: ignore[arg-type]
        for edition in editions
    }
    scales = _scales(protocol, known, [cell for grid in grids.values() for cell in grid], budget)
    for edition, grid in grids.items():
        groups: dict[str, list[tuple[Cell, Experiment]]] = {}
        for cell in grid:
            anew = {} if _in_folds(cell) else (instead or {}).get(cell.data, {})
            otherwise = {**anew, **(changes or {})}
            experiment = _experiment(cell, scales[cell.data], weights, otherwise)
            groups.setdefault(_key(cell, experiment), []).append((cell, experiment))
        mine = [_training(protocol, group, known) for group in groups.values()]
        mine = _obstructed(mine, obstacle)
        if budget == "smoke":
            mine, beyond, cover_seconds = _within(minutes, protocol, mine)
            left_out += beyond
            if cover_seconds > 60 * minutes:
                too_long[edition] = cover_seconds
        trainings += _computed_once(mine)
    if not trainings:
        raise ProtocolError(f"{protocol.id}: no edition to plan.")
    return Plan(
        protocol,
        budget,
        _ordered(trainings),
        scales,
        tuple(left_out),
        too_long,
        changes or {},
        weights,
        minutes,
        only=tuple(only),
        reading=reading,
    )


def _in_folds(cell: Cell) -> bool:
    """Whether a cell looks at no official part, so that none can be missing."""
    return cell.settings.get("split.kind") == "kfold"


def _scales(
    protocol: Protocol, sizes: Mapping[str, DataSize], grid: Sequence[Cell], budget: Budget
) -> dict[str, Scale]:
    """For each data set of the paper what the draws from it are multiplied by."""
    found = {}
    for name, source in protocol.data.items():
        draws = [int(cell.settings.get("data.balance", 0)) for cell in grid if cell.data == name]
        found[name] = (
            scale_of(
                sizes[name].sampled(source.smoke if budget == "smoke" else 0),
                source.images,
                draws,
                full=budget == "full",
            )
            if name in sizes
            else Scale()
        )
    return found


def _obstructed(
    trainings: Sequence[Training], obstacle: Callable[[Training], str]
) -> list[Training]:
    """Each with what stands in its way, and second stages with what is in that of their first."""
    own = {one.name: obstacle(one) for one in trainings}
    found = []
    for one in trainings:
        first = own.get(one.after, "")
        behind = f"its first stage ({one.after}) cannot be run: {first}" if first else ""
        found.append(replace(one, obstacle=own[one.name] or behind))
    return found


def _within(
    minutes: float, protocol: Protocol, trainings: Sequence[Training]
) -> tuple[list[Training], list[Training], float]:
    """What the smoke budget has room for, what it has not, and the seconds of its axes alone."""
    possible = [one for one in trainings if not one.obstacle]
    choice = choose(_candidates(protocol, possible), 60 * minutes)
    beyond = [one for one in possible if one.name not in choice.names]
    return [one for one in trainings if one not in beyond], beyond, choice.cover_seconds


def _candidates(protocol: Protocol, trainings: Sequence[Training]) -> list[Candidate]:
    printed = {figure.cell for figure in published(protocol) if figure.kind == "result"}
    cores = MACHINES[0]
    found = []
    for one in trainings:
        seconds, cached = one.cost.seconds(cores), one.cost.cached.seconds(cores)
        found.append(
            Candidate(
                name=one.name,
                seconds=cached,
                values=frozenset(
                    (cell.arm, axis, value)
                    for cell in one.cells
                    for axis, value in (cell.values or {"": ""}).items()
                ),
                published=any(cell.id in printed for cell in one.cells),
                after=one.after,
                shared=vectors_of(one),
                shared_seconds=seconds - cached,
            )
        )
    return found


def vectors_of(training: Training) -> str:
    """The same for trainings that find the same vectors of a frozen backbone in the cache."""
    experiment = training.experiment
    if not vectors_are_kept(experiment):
        return ""
    model, data, expand = experiment.model, experiment.data, experiment.expand
    drawn = (
        experiment.seed
        if data.sample or data.balance or expand.per_class or expand.factor > 1
        else 0
    )
    parts = (network_of(model.name), model.weights, model.pooling, model.fusion, drawn)
    rows = (training.data, data, expand, experiment.preprocess)
    return repr((parts, rows))


def pixels_of(training: Training) -> str:
    """The same for trainings that find the same decoded images in the cache."""
    return repr((training.data, training.experiment.preprocess))


def disk_bytes(trainings: Sequence[Training], jobs: int = 1) -> tuple[float, float]:
    """Bytes in the output folder, and in the cache, for all trainings together.

    What lies there while one runs is counted for the ``jobs`` that need most.
    """
    pixels: dict[str, float] = {}
    vectors: dict[str, float] = {}
    for one in trainings:
        disk = one.cost.disk
        for shared, key, size in (
            (pixels, pixels_of(one), disk.pixels),
            (vectors, vectors_of(one), disk.vectors),
        ):
            shared[key] = max(shared.get(key, 0.0), size)
    scratch = sorted((one.cost.disk.scratch for one in trainings), reverse=True)[:jobs]
    kept = sum(one.cost.disk.kept for one in trainings)
    return kept + sum(scratch), sum(pixels.values()) + sum(vectors.values())


def _computed_once(trainings: Sequence[Training]) -> list[Training]:
    """Only the first of those that share vectors has their cost."""
    seen: set[str] = set()
    found = []
    for one in trainings:
        key = "" if one.obstacle else vectors_of(one)
        found.append(replace(one, cost=one.cost.cached) if key in seen else one)
        seen |= {key} - {""}
    return found


def _experiment(cell: Cell, scale: Scale, weights: str, changes: Mapping[str, Any]) -> Experiment:
    # What a person sets stands, whatever is here.
    settings = {**scale.settings(cell.settings, smoke=cell.budget == "smoke"), **changes}
    if weights and str(cell.settings.get("model.weights", "")).startswith("hub"):
        settings["model.weights"] = weights
    return experiment_of(cell, settings)


def _key(cell: Cell, experiment: Experiment) -> str:
    """The same for cells that differ in nothing but how long they are trained, and in the head."""
    network = shared_network(experiment)
    changes: dict[str, Any] = {"model.name": network}
    if shares_epochs(experiment):
        changes["training.epochs"] = 1
    experiment = with_settings(experiment, changes)
    return f"{cell.data} {cell.after} {experiment_sha256(experiment)}"


def _training(
    protocol: Protocol,
    group: Sequence[tuple[Cell, Experiment]],
    sizes: Mapping[str, DataSize],
) -> Training:
    # The network with its own head goes first, where a cell wants it: its run has no other.
    plain = [pair for pair in group if head_of(pair[1].model.name) is None]
    longest, experiment = max(plain or group, key=lambda pair: pair[1].training.epochs)
    counts = sorted({one.training.epochs for _, one in group})
    experiment = with_settings(experiment, {"training.epochs": counts[-1]})
    asked = {head_of(one.model.name) for _, one in group} - {head_of(experiment.model.name)}
    heads = tuple(head for head in HEADS if head in asked)
    images = sizes[longest.data].images if longest.data in sizes else {}
    size = DataSize(images or protocol.data[longest.data].images)
    classes = size.sampled(experiment.data.sample).images
    return Training(
        # A run without these heads is another one, so that neither is taken for the other.
        name=f"{longest.folder}_with-{'-'.join(heads)}" if heads else longest.folder,
        edition=longest.edition,
        experiment=experiment,
        cells=tuple(cell for cell, _ in group),
        counts=tuple(counts[:-1]),
        heads=heads,
        cost=cost_of(experiment, classes, counts=counts[:-1], heads=heads),
        data=longest.data,
        after=longest.after.replace("/", "--").replace("=", "-").replace(",", "_"),
    )


def _ordered(trainings: Sequence[Training]) -> tuple[Training, ...]:
    """What others begin with comes first; else as in the file."""
    return tuple(sorted(trainings, key=lambda training: bool(training.after)))
