"""Disk is estimated before, with caches and what lies there while trainings run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukoscope.errors import StorageError
from leukoscope.papers import machine, space
from leukoscope.papers import reproduce as room
from leukoscope.papers.costs import cost_of
from leukoscope.papers.disk import IN_MEMORY, copies_made
from leukoscope.papers.planner import disk_bytes, make_plan
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduce import reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress
from leukoscope.records.experiment import Experiment, with_settings
from leukoscope.training import loop

QUIET = Progress(quiet=True)

IMAGES = {"blast": 60, "normal": 40}


def experiment(**keys: object) -> Experiment:
    return with_settings(Experiment(), {k.replace("__", "."): v for k, v in keys.items()})


def test_copies_are_those_beyond_the_images() -> None:
    assert copies_made(experiment(expand__per_class=50), IMAGES) == 10
    assert copies_made(experiment(expand__factor=8), IMAGES) == 700
    assert copies_made(experiment(), IMAGES) == 0


def test_what_is_cached_is_counted_by_its_size() -> None:
    small = {"preprocess__size": 32, "split__kind": "holdout"}
    plain = cost_of(experiment(model__name="cnn-3", **small), IMAGES).disk
    assert plain.pixels == 100 * 32 * 32 * 3
    assert plain.vectors == 0
    drawn = cost_of(experiment(model__name="cnn-3", data__balance=20, **small), IMAGES).disk
    assert drawn.pixels == 40 * 32 * 32 * 3
    copied = cost_of(experiment(model__name="cnn-3", expand__factor=3, **small), IMAGES).disk
    assert copied.scratch - plain.scratch == 200 * 32 * 32 * 3
    frozen = {"model__name": "resnet50", "model__trainable": "head", **small}
    assert cost_of(experiment(**frozen), IMAGES).disk.vectors == 100 * 2048 * 4
    # 33 and 60 measurements (models/classical/measurements.py), cached as vectors are.
    for name, length in (("lab-kmeans", 33), ("wavelet", 60)):
        disk = cost_of(experiment(model__name=f"{name}+svm", **small), IMAGES).disk
        assert disk.vectors == 100 * length * 4


def test_vectors_of_heads_lie_on_the_disk_where_they_are_many() -> None:
    keys = {"preprocess__size": 48, "split__kind": "holdout"}
    many = {"blast": 3000, "normal": 3000}
    alone = cost_of(experiment(model__name="cnn-1", **keys), many)
    heads = cost_of(experiment(model__name="cnn-1", **keys), many, heads=("rf", "nb"))
    # FEM-1 at 48 px: the flatten of its last map for each of 6,000 images.
    length = (heads.disk.scratch - alone.disk.scratch) / 6000 / 4
    assert heads.disk.scratch - alone.disk.scratch > IN_MEMORY
    assert length == int(length) > 40_000
    few = cost_of(experiment(model__name="cnn-1", **keys), IMAGES, heads=("rf", "nb"))
    assert few.disk.scratch == cost_of(experiment(model__name="cnn-1", **keys), IMAGES).disk.scratch


def files(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_what_a_plan_needs_is_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))
    only = "approach3,dataset=1,backbone=resnet50,epochs=25,optimiser=sgd"
    request = Request(
        "varol2024",
        editions=("leak-free",),
        only=(only,),
        rendered=True,
        images=60,
        subjects=10,
        settings={"training.device": "cpu"},
        weights="none",
    )
    made = reproduce(request, tmp_path / "out", Progress(quiet=True))
    assert made.done == 2
    trainings = made.plan.possible
    out, cache = disk_bytes(trainings)
    # The journals of the stores, a line of 100 bytes for each image, are no part of the estimate.
    assert cache == pytest.approx(files(tmp_path / "cache"), rel=0.05)
    kept = sum(one.cost.disk.kept for one in trainings)
    assert kept == pytest.approx(files(made.folder / "runs"), rel=0.05)
    assert out > kept


def test_what_trainings_share_is_counted_once() -> None:
    only = ["approach3,dataset=1,backbone=resnet50,size=48,epochs=25"]
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "full", only)
    assert len(plan.trainings) == 3  # optimisers, on the same pixels and vectors
    first = plan.trainings[0].cost.disk
    assert disk_bytes(plan.trainings)[1] == first.pixels + first.vectors
    apart = [replace(one, data=f"other {place}") for place, one in enumerate(plan.trainings)]
    assert disk_bytes(apart)[1] == 3 * (first.pixels + first.vectors)
    kept = sum(one.cost.disk.kept for one in plan.trainings)
    assert disk_bytes(plan.trainings)[0] == pytest.approx(kept + first.scratch)
    assert (
        disk_bytes(plan.trainings, 2)[0]
        < kept + 2 * max(one.cost.disk.scratch for one in plan.trainings) + 1
    )


class Stopped(Exception):
    """In the place of a kill."""


def test_what_lies_there_is_not_needed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped grid goes on, and a finished one is read back, on a disk that is nearly full."""
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))
    request = Request(
        "varol2024",
        editions=("leak-free",),
        only=("approach1,dataset=1,network=4,size=32,optimiser=sgd+adam,epochs=25",),
        rendered=True,
        images=60,
        subjects=10,
        settings={"training.device": "cpu"},
        weights="none",
    )
    out, needs = tmp_path / "out", []
    measured = space.needed_bytes

    def needed(*given: Any) -> tuple[float, float]:
        needs.append(measured(*given))
        return needs[-1]

    monkeypatch.setattr(space, "needed_bytes", needed)
    save, seen = loop._save, []

    def stop(state: loop.TrainingState, folder: Path) -> None:
        save(state, folder)
        seen.append(state.epoch)
        if len(seen) == 2:
            raise Stopped

    with monkeypatch.context() as cut:
        cut.setattr(loop, "_save", stop)
        with pytest.raises(Stopped):
            reproduce(request, out, QUIET)
    with monkeypatch.context() as full:
        usage = shutil.disk_usage(tmp_path)
        full.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
        with pytest.raises(StorageError, match="what is left to run needs"):
            reproduce(request, out, QUIET)
    made = reproduce(request, out, QUIET)
    assert made.done == 2
    page = (out / "reproduction.html").read_text(encoding="utf-8")
    assert "began at random" not in page, "nothing that ran is pretrained in the paper"
    whole = disk_bytes(made.plan.possible)
    (first, pixels), (again, found), (later, there) = needs
    assert (first, pixels) == pytest.approx(whole)
    assert pixels > 0
    # One training is finished, and the other has written its checkpoint.
    assert again == later < first - made.plan.possible[0].cost.disk.kept
    assert found == there == 0, "the pixels of all images lie in the cache"
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
        assert reproduce(request, out, QUIET).done == 2, "nothing is left to run"
    other = space.needed_bytes(made.plan.possible, {}, tmp_path / "other")
    assert other == pytest.approx(whole), "without data nothing is known of the cache"


def test_what_runs_at_once_needs_its_room_at_once(tmp_path: Path) -> None:
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "full", ["approach1,network=1"])
    alone, two = (space.needed_bytes(plan.trainings, {}, tmp_path, jobs)[0] for jobs in (1, 2))
    scratch = sorted(one.cost.disk.scratch for one in plan.trainings)
    assert two - alone == pytest.approx(scratch[-2])
    asked: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "refuse_small_disk", lambda *given: asked.append(given[-1]))
        patch.setattr(machine, "cores", lambda: 4)
        patch.setattr(machine, "memory_bytes", lambda: 1e15)
        for jobs in (1, 3, None):
            request = Request("varol2024", jobs=jobs, settings={"training.device": "cpu"})
            cpu = make_plan(
                read_protocol("varol2024"),
                ["leak-free"],
                "full",
                ["approach1,network=1"],
                changes=request.settings,
            )
            room._refuse_small_machine(cpu, {}, tmp_path, QUIET, request)
    assert asked == [1, 3, 4]
