"""A paper reproduced: its data gathered, its plan run, published and measured side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import RunError
from ..files import read_json, write_json
from ..progress import Progress
from ..records.experiment import Experiment
from . import machine
from .budget import SMOKE_MINUTES, in_minutes
from .cluster import run_on_ray
from .counts import counts
from .engines import Engine, Share, run_here, share_of
from .fuzzy_stage import fuzzy_stage
from .obstacles import WeightsAtHand, obstacle_of
from .operating_stage import operating_stage
from .overrides import refuse_wrong_names, with_fuzzy_system
from .plan_table import plan_rows, plan_table
from .planner import Plan, make_plan
from .processes import run_processes
from .protocol import read_protocol
from .refusals import refuse_request
from .report import write_reproduction_report
from .reproduction import Line, reproduction_lines
from .reproduction_csv import write_reproduction_csv
from .request import Request
from .runner import Outcome, run_plan
from .sources import NO_TEST, DataUsed, Survey, data_words, gather, sampled_sources, survey
from .space import refuse_small_disk

__all__ = ["Reproduction", "image_sides", "plan_for", "reproduce"]


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
        For a paper, edition, data set or condition that does not exist, and as
        ``refusals.refuse_request``.
    RunError
        When ``out`` has a reproduction of another paper, runs of other settings or data, or of
        another choice of minutes.
    StorageError
        When the disk is too small for what is left to run, or full.
    """
    protocol = read_protocol(request.paper)
    refuse_request(request)
    _refuse_other_plan(request, out)
    surveyed = survey(protocol, request)
    first = plan_for(request, surveyed)
    # Nodes of a cluster have networks and caches of their own.
    network = request.engine == "ray" or _answers(first.downloads.values())
    if not network:
        first = plan_for(request, surveyed, network=False)
    progress.say(plan_table(first))
    sources = gather(protocol, request, image_sides(first), out, progress)
    opened = {name: one.survey(protocol.data[name]) for name, one in sources.items()}
    plan = plan_for(request, opened, network=network)
    sources = sampled_sources(sources, plan.sampled)
    if _asks(plan) != _asks(first):
        progress.say("Some images cannot be used, so this is planned instead:")
        progress.say(plan_table(plan))
    engine = _engine(request, plan)
    _refuse_small_machine(plan, sources, out, progress, request)
    told: dict[str, Any] = {
        "only": request.only,
        "changes": dict(plan.changes),
        "weights": _named(plan.weights),
    }
    if plan.budget == "smoke":
        told["minutes"] = plan.minutes
    table = {"schema": 1, "paper": protocol.id, "budget": plan.budget, **told}
    write_json(out / "plan.json", {**table, "rows": plan_rows(plan)})
    outcomes = operating_stage(plan, run_plan(plan, sources, out, progress, engine))
    staged = fuzzy_stage(plan, outcomes, sources, progress)
    lines = reproduction_lines(plan, outcomes, sources)
    counted = counts(plan, outcomes)
    write_reproduction_csv(plan, lines, counted, out / "reproduction.csv")
    write_reproduction_report(
        plan, outcomes, lines, counted, sources, out / "reproduction.html", staged
    )
    return Reproduction(plan, outcomes, lines, out)


def _answers(addresses: Iterable[str]) -> bool:
    """Whether the servers that weights are to be downloaded from can be reached."""
    from ..models.hub import reachable

    servers = {urlsplit(address).netloc: address for address in addresses}
    return all(reachable(address) for address in servers.values())


def image_sides(plan: Plan) -> dict[str, int]:
    """Data set that a plan needs → the largest side of its images, px."""
    sides: dict[str, int] = {}
    for training in (*plan.trainings, *plan.left_out):
        side = training.experiment.preprocess.size
        sides[training.data] = max(sides.get(training.data, 0), side)
    return sides


def _asks(plan: Plan) -> list[tuple[str, Experiment]]:
    """What a plan trains."""
    return [(training.name, training.experiment) for training in plan.trainings]


