"""Trainings in processes of this machine: cores are divided, a process that dies costs an epoch."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import NoReturn

from . import machine
from .engines import Answer, Finished, Queue, Share, Task, answer_of
from .grid import GridProgress, file_reporter

__all__ = ["run_processes"]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Read by the libraries (torch: the first) when they are loaded."""
LOOK_SECONDS = 0.5
GRACE_SECONDS = 5.0
"""For a process that was asked to stop, to leave no temporary file; then it is killed."""


def run_processes(tasks: Sequence[Task], grid: GridProgress, share: Share) -> Finished:
    """Tasks in ``share.jobs`` processes of ``share.threads`` threads each.

    No task begins whose estimated memory is not free beside those that run. One whose process
    dies (killed, or out of memory) begins once more, alone, from its last epoch; dying again is
    the reason why it was not made. Leaving the iterator stops all processes.
    """
    queue = Queue(list(tasks), machine.free_memory_bytes())
    workers: list[Worker] = []
    died: set[str] = set()
    try:
        while queue:
            while len(queue.running) < share.jobs and (task := queue.begin()):
                worker = next((one for one in workers if one.task is None), None)
                if worker is None:
                    worker = Worker(share.threads, grid.quiet)
                    workers.append(worker)
                worker.begin(task, grid.begin_elsewhere(task.name))
            pipes = {worker.pipe: worker for worker in workers if worker.task is not None}
            for pipe in wait(list(pipes), LOOK_SECONDS):
                worker = pipes[pipe]  # type: ignore[index]
                task, answer = worker.answer()
                if answer is None:
                    workers.remove(worker)
                    if task.name not in died:
                        died.add(task.name)
                        queue.again(task)
                        grid.interrupt(task.name)
                        continue
                    answer = Answer(worker.obituary())
                queue.end(task)
                grid.end(task.name, made=not answer.reason)
                yield task, answer.reason_or_raise()
            grid.look()
    finally:
        _stop(workers)


@dataclass
class Worker:
    """A process that makes one training after another, each when it is told to."""

    threads: int
    quiet: bool
    task: Task | None = None
    pipe: Connection = field(init=False)
    process: SpawnProcess = field(init=False)

    def __post_init__(self) -> None:
        # A fork would take over the locks of torch's threads, and wait for them for ever.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, self.quiet), daemon=True)
        with _environment(dict.fromkeys(THREAD_VARIABLES, str(self.threads))):
            self.process.start()
        # Only the process has it now: when that ends, whoever waits for its answer is told.
        theirs.close()

    def begin(self, task: Task, progress: Path) -> None:
        """Give it a task, which it makes while this process goes on."""
        self.task = task
        with contextlib.suppress(BrokenPipeError):  # it died: its answer will say so
            self.pipe.send((task, progress))

    def answer(self) -> tuple[Task, Answer | None]:
        """Its task and what it says of it; None where it died."""
        assert self.task is not None
        task, self.task = self.task, None
        try:
            return task, self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return task, None

    def obituary(self) -> str:
        """Why a task whose process died twice was not made."""
        code = self.process.exitcode or 0
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"code {code}"
        return (
            f"not run: its process ended twice ({how}). Where memory ran out, use a smaller "
            "training.batch_size (--set); else its last words are above."
        )


def _stop(workers: Sequence[Worker]) -> None:
    """Ask all to stop, and kill those that do not."""
    for worker in workers:
        worker.process.terminate()
    end = time.monotonic() + GRACE_SECONDS
    for worker in workers:
        worker.process.join(max(0.0, end - time.monotonic()))
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables for a process that is started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(pipe: Connection, quiet: bool) -> None:
    """What the process does: tasks from the pipe, answers into it, until there are no more."""
    # Ctrl-C goes to all processes of a terminal; who asked for the trainings decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task, progress = pipe.recv()
        except EOFError:
            return
        pipe.send(answer_of(task, file_reporter(progress, quiet)))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Unwind, so that claims and temporary files are taken back."""
    sys.exit(128 + number)


def _end_with_parent() -> None:
    """A parent that was killed cannot stop its processes: they see it themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
