"""Which training begins when, and what becomes of the grid when a process dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from leukoscope.cli import main
from leukoscope.errors import RunError, StorageError
from leukoscope.papers import machine, processes
from leukoscope.papers.engines import Answer, Queue, Share, Task, run_here, share_of, threads_for
from leukoscope.papers.grid import GridProgress, file_reporter
from leukoscope.papers.planner import make_plan
from leukoscope.papers.processes import run_processes
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduce import _engine, _refuse_small_machine
from leukoscope.papers.request import Request
from leukoscope.progress import Progress

TWO = Share(jobs=2, threads=1)


def task(name: str, after: str = "", memory: float = 0.0, shares: str = "") -> Task:
    return Task(name, after, lambda progress: "", memory, shares)


def names(queue: Queue) -> list[str]:
    begun = []
    while (one := queue.begin()) is not None:
        begun.append(one.name)
    return begun


def test_a_task_begins_when_the_one_it_needs_is_finished() -> None:
    first, second, other = task("first"), task("second", after="first"), task("x", after="gone")
    queue = Queue([second, first, other])
    assert names(queue) == ["first", "x"]
    queue.end(first)
    assert names(queue) == ["second"]
    queue.end(second)
    assert queue
    queue.end(other)
    assert not queue


def test_memory_beside_those_that_run() -> None:
    large, half, small = task("large", memory=12), task("half", memory=6), task("small", memory=5)
    queue = Queue([half, large, small], free_bytes=10)
    assert names(queue) == ["half"], "6 + 5 bytes are not free"
    queue.end(half)
    assert names(queue) == ["large"], "what never fits runs alone"
    queue.end(large)
    assert names(queue) == ["small"]
    queue = Queue([task("a", memory=5), task("b", memory=5), task("c", memory=5)], free_bytes=10)
    assert names(queue) == ["a", "b"]


def test_what_died_begins_again_alone() -> None:
    tasks = [task("a"), task("b"), task("c")]
    queue = Queue(list(tasks), free_bytes=1e9)
    assert names(queue) == ["a", "b", "c"]
    queue.again(tasks[0])
    assert names(queue) == []
    queue.end(tasks[1])
    assert names(queue) == []
    queue.end(tasks[2])
    assert names(queue) == ["a"]


def test_those_that_would_compute_the_same_do_not_begin_together() -> None:
    queue = Queue([task("a", shares="v"), task("b", shares="v"), task("c", shares="w")])
    assert names(queue) == ["a", "c", "b"]


def test_cores_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: 16)
    monkeypatch.setattr(machine, "memory_bytes", lambda: 64e9)
    assert share_of(648, 1e9) == Share(16, 1)
    assert share_of(4, 1e9) == Share(4, 4)
    assert share_of(648, 20e9) == Share(3, 5)
    assert share_of(648, 100e9) == Share(1, 16)
    assert share_of(648, 1e9, gpu=True) == Share(1, 16)
    assert share_of(648, 1e9, jobs=5) == Share(5, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert (threads_for(16, 4), threads_for(16, 16)) == (2, 1)


def test_more_jobs_than_cores_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    for jobs in ("0", "3"):
        assert main(["reproduce", "varol2024", "--rendered", "--jobs", jobs]) == 2
        assert f"--jobs {jobs}: a number from 1 to 2 is expected" in capsys.readouterr().err


def test_a_container_has_less_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    assert machine.memory_bytes() == machine.free_memory_bytes() == float("inf")
    (tmp_path / "meminfo").write_text("MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable:  6000 kB\n")
    assert (machine.memory_bytes(), machine.free_memory_bytes()) == (8000 * 1024, 6000 * 1024)
    for name, text in {"memory.max": "4096000", "memory.current": "96000"}.items():
        (tmp_path / name).write_text(text + "\n")
    assert (machine.memory_bytes(), machine.free_memory_bytes()) == (4096000, 4000000)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory_bytes() == 6000 * 1024
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert machine.cores() == 1


def test_the_line_weighs_trainings_by_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = GridProgress(seconds={"a": 30.0, "b": 10.0}, folder=tmp_path / "progress")
    now = time.monotonic()
    grid.begin("b").show("fold 1 of 1, epoch 1 of 2, step", 5, 10, 1.0, "loss 0.5")
    grid._began = now - 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    words = "12 % of the grid, 0 of 2 trainings, 11 min 40 s to go  b: fold 1 of 1, epoch 1 of 2"
    assert grid.words() == f"{words} loss 0.5"
    grid.end("b")
    path = grid.begin_elsewhere("a")
    monkeypatch.undo()
    reporter = file_reporter(path, quiet=False)
    reporter.show("fold 1 of 1, epoch 1 of 2, step", 5, 10, 1.0)
    reporter.show("fold 1 of 1, epoch 2 of 2, step", 6, 10, 1.0)
    grid.look()
    assert grid.words().startswith("62 % of the grid, 1 of 2 trainings, "), "within a second"
    grid.finish()
    assert not (tmp_path / "progress").exists()


def test_the_time_to_go_is_that_of_what_is_left_at_the_pace_of_this_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of ``a`` was made before; in 80 s a fifth of it: 30 of 100 are left, and all of b."""
    grid = GridProgress(seconds={"a": 100.0, "b": 100.0, "c": 50.0}, before={"a": 0.5, "c": 0.2})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    grid._began = now - 80.0
    reporter = grid.begin("a")
    assert grid.words().startswith(
        "24 % of the grid, 0 of 3 trainings, 3 min 10 s to go by the plan"
    )
    reporter.show("fold 1 of 1, epoch 7 of 10, step", 70, 100, 1.0)
    # 70 + 10 of 250 are made, 20 of them now: 170 are left at 4 seconds each.
    assert grid.words().startswith("32 % of the grid, 0 of 3 trainings, 11 min 20 s to go  a")
    # What cannot be made says nothing of the pace, and is no work to come.
    grid.begin("b")
    grid.end("b", made=False)
    assert grid.words().startswith("53 % of the grid, 1 of 3 trainings, 4 min 40 s to go  a")


