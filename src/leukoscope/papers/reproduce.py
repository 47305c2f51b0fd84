"""A paper reproduced: its data gathered, its plan run, published and measured side by side."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..errors import ProtocolError, StorageError, suggestion
from ..files import write_json
from ..progress import Progress
from ..splits.kinds import has_test_part
from . import machine
from .budget import SMOKE_IMAGES, SMOKE_SUBJECTS
from .cells import Budget
from .cluster import import_ray, run_on_ray
from .engines import Engine, refuse_jobs, run_here, share_of
from .fuzzy_stage import fuzzy_stage
from .planner import DataSize, Plan, make_plan, plan_rows, plan_table
from .processes import run_processes
from .protocol import Protocol, read_protocol
from .report import write_reproduction_report
from .reproduction import Line, reproduction_lines, write_reproduction_csv
from .runner import DataUsed, Kind, Outcome, has_weights, open_source, run_plan

__all__ = ["Reproduction", "Request", "plan_for", "reproduce"]

SMALLEST_RENDERED_PX = 64
NO_TEST = "without the official test part: folds of whole groups are tested instead"


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    paper: str
    editions: tuple[str, ...] = ()
    """Empty: all that the paper has."""
    budget: Budget = "smoke"
    only: tuple[str, ...] = ()
    reading: str = "full"
    data: Mapping[str, Path] = field(default_factory=dict)
    """The paper's data set → where it lies."""
    substitutes: Mapping[str, Path] = field(default_factory=dict)
    """The paper's data set → another one that stands in for it."""
    rendered: bool = False
    """Draw what is neither."""
    images: int = SMOKE_IMAGES
    subjects: int = SMOKE_SUBJECTS
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    engine: Literal["local", "ray"] = "local"
    jobs: int | None = 1
    """Trainings at once, each in a process of its own; None: as many as fit. With more than one a
    script needs ``if __name__ == "__main__":``, because the processes import it."""
    address: str = ""
    """Of a Ray cluster; empty: ``RAY_ADDRESS``, else one is started here."""


