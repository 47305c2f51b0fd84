"""A grid on a Ray cluster of two nodes, one of which is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leukoscope.cli import main
from leukoscope.errors import ProtocolError, RunBusyError, StorageError
from leukoscope.papers import cluster
from leukoscope.papers.cluster import Node, Place, _make, _nodes, _share
from leukoscope.papers.engines import Answer, Share, Task
from leukoscope.papers.grid import GridProgress
from leukoscope.progress import Progress

NODE = Node(cores=8, gpus=0.0, memory_bytes=32e9)


def test_cores_of_a_cluster_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    small = Node(cores=2, gpus=0.0, memory_bytes=8e9)
    assert _share([NODE, NODE], 648, None) == Share(16, 1)
    assert _share([NODE, NODE], 4, None) == Share(4, 4)
    assert _share([NODE, small], 2, None) == Share(2, 2), "no training spans two nodes"
    assert _share([NODE, NODE], 648, 5) == Share(5, 3)
    with pytest.raises(ProtocolError, match="from 1 to 16 is expected, the cores of the cluster"):
        _share([NODE, NODE], 648, 17)


def test_a_cluster_without_cores_is_refused() -> None:
    class Ray:
        @staticmethod
        def nodes() -> list[dict[str, object]]:
            alive = {"Alive": True, "Resources": {"memory": 1e9}}
            return [alive, {"Alive": False, "Resources": {"CPU": 4.0}}]

    with pytest.raises(StorageError, match="no node of the Ray cluster has a core"):
        _nodes(Ray)


def test_without_ray_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["reproduce", "varol2024", "--engine", "ray"]) == 2
    assert "pip install 'leukoscope[cluster]'" in capsys.readouterr().err
    assert main(["reproduce", "varol2024", "--address", "auto"]) == 2
    assert "Add --engine ray." in capsys.readouterr().err


def test_an_address_where_nobody_is(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever calls is refused
        address = f"ray://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StorageError, match=rf"--address {address}: no Ray cluster answers"):
            list(cluster.run_on_ray([], GridProgress(quiet=True), address=address))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Where this process stands for a node's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["worker.py", "--node-ip-address=192.0.2.1"])
    monkeypatch.setattr(cluster, "_limit_threads", lambda threads: None)
    (tmp_path / "out" / "progress").mkdir(parents=True)
    report = tmp_path / "out" / "progress" / "a.json"
    return Place(report, False, 1, tmp_path, ["reproduce", "varol2024"])


def test_a_node_does_what_was_asked_where_it_was_asked(place: Place) -> None:
    def run(progress: Progress) -> str:
        assert Path.cwd() == place.folder
        assert sys.argv == ["worker.py", "reproduce", "varol2024"], "no address in a run"
        progress.show("fold 1 of 1, epoch 1 of 2, step", 1, 4, 1.0)
        return "not run: no weights"

    assert _make(Task("a", "", run), place) == Answer("not run: no weights")
    assert json.loads(place.report.read_text()) == [0.25, "fold 1 of 1, epoch 1 of 2"]


def test_a_node_that_does_not_see_the_folder_says_so(place: Place) -> None:
    place.report.parent.rmdir()
    answer = _make(Task("a", "", lambda progress: ""), place)
    with pytest.raises(StorageError, match=r"does not see this folder.*all nodes share"):
        answer.reason_or_raise()


def test_a_node_waits_for_the_processes_of_a_lost_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two claims on one folder, as when a killed node's process has not ended yet."""
    from leukoscope.training.running import _claimed

    monkeypatch.setattr(time, "sleep", lambda seconds: claims.close())
    partial = place.folder / "run.partial"
    with contextlib.ExitStack() as claims:
        claims.enter_context(_claimed(partial))

        def run(progress: Progress) -> str:
            with _claimed(partial):
                return ""

        assert _make(Task("a", "", run), place) == Answer()
        monkeypatch.setattr(cluster, "CLAIM_SECONDS", 0.0)
        claims.enter_context(_claimed(partial))
        with pytest.raises(RunBusyError, match="another process is training into it"):
            _make(Task("a", "", run), place).reason_or_raise()


GRID = '''
"""Two nodes of one core each; the second is killed while both train."""
import json, sys, threading, time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from leukoscope.papers.reproduce import reproduce
from leukoscope.papers.request import Request
from leukoscope.papers.grid import GridProgress
from leukoscope.progress import Progress

OUT = Path(sys.argv[1])
found = {}


def histories():
    paths = OUT.glob("runs/*/*/fold-0/history.csv")
    return {str(p.relative_to(OUT)): p.read_text().splitlines() for p in paths}


def finished():
    return {p: (OUT / p).stat().st_mtime_ns for p in map(str, (
        q.relative_to(OUT) for q in OUT.glob("runs/*/*/predictions.csv")
    )) if ".partial" not in p}


def kill():
    """Once a training is finished and two others have a few epochs behind them."""
    while len(finished()) < 4:
        running = {n: rows for n, rows in histories().items() if ".partial" in n}
        if finished() and len(running) == 2 and all(2 < len(r) < 24 for r in running.values()):
            cluster.remove_node(second, allow_graceful=False)
            found.update(finished=finished(), running=running)
            return
        time.sleep(0.02)


if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={
        "num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000,
    })
    second = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    request = Request(
        "varol2024",
        only=("approach1,dataset=1+2,network=4,size=32,optimiser=rmsprop,epochs=25",),
        editions=("leak-free", "as-published"), budget="full",
        rendered=True, images=40, subjects=10, engine="ray", jobs=None, address=cluster.address,
        settings={"training.batch_size": 16, "training.device": "cpu"},
    )
    made = reproduce(request, OUT, Progress(quiet=True))
    killer.join()
    found.update(done=made.done, cells=len(made.outcomes), after=finished(), histories=histories())
    print(json.dumps(found))
    cluster.shutdown()
'''


@pytest.mark.slow
def test_a_node_is_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    script = tmp_path / "grid.py"
    script.write_text(GRID, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "out")]
    # Ray's processes would give way to whatever else this machine does.
    environment = {
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=pipe, text=True, start_new_session=True
    ) as process:
        try:
            # A cluster that does not start is a failure and no reason to wait, or to pass over.
            answer, _ = process.communicate(timeout=240)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0
    found = json.loads(answer.splitlines()[-1])
    assert "running" in found, "there was no moment to kill a node"
    assert (found["done"], found["cells"]) == (4, 4)
    assert 1 <= len(found["finished"]) <= 2
    assert len(found["after"]) == 4
    assert found["finished"].items() <= found["after"].items(), "done again"
    # Each row has the seconds that its epoch took, so an epoch made again would be another row.
    assert len(found["running"]) == 2
    for name, rows in found["running"].items():
        whole = found["histories"][name.replace(".partial", "")]
        assert whole[: len(rows)] == rows, "epochs that were behind it were made again"
        assert len(whole) == 26
    environment_file = next((tmp_path / "out").glob("runs/*/*/environment.json"))
    written = json.loads(environment_file.read_text())
    assert written["threads"] == 1
    assert "node" not in json.dumps(written["arguments"]), "the address of a node is in a run"