def test_the_plan_is_believed_until_enough_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid of 87 s whose first half minute decodes images was told to take 33 hours."""
    grid = GridProgress(seconds={"a": 60.0, "b": 27.0})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    reporter = grid.begin("a")
    reporter.show("fold 1 of 1, epoch 1 of 10, step", 1, 3000, 1.0)
    for passed in (40.0, 90.0):  # too short, then too little
        grid._began = now - passed
        assert ", 1 min 27 s to go by the plan  a: " in grid.words()
    reporter.show("fold 1 of 1, epoch 5 of 10, step", 1450, 3000, 1.0)
    # 29 of 87 made in 90 s: 58 are left.
    assert ", 3 min 00 s to go  a: " in grid.words()
    grid._began = now - 50.0
    assert ", 58 s to go by the plan  a: " in grid.words()


def test_an_answer_brings_its_error() -> None:
    assert Answer("not run: no data").reason_or_raise() == "not run: no data"
    with pytest.raises(RunError, match="other settings"):
        Answer("other settings", "RunError").reason_or_raise()


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of tasks, which processes find where this one does."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return import_module("engine_tasks")


def is_running(pid: int) -> bool:
    """Whether there is such a process that is no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_processes_share_the_tasks(tmp_path: Path, acts: ModuleType) -> None:
    tasks = [
        Task("second", "first", partial(acts.note, tmp_path, "second")),
        Task("first", "", partial(acts.note, tmp_path, "first")),
        Task("refused", "", partial(acts.refuse, "no weights")),
        Task("twice", "", partial(acts.die, tmp_path, "twice", 1)),
        Task("never", "", partial(acts.die, tmp_path, "never", 9)),
        Task("broken", "", acts.forget),
    ]
    grid = GridProgress(seconds={one.name: 1.0 for one in tasks}, folder=tmp_path / "progress")
    reasons = {one.name: reason for one, reason in run_processes(tasks, grid, TWO)}
    assert reasons.pop("refused") == "not run: no weights"
    assert "ended twice (by signal 9 (SIGKILL))" in reasons.pop("never")
    assert "ended twice (code 1)" in reasons.pop("broken")
    assert reasons == {"first": "", "second": "", "twice": ""}
    first, second = ((tmp_path / n).read_text().split() for n in ("first", "second"))
    assert float(first[1]) <= float(second[0]), "it began before the one it needs had ended"
    assert first[3] == "1"
    assert len((tmp_path / "twice").read_text().splitlines()) == 2
    assert len((tmp_path / "never").read_text().splitlines()) == 2
    pids = {int(pid) for n in ("twice", "never") for pid in (tmp_path / n).read_text().split()}
    assert os.getpid() not in pids
    assert not any(is_running(pid) for pid in pids)