def _refuse_other_plan(request: Request, out: Path) -> None:
    """What another paper or choice made would be replaced or left over, without a word."""
    path = out / "plan.json"
    if not path.is_file():
        return
    table = read_json(path, what="plan", schema=1, error=RunError)
    paper = read_protocol(request.paper).id
    if table.get("paper") != paper:
        raise RunError(
            f"{out}: has a reproduction of {table.get('paper')}, and {paper} is asked for now. "
            "Choose another folder with -o."
        )
    if request.budget != "smoke" or not (out / "runs").is_dir():
        return
    former = table.get("minutes", SMOKE_MINUTES)
    if table.get("budget") == "smoke" and former != request.smoke_minutes:
        raise RunError(
            f"{out}: was chosen for {in_minutes(former)} (--minutes {former:g}), and --minutes "
            f"{request.smoke_minutes:g} is asked for now. Use the former, or another folder with "
            "-o."
        )


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
    share = _share(request, plan)
    return run_here if share.jobs == 1 else partial(run_processes, share=share)


def _share(request: Request, plan: Plan) -> Share:
    """How this machine's cores are divided."""
    return share_of(
        max(1, len(plan.possible)),
        max((training.cost.memory_bytes for training in plan.possible), default=0.0),
        jobs=request.jobs,
        gpu=request.jobs is None and _on_gpu(plan),
    )


def _jobs(request: Request, plan: Plan) -> int:
    """Trainings at once; of a cluster, whose nodes nobody asked yet, as many as cores here."""
    if request.engine == "ray":
        return request.jobs or machine.cores()
    return _share(request, plan).jobs


def _on_gpu(plan: Plan) -> bool:
    """Whether trainings run on a GPU, where several at once would share one memory."""
    if all(training.experiment.training.device == "cpu" for training in plan.trainings):
        return False
    try:
        import torch
    except ImportError:  # nothing will run, and each training says so
        return False
    return torch.cuda.is_available()


def plan_for(
    request: Request, here: Mapping[str, Survey] | None = None, *, network: bool = True
) -> Plan:
    """The plan of a request, at the sizes of the data that is here.

    Parameters
    ----------
    here
        What there is of each data set; without it the data that the request names is looked at,
        and where it names none all are believed to be here, as large as published.
    network
        Whether weights that are not here are believed to be downloaded.
    """
    refuse_request(request)
    protocol, settings = with_fuzzy_system(read_protocol(request.paper), request.settings)
    if here is None and request.names_data:
        here = survey(protocol, request)
    weights = WeightsAtHand(network)
    known = protocol.data if here is None else here
    plan = make_plan(
        protocol,
        request.editions or protocol.editions,
        request.budget,
        request.only,
        sizes={name: one.size for name, one in (here or {}).items()},
        weights=request.weights,
        changes=settings,
        reading=request.reading,
        instead={
            name: protocol.data[name].without_test
            for name, one in (here or {}).items()
            if one.note == NO_TEST
        },
        obstacle=lambda training: obstacle_of(training, known, weights),
        minutes=request.smoke_minutes,
    )
    all_of_them = (*plan.trainings, *plan.left_out)
    cells = [cell for one in all_of_them for cell in one.cells]
    refuse_wrong_names(protocol, cells, settings)
    needed = {one.data for one in all_of_them}
    said = data_words(protocol, here, plan.sampled)
    words = {name: words for name, words in said.items() if name in needed}
    return replace(plan, data=words, downloads=weights.to_download, changes=dict(request.settings))


def _refuse_small_machine(
    plan: Plan, sources: Mapping[str, DataUsed], out: Path, progress: Progress, request: Request
) -> None:
    """Disk and memory are estimated before anything is trained."""
    out.mkdir(parents=True, exist_ok=True)
    refuse_small_disk(plan, sources, out, _jobs(request, plan))
    if not plan.possible:
        return
    large = max(plan.possible, key=lambda training: training.cost.memory_bytes)
    memory, there = large.cost.memory_bytes, machine.memory_bytes()
    if memory > there and request.engine == "local":
        progress.say(
            f"warning: {large.name} is estimated to need {memory / 2**30:.1f} GiB of memory and "
            f"this machine has {there / 2**30:.1f} GiB. Use a smaller training.batch_size "
            "(--set), or fewer cells with --only."
        )
