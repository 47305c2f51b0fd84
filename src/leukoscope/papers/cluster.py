"""Trainings on a Ray cluster: Ray chooses the node, a shared folder keeps what was made.

Only tasks and short answers travel. Every node has leukoscope installed, and sees the working
folder and the data at the same paths. A node that is lost costs its trainings at most an epoch:
they go on elsewhere from the checkpoints in the folder.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import MissingExtraError, ProtocolError, RunBusyError, StorageError
from . import machine
from .engines import Answer, Finished, Queue, Share, Task, answer_of, threads_for
from .grid import GridProgress, file_reporter

__all__ = ["import_ray", "run_on_ray"]

RETRIES = 3
"""How often a task whose node or process was lost begins again."""
CLAIM_SECONDS = 60.0
"""How long the processes of a lost node may still hold the run that they were writing."""
CONNECT_SECONDS = 10.0
LOOK_SECONDS = 0.5
LOCAL = "local"


def import_ray() -> Any:
    """Ray, which tells nobody that it is used.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--engine ray", "cluster") from None
    return ray


def run_on_ray(
    tasks: Sequence[Task],
    grid: GridProgress,
    *,
    address: str = "",
    jobs: int | None = None,
    trainings: int = 1,
    gpu: bool = False,
) -> Finished:
    """Tasks on the cluster at ``address``, or on one that is started here for them.

    Parameters
    ----------
    address
        ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; empty: ``RAY_ADDRESS``, else a local start.
    jobs
        Trainings at once; without it as many as there are cores and trainings.
    trainings
        All of the grid, finished ones too, so that a resumed grid divides as it did before.
    gpu
        Whether each is to have a GPU, where the cluster has any.

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    ProtocolError
        When ``jobs`` is more than the cluster has cores.
    StorageError
        When the cluster cannot be reached, or a node does not see the folder.
    """
    ray = import_ray()
    queue = Queue(list(tasks))
    running: dict[Any, Task] = {}
    with _connected(ray, address):
        nodes = _nodes(ray)
        share = _share(nodes, trainings, jobs)
        gpus = 1 if gpu and any(node.gpus for node in nodes) else 0
        make = ray.remote(num_cpus=share.threads, num_gpus=gpus, max_retries=RETRIES)(_make)
        largest = max(node.memory_bytes for node in nodes)
        try:
            while queue:
                while len(running) < _at_once(ray, share, jobs) and (task := queue.begin()):
                    report = grid.begin_elsewhere(task.name).absolute()
                    place = Place(report, grid.quiet, share.threads, Path.cwd(), sys.argv[1:])
                    memory = int(min(task.memory_bytes, largest))
                    reference = make.options(name=task.name, memory=memory).remote(task, place)
                    running[reference] = task
                done, _ = ray.wait(list(running), timeout=LOOK_SECONDS)
                for reference in done:
                    task = running.pop(reference)
                    answer = _answer(ray, reference)
                    queue.end(task)
                    grid.end(task.name, made=not answer.reason)
                    yield task, answer.reason_or_raise()
                grid.look()
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


@dataclass(frozen=True)
class Node:
    """What a node of the cluster has."""

    cores: int
    gpus: float
    memory_bytes: float


def _nodes(ray: Any) -> list[Node]:
    """The nodes that are alive and compute; a head may have no cores."""
    found = [
        Node(int(has["CPU"]), has.get("GPU", 0.0), has.get("memory", 0.0))
        for has in (node["Resources"] for node in ray.nodes() if node["Alive"])
        if has.get("CPU", 0.0) >= 1
    ]
    if not found:
        raise StorageError("no node of the Ray cluster has a core. Add one: ray start --address …")
    return found


def _share(nodes: Sequence[Node], trainings: int, jobs: int | None) -> Share:
    """Cores of the cluster divided among trainings, none of which spans two nodes."""
    cores = sum(node.cores for node in nodes)
    if jobs is not None and not 1 <= jobs <= cores:
        raise ProtocolError(
            f"--jobs {jobs}: a number from 1 to {cores} is expected, the cores of the cluster."
        )
    jobs = jobs or max(1, min(cores, trainings))
    return Share(jobs, min(threads_for(cores, jobs), *(node.cores for node in nodes)))


def _at_once(ray: Any, share: Share, jobs: int | None) -> int:
    """How many are given to the cluster: what was asked for, else what has cores there now."""
    if jobs is not None:
        return jobs
    return max(1, int(ray.cluster_resources().get("CPU", 0.0)) // share.threads)


@contextlib.contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """A connection that is closed in the end, with the cluster where it was started here."""
    address = address or os.environ.get("RAY_ADDRESS", "") or LOCAL
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        # Ray would give way to everything else that runs here.
        os.environ.setdefault("RAY_worker_niceness", "0")
        settings |= {"num_cpus": machine.cores(), "include_dashboard": False}
    try:
        _knock(address)
        ray.init(address=address, **settings)
    except (OSError, RuntimeError, ValueError) as reason:
        raise StorageError(
            f"--address {address}: no Ray cluster answers there ({str(reason).splitlines()[0]}). "
            "Start one (ray start --head; ray start --address=HOST:PORT on each other node), or "
            "leave --address out."
        ) from reason
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """See at once whether somebody is there; Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


def _answer(ray: Any, reference: Any) -> Answer:
    """What a task said, or how it ended."""
    try:
        answer: Answer = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        return Answer(
            f"not run: it failed on the cluster ({type(error.cause).__name__}: {error.cause})"
        )
    except ray.exceptions.RayError as error:
        said = str(error).splitlines()[0]
        return Answer(f"not run: it ended {RETRIES + 1} times on the cluster ({said})")
    return answer


@dataclass(frozen=True)
class Place:
    """Where a task is run, as the one who asks for it sees it."""

    report: Path
    """The file that its progress is written to."""
    quiet: bool
    threads: int
    folder: Path
    """That relative paths begin at."""
    arguments: Sequence[str]
    """Of the command, which a run keeps."""


def _make(task: Task, place: Place) -> Answer:
    """What a node does with a task."""
    with contextlib.suppress(OSError):  # absolute paths do without
        os.chdir(place.folder)
    if not place.report.parent.is_dir():
        return Answer(
            f"{place.report.parent.parent}: node {socket.gethostname()} does not see this folder. "
            "On a cluster the folder of -o and the data lie on a file system that all nodes share, "
            "at the same path.",
            StorageError.__name__,
        )
    # Those of a Ray worker name its cluster.
    sys.argv[1:] = place.arguments
    _limit_threads(place.threads)
    end = time.monotonic() + CLAIM_SECONDS
    while True:
        answer = answer_of(task, file_reporter(place.report, place.quiet))
        if answer.error != RunBusyError.__name__ or time.monotonic() > end:
            return answer
        time.sleep(1.0)


def _limit_threads(threads: int) -> None:
    from threadpoolctl import threadpool_limits

    with contextlib.suppress(ImportError):  # the task will say which extra it needs
        import torch

        torch.set_num_threads(threads)
    threadpool_limits(threads)