@pytest.mark.parametrize(
    ("kind", "error"), [("disk", StorageError), ("system", StorageError), ("run", RunError)]
)
def test_what_stops_the_grid_stops_its_processes(
    tmp_path: Path, acts: ModuleType, kind: str, error: type[Exception]
) -> None:
    tasks = [
        Task("long", "", partial(acts.sleep, tmp_path, "long")),
        Task("failing", "", partial(acts.fail, kind)),
    ]
    grid = GridProgress(quiet=True, folder=tmp_path / "progress")
    with (
        pytest.raises(error, match=r"settings|full|No space"),
        closing(run_processes(tasks, grid, TWO)) as finished,
    ):
        list(finished)
    wait_for(lambda: not (tmp_path / "long").exists() or (tmp_path / "long.tidied").exists(), 1.0)


def test_leaving_stops_the_processes(tmp_path: Path, acts: ModuleType) -> None:
    """As Ctrl-C does: KeyboardInterrupt leaves the iterator."""
    tasks = [
        Task("quick", "", partial(acts.note, tmp_path, "quick")),
        Task("long", "", partial(acts.sleep, tmp_path, "long")),
    ]
    with closing(run_processes(tasks, GridProgress(folder=tmp_path / "p"), TWO)) as finished:
        assert next(finished)[0].name == "quick"
        wait_for(lambda: (tmp_path / "long").exists() and bool((tmp_path / "long").read_text()))
        pid = int((tmp_path / "long").read_text())
        assert is_running(pid)
        began = time.monotonic()
    assert not is_running(pid)
    assert (tmp_path / "long.tidied").exists()
    assert time.monotonic() - began < processes.GRACE_SECONDS


def test_one_job_stays_in_this_process() -> None:
    seen = []
    tasks = [Task(name, "", lambda progress: seen.append(os.getpid()) or "") for name in "ab"]
    finished = list(run_here(tasks, GridProgress(quiet=True)))
    assert [(one.name, reason) for one, reason in finished] == [("a", ""), ("b", "")]
    assert seen == [os.getpid()] * 2


GRID = """
import sys
from pathlib import Path
from leukoscope.papers import machine
from leukoscope.papers.reproduce import reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress

if __name__ == "__main__":
    machine.cores = lambda: 2
    request = Request(
        "varol2024",
        only=("approach1,dataset=1+2,network=4,size=32,optimiser=rmsprop",),
        rendered=True, images=40, subjects=10, jobs=int(sys.argv[2]),
        settings={"training.batch_size": 16, "training.device": "cpu"},
    )
    made = reproduce(request, Path(sys.argv[1]), Progress(quiet=True))
    print(made.done, len(made.outcomes))
"""


