"""How the trainings of a grid are run: here, in processes of this machine, or on a cluster.

An engine is told what to run and tells what is finished. What a training made is not told but
lies in its run folder, so nothing is lost with a process, and whoever comes later finds it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

from .. import errors
from ..errors import LeukoscopeError, ProtocolError, RunError, StorageError
from ..progress import Progress
from . import machine
from .grid import GridProgress

__all__ = [
    "Answer",
    "Engine",
    "Finished",
    "Queue",
    "Share",
    "Task",
    "answer_of",
    "refuse_jobs",
    "run_here",
    "share_of",
    "threads_for",
]


@dataclass(frozen=True)
class Task:
    """One training, as an engine knows it."""

    name: str
    """``EDITION/NAME``: the place of its run folder."""
    after: str
    """The task that is to be finished first; empty, or a name that is none, where there is none."""
    run: Callable[[Progress], str] = field(repr=False)
    """Makes the run, or says why it cannot be made; can be pickled."""
    memory_bytes: float = 0.0
    shares: str = ""
    """What it begins by computing for others too (pixels, vectors): they would wait for it."""


Finished = Generator[tuple[Task, str], None, None]
Engine = Callable[[Sequence[Task], GridProgress], Finished]
"""Runs tasks and yields each that is finished, with the reason why it was not made or nothing.

Raises what stops the whole grid: RunError, StorageError, KeyboardInterrupt.
"""


def run_here(tasks: Sequence[Task], grid: GridProgress) -> Finished:
    """One task after another in this process, each with all its threads."""
    for task in tasks:
        reason = task.run(grid.begin(task.name))
        grid.end(task.name, made=not reason)
        yield task, reason


@dataclass
class Queue:
    """Which task may begin: after the one that it needs, with memory beside those that run."""

    waiting: list[Task]
    free_bytes: float = float("inf")
    """For all that run at once. A task that needs more than that runs alone."""
    running: dict[str, Task] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.waiting or self.running)

    def begin(self) -> Task | None:
        """The next task, which then counts as running; None while there is none that may."""
        open_ = {task.name for task in self.waiting} | self.running.keys()
        used = sum(task.memory_bytes for task in self.running.values())
        ready = [
            task
            for task in self.waiting
            if task.after not in open_
            and (not self.running or used + task.memory_bytes <= self.free_bytes)
        ]
        if not ready:
            return None
        shared = {task.shares for task in self.running.values()}
        task = next((task for task in ready if task.shares not in shared), ready[0])
        self.waiting.remove(task)
        self.running[task.name] = task
        return task

    def end(self, task: Task) -> None:
        """It is finished, or is never to be."""
        del self.running[task.name]

    def again(self, task: Task) -> None:
        """It died: it begins once more, alone, because memory may have run out."""
        del self.running[task.name]
        self.waiting.append(replace(task, memory_bytes=float("inf")))


@dataclass(frozen=True)
class Share:
    """How cores are divided among trainings."""

    jobs: int
    """Trainings at once."""
    threads: int
    """Of each. On a CPU the same bits come of the same number of threads."""


def share_of(
    trainings: int, memory_bytes: float = 0.0, *, jobs: int | None = None, gpu: bool = False
) -> Share:
    """Divide this machine's cores among the trainings of a grid.

    Parameters
    ----------
    trainings
        All of the grid, finished ones too, so that a resumed grid divides as it did before.
    memory_bytes
        Of the largest.
    jobs
        Trainings at once; without it as many as there are cores, trainings and memory for the
        largest, and one where they run on a GPU.
    """
    cores = machine.cores()
    if jobs is None:
        fit = machine.memory_bytes() / max(memory_bytes, 1.0)
        jobs = 1 if gpu else max(1, int(min(cores, trainings, fit)))
    return Share(jobs, threads_for(cores, jobs))


def refuse_jobs(jobs: int) -> None:
    """Raise ProtocolError unless so many trainings can have a core each."""
    cores = machine.cores()
    if not 1 <= jobs <= cores:
        raise ProtocolError(
            f"--jobs {jobs}: a number from 1 to {cores} is expected, the cores that there are "
            "here. More would take turns on the same cores."
        )


def threads_for(cores: int, jobs: int) -> int:
    """Threads of each of so many trainings; no more than ``OMP_NUM_THREADS`` asks for."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    most = int(asked) if asked.isdigit() and int(asked) else cores
    return max(1, min(cores // jobs, most))


@dataclass(frozen=True)
class Answer:
    """What another process says of a task that it has done with."""

    reason: str = ""
    """Why the training cannot be made; empty where it was."""
    error: str = ""
    """The class of an error that stops the whole grid; empty where there is none."""

    def reason_or_raise(self) -> str:
        """The reason, or the error that the other process met."""
        if not self.error:
            return self.reason
        kind: type[LeukoscopeError] = getattr(errors, self.error)
        raise kind(self.reason)


def answer_of(task: Task, progress: Progress) -> Answer:
    """Run a task in another process; what nobody foresaw ends that process, and is seen there."""
    try:
        return Answer(task.run(progress))
    except (RunError, StorageError) as error:
        return Answer(str(error), type(error).__name__)
    except OSError as error:
        return Answer(f"reading or writing failed: {error}.", StorageError.__name__)
