"""A grid is planned: shared trainings, draws in proportion, costs that grow with the work."""

from __future__ import annotations

import json

import pytest
import torch

from leukoscope.models import build, layers_of
from leukoscope.models.layers import Conv
from leukoscope.models.network_size import network_size
from leukoscope.papers.costs import BACKBONES, MACHINES, forward_gflop, layer_operations, parts_of
from leukoscope.papers.draws import DataSize
from leukoscope.papers.plan_table import plan_rows, plan_table
from leukoscope.papers.planner import make_plan, shared_network, shares_epochs
from leukoscope.papers.protocol import read_protocol
from leukoscope.records.experiment import Experiment, Model, with_settings

REAL = {"cnmc": DataSize({"blast": 7272, "normal": 3389})}


def test_epochs_and_heads_of_one_network_are_one_training() -> None:
    plan = make_plan(read_protocol("varol2024"), ["as-published"], "full", sizes=REAL)
    assert plan.cells == 972
    # PAPERS: 216 networks with their 648 classifiers and 108 backbones; "108 runs of 100 epochs".
    assert len(plan.trainings) == 108
    for training in plan.trainings:
        assert training.counts == (25, 50)
        assert training.experiment.training.epochs == 100
        backbone = training.cells[0].arm == "approach3"
        assert len(training.cells) == (3 if backbone else 3 + 3 * 3)
        assert training.heads == (() if backbone else ("svm", "rf", "nb"))
    rows = plan_rows(plan)
    assert [(row["arm"], row["cells"], row["trainings"], row["epochs"]) for row in rows] == [
        ("approach1", 216, 72, 72 * 100),
        ("approach2", 648, 0, 0),
        ("approach3", 108, 36, 36 * 100),
        ("", 972, 108, 10800),
    ]
    assert rows[0]["epochs_without_sharing"] == 72 * 175
    assert rows[1]["epochs_without_sharing"] == 3 * 72 * 175
    fata = make_plan(read_protocol("fata2023"), ["leak-free"], "full")
    assert [len(t.cells) for t in fata.trainings] == [8] * 4


def test_heads_share_a_network_also_without_its_own_head() -> None:
    only = ["approach2,network=3,size=32,dataset=1,optimiser=sgd"]
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "full", only)
    (training,) = plan.trainings
    assert training.experiment.model.name == "fem-3+nb"
    assert training.heads == ("svm", "rf")
    assert training.name.endswith("head-nb_size-32_optimiser-sgd_epochs-100_with-svm-rf")
    assert len(training.cells) == 9


def test_a_frozen_network_with_a_head_is_not_one_that_is_trained() -> None:
    def of(name: str, trainable: str = "all") -> str:
        settings = {"model.name": name, "model.trainable": trainable}
        return shared_network(with_settings(Experiment(), settings))

    assert of("cnn-3") == of("fem-3+svm") == of("fem-3+nb") == "cnn-3"
    assert of("cnn-3") != of("cnn-2")
    assert of("resnet50+svm") == of("resnet50")
    assert of("resnet50+svm", "head") == of("resnet50+rf", "head") != of("resnet50", "head")
    assert of("hybrid:vgg16+vgg19+svm") == of("hybrid:vgg16+vgg19")
    assert of("wavelet+svm") == of("wavelet+rf")


def test_what_depends_on_the_end_is_not_shared() -> None:
    assert shares_epochs(Experiment())
    assert not shares_epochs(with_settings(Experiment(), {"schedule.kind": "cosine"}))
    assert shares_epochs(with_settings(Experiment(), {"model.name": "fem-1+svm"}))


def test_draws_are_in_proportion_to_what_is_here() -> None:
    half = {"cnmc": DataSize({"blast": 7272, "normal": 1694})}
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "smoke", ["approach1"], sizes=half)
    drawn = {t.experiment.data.balance for t in plan.trainings}
    assert plan.scaled["cnmc"] == pytest.approx(1694 / 3389)
    assert drawn == {0, int(1176 * 1694 / 3389), int(2823 * 1694 / 3389)}
    assert "draws in proportion to the images here: cnmc at 0.500" in plan_table(plan)
    even = {"cnmc": DataSize({"blast": 1000, "normal": 1000})}
    plan = make_plan(read_protocol("varol2024"), ["leak-free"], "full", ["approach1"], sizes=even)
    # A class of 3,389 limits the paper's balanced draws, one of 1,000 ours.
    drawn = {t.experiment.data.balance for t in plan.trainings}
    assert drawn == {0, int(1176 * 1000 / 3389), int(2823 * 1000 / 3389)}
    whole = make_plan(read_protocol("varol2024"), ["leak-free"], "full", ["approach1"], sizes=REAL)
    assert {t.experiment.data.balance for t in whole.trainings} == {0, 1176, 2823}
    assert {t.experiment.expand.per_class for t in whole.trainings} == {0, 6070}


def test_a_second_stage_comes_after_its_first() -> None:
    plan = make_plan(read_protocol("abed2022"), ["leak-free"], "full")
    names = [training.name for training in plan.trainings]
    chained = [training for training in plan.trainings if training.after]
    assert len(chained) == 4
    for training in chained:
        assert names.index(training.after) < names.index(training.name)


def test_weights_and_keys_are_set_for_every_cell() -> None:
    plan = make_plan(
        read_protocol("murtoza2023"),
        ["leak-free"],
        "smoke",
        weights="weights",
        changes={"training.device": "cpu"},
    )
    assert {t.experiment.model.weights for t in plan.trainings} == {"weights"}
    assert {t.experiment.training.device for t in plan.trainings} == {"cpu"}