@dataclass(frozen=True)
class Reproduction:
    """What came of it."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    lines: tuple[Line, ...]
    folder: Path

    @property
    def done(self) -> int:
        """Cells that were run."""
        return sum(not one.reason for one in self.outcomes)


def reproduce(request: Request, out: Path, progress: Progress) -> Reproduction:
    """Plan, run and report.

    Written to ``out``: ``plan.json``, ``runs/EDITION/CELL/`` (each a run, with its verdicts where
    the paper has a fuzzy stage), ``state.json``, ``reproduction.csv`` and ``reproduction.html``.
    Stopped at any moment, the same call goes on.

    Raises
    ------
    ProtocolError
        For a paper, edition, data set or condition that does not exist.
    RunError
        When ``out`` has runs of other settings or data.
    StorageError
        When the disk is too small for the plan, or full.
    """
    protocol = read_protocol(request.paper)
    _refuse_engine(request)
    sources = gather(protocol, request, out, progress)
    plan = plan_for(request, sources)
    progress.say(plan_table(plan))
    engine = _engine(request, plan)
    _refuse_small_machine(plan, out, progress, request.engine)
    told = {"only": request.only, "changes": dict(plan.changes), "weights": _named(plan.weights)}
    table = {"schema": 1, "paper": protocol.id, "budget": plan.budget, **told}
    write_json(out / "plan.json", {**table, "rows": plan_rows(plan)})
    outcomes = run_plan(plan, sources, out, progress, engine)
    staged = fuzzy_stage(plan, outcomes, sources, progress)
    lines = reproduction_lines(plan, outcomes, sources)
    write_reproduction_csv(plan, lines, out / "reproduction.csv")
    write_reproduction_report(plan, outcomes, lines, sources, out / "reproduction.html", staged)
    return Reproduction(plan, outcomes, lines, out)


def _refuse_engine(request: Request) -> None:
    """Before data is drawn: what is asked for can be had."""
    if request.engine == "ray":
        import_ray()
    elif request.address:
        raise ProtocolError(f"--address {request.address}: is of a Ray cluster. Add --engine ray.")
    elif request.jobs is not None:
        refuse_jobs(request.jobs)


def _named(weights: str) -> str:
    """Without the folders, which name a machine and often a person."""
    return Path(weights).name if weights else "hub"


def _engine(request: Request, plan: Plan) -> Engine:
    """How the trainings are run."""
    if request.engine == "ray":
        return partial(
            run_on_ray,
            address=request.address,
            jobs=request.jobs,
            trainings=len(plan.trainings),
            gpu=any(one.experiment.training.device != "cpu" for one in plan.trainings),
        )
    share = share_of(
        len(plan.trainings),
        max((training.cost.memory_bytes for training in plan.trainings), default=0.0),
        jobs=request.jobs,
        gpu=request.jobs is None and _on_gpu(plan),
    )
    return run_here if share.jobs == 1 else partial(run_processes, share=share)


def _on_gpu(plan: Plan) -> bool:
    """Whether trainings run on a GPU, where several at once would share one memory."""
    if all(training.experiment.training.device == "cpu" for training in plan.trainings):
        return False
    try:
        import torch
    except ImportError:  # nothing will run, and each training says so
        return False
    return torch.cuda.is_available()


def plan_for(request: Request, sources: Mapping[str, DataUsed] | None = None) -> Plan:
    """The plan of a request, at the sizes of the data that is here, else at the published ones."""
    protocol = read_protocol(request.paper)
    sizes = {name: source.size for name, source in (sources or {}).items()}
    if request.rendered:
        from ..datasets.rendered.plan import share_out

        for name, source in protocol.data.items():
            # Of two classes half is drawn of each; of more, as published.
            weights = list(source.images.values()) if len(source.images) > 2 else [1.0, 1.0]
            counts = share_out(weights, request.images)
            sizes.setdefault(name, DataSize(dict(zip(source.images, counts, strict=True))))
    return make_plan(
        protocol,
        request.editions or protocol.editions,
        request.budget,
        request.only,
        sizes=sizes,
        weights=request.weights,
        changes=request.settings,
        reading=request.reading,
        instead={
            name: protocol.data[name].without_test
            for name, source in (sources or {}).items()
            if source.note == NO_TEST
        },
        runs=lambda training: (
            sources is None or (training.data in sources and has_weights(training))
        ),
    )


def gather(
    protocol: Protocol, request: Request, out: Path, progress: Progress
) -> dict[str, DataUsed]:
    """Open the data that was named, and draw the rest where that was asked for."""
    for name in (*request.data, *request.substitutes):
        if name not in protocol.data:
            raise ProtocolError(
                f"--data {name}: {protocol.id} has no such data set. "
                f"{suggestion(name, protocol.data)}"
            )
    planned = plan_for(request)
    needed: dict[str, int] = {}
    for training in (*planned.trainings, *planned.left_out):
        side = training.experiment.preprocess.size
        needed[training.data] = max(needed.get(training.data, 0), side)
    named: list[tuple[str, Kind, Path]] = [
        *((name, "real", path) for name, path in request.data.items()),
        *((name, "substitute", path) for name, path in request.substitutes.items()),
    ]
    found = {name: open_source(name, kind, path, progress) for name, kind, path in named}
    for name, side in needed.items():
        if name not in found and request.rendered:
            folder = _draw(protocol.data[name].rendered, side, request, out, progress)
            found[name] = open_source(name, "rendered", folder, progress)
    return {
        name: replace(source, note=NO_TEST) if _divided_anew(protocol, source) else source
        for name, source in found.items()
    }


def _divided_anew(protocol: Protocol, source: DataUsed) -> bool:
    """Whether the paper's own test part is wanted, and is not here."""
    if not protocol.data[source.name].without_test:
        return False
    return not has_test_part(source.manifest.column("official_split"))


def _draw(name: str, side: int, request: Request, out: Path, progress: Progress) -> Path:
    """Draw a data set once; a drawing that was stopped is begun again."""
    from ..datasets.rendered import LAYOUTS, render_dataset

    folder = out / "data" / name
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    render_dataset(
        name,
        partial,
        subjects=request.subjects,
        images=request.images,
        size=min(LAYOUTS[name].size[0], max(SMALLEST_RENDERED_PX, side)),
        progress=progress,
    )
    partial.rename(folder)
    return folder


def _refuse_small_machine(plan: Plan, out: Path, progress: Progress, engine: str) -> None:
    """Disk and memory are estimated before anything is trained."""
    disk = sum(training.cost.disk_bytes for training in plan.trainings)
    out.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out).free
    if disk > free:
        raise StorageError(
            f"{out}: the plan needs about {disk / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are "
            "free. Choose another disk with -o, or fewer cells with --only."
        )
    large = max(plan.trainings, key=lambda training: training.cost.memory_bytes)
    memory, there = large.cost.memory_bytes, machine.memory_bytes()
    if memory > there and engine == "local":
        progress.say(
            f"warning: {large.name} is estimated to need {memory / 2**30:.1f} GiB of memory and "
            f"this machine has {there / 2**30:.1f} GiB. Use a smaller training.batch_size "
            "(--set), or fewer cells with --only."
        )


def dataset_paths(texts: Sequence[str], option: str) -> dict[str, Path]:
    """``NAME=PATH`` texts as a mapping.

    Raises
    ------
    ProtocolError
        For a text without ``=``, or a path that does not exist.
    """
    found = {}
    for text in texts:
        name, mark, place = text.partition("=")
        if not mark or not place:
            raise ProtocolError(f"{option} {text}: expected NAME=PATH, as in cnmc=~/data/cnmc.")
        path = Path(place).expanduser()
        if not path.exists():
            raise ProtocolError(f"{option} {text}: there is no file or folder {path}.")
        found[name] = path
    return found
