"""Disk is estimated before, with caches and what lies there while trainings run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from leukoscope.papers.costs import cost_of
from leukoscope.papers.disk import IN_MEMORY, copies_made
from leukoscope.papers.planner import disk_bytes, make_plan
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduce import reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress
from leukoscope.records.experiment import Experiment, with_settings

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