def test_operations_are_those_of_the_layers() -> None:
    # One 3×3 convolution on 8×8×3 with 4 filters, "same": 8·8·4 sums of 27 products.
    assert layer_operations((Conv(4, 3, "same"),), 3, 8) == 2 * 8 * 8 * 4 * 27
    # MEASURED: CNN-3 (R1) is 1.94 GFLOP a training image at 32 px, three passes.
    forward = layer_operations(layers_of(Model(name="cnn-3"), 2), 3, 32)
    assert 3 * forward / 1e9 == pytest.approx(1.94, rel=0.02)


def test_large_backbones_count_the_operations_timm_tells() -> None:
    assert forward_gflop("vgg16", 224) == BACKBONES["vgg16"].gflop
    assert forward_gflop("vgg16", 448) == 4 * BACKBONES["vgg16"].gflop
    assert forward_gflop("hybrid:vgg16+vgg19", 224) == pytest.approx(30.7 + 39.0)
    assert forward_gflop("no-such-network", 224) is None
    assert parts_of("hybrid:vgg16+vgg19+svm") == (("vgg16", "vgg19"), "svm")
    assert parts_of("fem-3+nb") == (("cnn-3",), "nb")


def test_the_plan_is_printed_and_is_json() -> None:
    plan = make_plan(read_protocol("varol2024"), ["as-published", "leak-free"], "full", sizes=REAL)
    text = plan_table(plan)
    assert "1,944" in text
    assert "estimates" in text
    rows = json.loads(json.dumps(plan_rows(plan)))
    assert rows[-1]["cells"] == 1944
    assert sum(row["seconds_cores"] for row in rows[:-1]) == pytest.approx(
        plan.seconds(MACHINES[0])
    )
    smoke = make_plan(read_protocol("varol2024"), ["leak-free"], "smoke", ["approach1"], sizes=REAL)
    full = make_plan(read_protocol("varol2024"), ["leak-free"], "full", ["approach1"], sizes=REAL)
    assert full.seconds(MACHINES[0]) > 20 * smoke.seconds(MACHINES[0])


def test_another_reading_of_a_network_costs_what_it_costs() -> None:
    """R2's CNN-2 has its large maps behind wide layers: 9.80 against 0.650 GFLOP at 32 px."""
    r1, r2 = (forward_gflop("cnn-2", 32, Model(reading=reading)) or 0 for reading in ("R1", "R2"))
    for reading, gflop in (("R1", r1), ("R2", r2)):
        network = build(Model(name="cnn-2", reading=reading), 3, 32, 2, generator=torch.Generator())
        assert gflop == pytest.approx(network_size(network, 32).operations / 1e9, rel=1e-6)
    assert r2 > 10 * r1
    r3 = forward_gflop("cnn-4", 48, Model(reading="R3")) or 0
    network = build(Model(name="cnn-4", reading="R3"), 3, 48, 2, generator=torch.Generator())
    assert r3 == pytest.approx(network_size(network, 48).operations / 1e9, rel=1e-6)


def test_the_papers_own_data_is_drawn_from_as_published_at_the_full_budget() -> None:
    protocol = read_protocol("varol2024")

    def draws(size: DataSize, budget: str = "full") -> tuple[set[int], set[int]]:
        sizes = {"cnmc": size}
        plan = make_plan(protocol, ["leak-free"], budget, ["approach1"], sizes=sizes)  # type: ignore[arg-type]
        experiments = [one.experiment for one in (*plan.trainings, *plan.left_out)]
        return {e.data.balance for e in experiments}, {e.expand.per_class for e in experiments}

    # A few images that cannot be read change no draw of the paper.
    nearly = {"blast": 7270, "normal": 3380}
    assert draws(DataSize(nearly, own=True)) == ({0, 1176, 2823}, {0, 6070})
    assert draws(DataSize(nearly)) == ({0, 1172, 2815}, {0, 6053})
    assert draws(DataSize(nearly, own=True), "smoke") == draws(DataSize(nearly), "smoke")
    # What cannot be drawn shrinks, and what grows from copies does not.
    half = {"blast": 7272, "normal": 2000}
    shrunk = {0, int(1176 * 2000 / 3389), int(2823 * 2000 / 3389)}
    assert draws(DataSize(half, own=True)) == (shrunk, {0, 6070})


def test_what_a_person_sets_is_not_scaled() -> None:
    plan = make_plan(
        read_protocol("varol2024"),
        ["leak-free"],
        "smoke",
        ["approach1,dataset=1"],
        sizes={"cnmc": DataSize({"blast": 84, "normal": 91})},
        changes={"data.balance": 60},
    )
    assert {one.experiment.data.balance for one in plan.trainings} == {60}


@pytest.mark.parametrize("drawn", [True, False])
def test_abed2022_takes_an_hour_at_the_smoke_budget(drawn: bool) -> None:
    protocol = read_protocol("abed2022")
    two = {name: DataSize(dict.fromkeys(one.images, 1000)) for name, one in protocol.data.items()}
    plan = make_plan(protocol, ["leak-free"], "smoke", sizes=two if drawn else None)
    assert not plan.too_long
    assert plan.seconds(MACHINES[0]) < 3600
    assert plan.sampled == {"allidb2": 1000, "cnmc": 2000, "pcam": 2000}
    copies = {t.experiment.expand.factor for t in plan.trainings if t.data == "allidb2"}
    assert copies == ({2} if drawn else {8})
    full = make_plan(protocol, ["leak-free"], "full")
    assert not any(one.experiment.data.sample for one in full.trainings)