def workers_of(pid: int) -> list[int]:
    """Processes that make its trainings; not the one that Python itself starts beside them."""
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(p) for p in started if "spawn_main" in Path(f"/proc/{p}/cmdline").read_text()]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[Path, int], subprocess.Popen[str]]]:
    """Starts the grid in a process of its own; one thread a training, whatever the jobs."""
    path = tmp_path / "grid.py"
    path.write_text(GRID, encoding="utf-8")
    started = []

    def start(out: Path, jobs: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(path), str(out), str(jobs)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_killed_midway_nothing_is_done_again_and_the_bits_are_the_same(
    tmp_path: Path, script: Callable[[Path, int], subprocess.Popen[str]]
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"

    def finished() -> dict[str, int]:
        return {
            str(path.parent.relative_to(cut)): path.stat().st_mtime_ns
            for path in cut.glob("runs/*/*/predictions.csv")
            if path.parent.suffix != ".partial"
        }

    process = script(cut, 2)
    wait_for(lambda: bool(finished()) or process.poll() is not None, 120)
    workers = workers_of(process.pid)
    process.kill()
    process.wait()
    before = finished()
    assert 1 <= len(before) < 4
    assert len(workers) == 2
    wait_for(lambda: not any(is_running(pid) for pid in workers), 10)

    again = script(cut, 2)
    assert again.communicate(timeout=120)[0] == "12 12\n"
    assert again.returncode == 0
    after = finished()
    assert len(after) == 4
    assert before.items() <= after.items(), "a finished training was done again"
    assert not (cut / "progress").exists()

    shutil.copytree(cut / "data", whole / "data")
    alone = script(whole, 1)
    assert alone.communicate(timeout=120)[0] == "12 12\n"
    for name in after:
        for file in ("fold-0/weights.safetensors", "predictions.csv", "epochs-2/metrics.json"):
            same = (cut / name / file).read_bytes() == (whole / name / file).read_bytes()
            assert same, f"{name}/{file}: other bits with two processes and a kill"


SLEEPERS = """
import signal
import sys
from functools import partial
from pathlib import Path

import engine_tasks
from leukoscope.papers.engines import Share, Task
from leukoscope.papers.grid import GridProgress
from leukoscope.papers.processes import run_processes

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells turn it off in the background
    out = Path(sys.argv[1])
    tasks = [Task(name, "", partial(engine_tasks.sleep, out, name)) for name in "ab"]
    list(run_processes(tasks, GridProgress(quiet=True, folder=out / "progress"), Share(2, 1)))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "sleepers.py").write_text(SLEEPERS, encoding="utf-8")
    paths = [str(Path(__file__).parent), *sys.path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(tmp_path / "sleepers.py"), str(tmp_path)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        files = [tmp_path / name for name in "ab"]
        wait_for(lambda: all(file.exists() and file.read_text() for file in files))
        workers = [int(file.read_text()) for file in files]
        assert sorted(workers) == sorted(workers_of(process.pid))
        process.send_signal(number)
        assert process.wait(timeout=30) != 0
        wait_for(lambda: not any(is_running(pid) for pid in workers), 10)
    if number == signal.SIGINT:
        assert all((tmp_path / f"{name}.tidied").exists() for name in "ab")


def test_cores_are_divided_among_what_can_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "memory_bytes", lambda: 1e12)

    def engine(possible: str) -> object:
        plan = make_plan(
            read_protocol("murtoza2023"),
            ["leak-free"],
            "smoke",
            changes={"training.device": "cpu"},
            obstacle=lambda one: "" if possible in one.name else "no weights",
        )
        return _engine(Request("murtoza2023", jobs=None), plan)

    assert engine("vgg16") is run_here, "one training has all cores"
    assert engine("") is not run_here


def test_too_little_disk_or_memory_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "full", ["approach1,network=1"])
    most = max(training.cost.memory_bytes for training in plan.trainings)
    monkeypatch.setattr(machine, "memory_bytes", lambda: most - 1)
    _refuse_small_machine(plan, {}, tmp_path, Progress(), Request("varol2024", engine="ray"))
    assert not capsys.readouterr().err, "another machine's memory counts there"
    _refuse_small_machine(plan, {}, tmp_path, Progress(), Request("varol2024"))
    assert f"is estimated to need {most / 2**30:.1f} GiB of memory" in capsys.readouterr().err
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(
        StorageError, match=r"what is left to run needs about .* and 0\.0 GiB are free"
    ):
        _refuse_small_machine(plan, {}, tmp_path, Progress(), Request("varol2024"))
