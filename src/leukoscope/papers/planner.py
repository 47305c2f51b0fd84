"""A grid planned, not looped: cells become distinct trainings, with what each will cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..counting import counted
from ..errors import ProtocolError
from ..models.classical.names import HEADS, MEASURED, head_of, network_of
from ..records.experiment import Experiment, experiment_sha256, with_settings
from .budget import BEYOND_SMOKE, SMOKE_MINUTES, Candidate, choose
from .cells import Budget, Cell, cells, experiment_of
from .costs import MACHINES, Cost, Machine, cost_of, vectors_are_kept
from .protocol import Protocol
from .published import published

__all__ = [
    "DataSize",
    "Plan",
    "Training",
    "make_plan",
    "plan_table",
    "shared_network",
    "shares_epochs",
]

SEPARATOR = "  "


@dataclass(frozen=True)
class DataSize:
    """How many images of each class there are to be used."""

    images: Mapping[str, int]

    def scale(self, published: Mapping[str, int]) -> float:
        """Part of the published images that is here: that of the class with the smallest part."""
        if not self.images or len(self.images) != len(published):
            return min(1.0, sum(self.images.values()) / sum(published.values()))
        here, there = sorted(self.images.values()), sorted(published.values())
        if set(self.images) == set(published):
            pairs = [(self.images[name], published[name]) for name in published]
        else:
            pairs = list(zip(here, there, strict=True))
        return min(1.0, *(a / b for a, b in pairs))

    def balanced_scale(self, published: Mapping[str, int]) -> float:
        """The same for draws of as many images of each class: the smallest class limits them."""
        if not self.images:
            return 1.0
        return min(1.0, min(self.images.values()) / min(published.values()))


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


@dataclass(frozen=True)
class Plan:
    """All trainings of a reproduction, in the order in which they are run."""

    protocol: Protocol
    budget: Budget
    trainings: tuple[Training, ...]
    scales: Mapping[str, float] = field(default_factory=dict)
    """Data set → part of the published images that is here."""
    left_out: tuple[Training, ...] = ()
    """What has no place in the smoke budget."""
    too_long: Mapping[str, float] = field(default_factory=dict)
    """Edition → estimated seconds of its axes alone, where they are more than the budget."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Keys that are set for all cells, against the paper or where it leaves them open."""
    weights: str = ""
    """What stands for the hub's weights; empty where the hub is asked."""

    @property
    def cells(self) -> int:
        """Cells of all editions together that are to be run."""
        return sum(len(training.cells) for training in self.trainings)

    def seconds(self, machine: Machine) -> float:
        """What the whole is estimated to take there."""
        return sum(training.cost.seconds(machine) for training in self.trainings)


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
    runs: Callable[[Training], bool] = lambda training: True,
) -> Plan:
    """Plan the cells of a paper.

    Parameters
    ----------
    editions
        Those of ``protocol.editions`` that are wanted.
    sizes
        Data set → images here; without it the published numbers. Draws (``data.balance``,
        ``expand.per_class``) are scaled where fewer are here.
    weights
        File or folder instead of the hub.
    changes
        Keys set for every cell, such as ``training.device``.
    instead
        Data set → keys that its cells have otherwise, before ``changes``.
    runs
        Whether a training can be run as far as is known before: one that cannot (no data, no
        weights) takes no time of a budget, and is planned to be told why.

    Raises
    ------
    ProtocolError, ExperimentError
        For an edition, condition or key that does not exist.
    """
    trainings: list[Training] = []
    left_out: list[Training] = []
    too_long: dict[str, float] = {}
    known = sizes or {}
    scales = {
        name: known[name].scale(source.images) if name in known else 1.0
        for name, source in protocol.data.items()
    }
    balanced = {
        name: known[name].balanced_scale(source.images) if name in known else 1.0
        for name, source in protocol.data.items()
    }
    for edition in editions:
        grid = cells(protocol, edition, budget, only, reading=reading)  # type: ignore[arg-type]
        groups: dict[str, list[tuple[Cell, Experiment]]] = {}
        for cell in grid:
            otherwise = {**(instead or {}).get(cell.data, {}), **(changes or {})}
            more = _more(protocol, cell.data, known)
            drawn = {
                "data.balance": balanced[cell.data],
                "expand.per_class": scales[cell.data],
            }
            experiment = _experiment(cell, drawn, more, weights, otherwise)
            groups.setdefault(_key(cell, experiment), []).append((cell, experiment))
        mine = [_training(protocol, group, known) for group in groups.values()]
        if budget == "smoke":
            mine, beyond, cover_seconds = _within_an_hour(protocol, mine, runs)
            left_out += beyond
            if cover_seconds > 60 * SMOKE_MINUTES:
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
    )


def _within_an_hour(
    protocol: Protocol, trainings: Sequence[Training], runs: Callable[[Training], bool]
) -> tuple[list[Training], list[Training], float]:
    """What the smoke budget has room for, what it has not, and the seconds of its axes alone."""
    possible = [one for one in trainings if runs(one)]
    choice = choose(_candidates(protocol, possible), 60 * SMOKE_MINUTES)
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
                shared=_vectors_of(one),
                shared_seconds=seconds - cached,
            )
        )
    return found


def _vectors_of(training: Training) -> str:
    """The same for trainings that find the same vectors of a frozen backbone in the cache."""
    experiment = training.experiment
    if not vectors_are_kept(experiment):
        return ""
    model, data, expand = experiment.model, experiment.data, experiment.expand
    drawn = experiment.seed if data.balance or expand.per_class or expand.factor > 1 else 0
    parts = (network_of(model.name), model.weights, model.pooling, model.fusion, drawn)
    rows = (training.data, data, expand, experiment.preprocess)
    return repr((parts, rows))


def _computed_once(trainings: Sequence[Training]) -> list[Training]:
    """Only the first of those that share vectors has their cost."""
    seen: set[str] = set()
    found = []
    for one in trainings:
        key = _vectors_of(one)
        found.append(replace(one, cost=one.cost.cached) if key in seen else one)
        seen |= {key} - {""}
    return found


def _more(protocol: Protocol, name: str, sizes: Mapping[str, DataSize]) -> float:
    """How many times the published images are here, where there are more of them."""
    if name not in sizes:
        return 1.0
    here, there = sizes[name].images.values(), protocol.data[name].images.values()
    return max(1.0, sum(here) / sum(there))


def _experiment(
    cell: Cell,
    scales: Mapping[str, float],
    more: float,
    weights: str,
    changes: Mapping[str, Any],
) -> Experiment:
    settings: dict[str, Any] = dict(changes)
    if more > 1 and cell.budget == "smoke" and "expand.factor" in cell.settings:
        # As many images as the paper's; two of each at least, so that copies can leak.
        settings["expand.factor"] = max(2, round(cell.settings["expand.factor"] / more))
    for key, scale in scales.items():
        if scale < 1 and key in cell.settings:
            settings[key] = max(4, int(cell.settings[key] * scale))
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
    classes = images or protocol.data[longest.data].images
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


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """The plan by edition and arm, and last all together.

    A training counts where its first cell lies; cells of other arms that are measured from it are
    counted in theirs.
    """
    rows = []
    planned = [cell for one in plan.trainings for cell in one.cells]
    beyond = [cell for one in plan.left_out for cell in one.cells]
    places = dict.fromkeys((cell.edition, cell.arm) for cell in (*planned, *beyond))
    for edition, arm in places:
        mine = [t for t in plan.trainings if (t.edition, t.cells[0].arm) == (edition, arm)]
        own, out = (
            [cell for cell in some if (cell.edition, cell.arm) == (edition, arm)]
            for some in (planned, beyond)
        )
        rows.append(_row(edition, arm, own, len(out), mine))
    rows.append(_row("all", "", planned, len(beyond), plan.trainings))
    return rows


def _row(
    edition: str, arm: str, own: Sequence[Cell], left_out: int, trainings: Sequence[Training]
) -> dict[str, Any]:
    return {
        "edition": edition,
        "arm": arm,
        "cells": len(own),
        "cells_left_out": left_out,
        "trainings": len(trainings),
        "epochs": sum(one.experiment.training.epochs for one in trainings),
        "epochs_without_sharing": sum(int(cell.settings["training.epochs"]) for cell in own),
        "operations": sum(one.cost.operations for one in trainings),
        **{
            f"seconds_{machine.name}": sum(one.cost.seconds(machine) for one in trainings)
            for machine in MACHINES
        },
        "memory_bytes": max((one.cost.memory_bytes for one in trainings), default=0),
        "disk_bytes": sum(one.cost.disk_bytes for one in trainings),
    }


def plan_table(plan: Plan) -> str:
    """The plan as text for people."""
    from ..progress import duration

    head = ["edition", "arm", "cells", "left out", "trainings", "epochs", "unshared"]
    head += [machine.title for machine in MACHINES] + ["memory", "disk"]
    body = [
        [
            row["edition"],
            row["arm"],
            f"{row['cells']:,}",
            f"{row['cells_left_out']:,}",
            f"{row['trainings']:,}",
            f"{row['epochs']:,}",
            f"{row['epochs_without_sharing']:,}",
            *(_long(row[f"seconds_{machine.name}"], duration) for machine in MACHINES),
            f"{row['memory_bytes'] / 2**30:.1f} GiB",
            f"{row['disk_bytes'] / 2**30:.1f} GiB",
        ]
        for row in plan_rows(plan)
    ]
    widths = [max(len(line[place]) for line in (head, *body)) for place in range(len(head))]
    lines = []
    for line in (head, *body):
        cells_ = [
            text.ljust(width) if place < 2 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(SEPARATOR.join(cells_).rstrip())
    scaled = [f"{name} at {scale:.3f}" for name, scale in plan.scales.items() if scale < 1]
    if scaled:
        lines.append(
            f"draws in proportion to the images here: {', '.join(scaled)}; balanced ones to the "
            "smallest class"
        )
    lines += _of_budget(plan)
    lines.append("Times and memory are estimates from operations; what ran is measured.")
    return "\n".join(lines)


def _of_budget(plan: Plan) -> list[str]:
    """What the smoke budget leaves out, and where it does not hold."""
    from ..progress import duration

    lines = []
    cells_ = sum(len(one.cells) for one in plan.left_out)
    if cells_:
        lines.append(
            f"{counted(cells_, 'cell')} of {counted(len(plan.left_out), 'training')} left out: "
            f"{BEYOND_SMOKE.removeprefix('not run: ')}."
        )
    for edition, seconds in plan.too_long.items():
        lines.append(
            f"{edition}: to meet every value of every axis takes an estimated "
            f"{duration(seconds)}, more than the {SMOKE_MINUTES} minutes of the smoke budget. It "
            "is planned all the same; choose less with --only."
        )
    return lines


def _long(seconds: float, duration: Any) -> str:
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.1f} days"
    return str(duration(seconds))
