"""The smoke budget: every axis is met, an hour is not exceeded, and what has no place says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.cli import main
from leukoscope.papers import PAPERS
from leukoscope.papers.budget import SMOKE_MINUTES, Candidate, beyond_smoke, choose
from leukoscope.papers.cells import cells
from leukoscope.papers.costs import MACHINES, cost_of, forward_gflop
from leukoscope.papers.draws import DataSize
from leukoscope.papers.plan_table import plan_rows, plan_table
from leukoscope.papers.planner import Plan, make_plan
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.published import published
from leukoscope.papers.reproduce import plan_for, reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress
from leukoscope.records.experiment import Experiment, with_settings

HOUR = 60.0 * SMOKE_MINUTES


def one(name: str, seconds: float, values: str, **more: object) -> Candidate:
    met = frozenset(("arm", "axis", value) for value in values)
    return Candidate(name, seconds, met, **more)  # type: ignore[arg-type]


def test_values_come_first_then_published_then_cheap() -> None:
    some = [
        one("dear", 50, "ab"),
        one("cheap a", 5, "a"),
        one("cheap b", 6, "b"),
        one("again a", 7, "a"),
        one("published", 9, "a", published=True),
        one("too long", 100, "a"),
    ]
    choice = choose(some, 21)
    assert choice.names == ["cheap a", "cheap b", "published"]
    assert (choice.cover_seconds, choice.seconds) == (11, 20)
    assert choose(some, 27).names == ["cheap a", "cheap b", "published", "again a"]
    # All values are met whatever that takes, and it is said how long.
    assert choose(some, 3).names == ["cheap a", "cheap b"]
    assert choose(some, 3).cover_seconds == 11


def test_what_others_begin_with_or_share_is_counted_once() -> None:
    chained = [one("first", 10, "a"), one("second", 1, "b", after="first"), one("b", 12, "b")]
    assert choose(chained, 0).names == ["first", "second"]
    assert choose(chained[::-1], 0).seconds == 11
    shared = [one(name, 1, name, shared="vgg16", shared_seconds=30) for name in ("a", "b", "c")]
    assert choose(shared, 0).seconds == 33
    beyond = [*shared, one("d", 1, "a", shared="vgg16", shared_seconds=30)]
    assert choose(beyond, 34).names == ["a", "b", "c", "d"]


def test_what_became_needless_is_dropped() -> None:
    # Greedy takes x (2 values at 1 each) first, and then needs y and z, which meet them too.
    some = [one("x", 2, "ab"), one("y", 3.3, "acd"), one("z", 3.3, "bef")]
    assert choose(some, 0).names == ["y", "z"]


@given(
    st.lists(
        st.tuples(st.floats(0.1, 100), st.sets(st.sampled_from("abcdefgh"), min_size=1)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0, 400),
)
def test_every_value_is_met_and_the_limit_is_kept(
    drawn: list[tuple[float, set[str]]], limit: float
) -> None:
    some = [one(str(n), seconds, "".join(v)) for n, (seconds, v) in enumerate(drawn)]
    choice = choose(some, limit)
    chosen = [c for c in some if c.name in choice.names]
    assert {v for c in chosen for v in c.values} == {v for c in some for v in c.values}
    assert choice.seconds == pytest.approx(sum(c.seconds for c in chosen))
    assert choice.seconds <= max(limit, choice.cover_seconds) + 1e-9
    assert choose(some, limit).names == choice.names


def smoke(paper: str) -> Plan:
    return plan_for(Request(paper, rendered=True))


@pytest.mark.parametrize("paper", [*PAPERS])
def test_a_smoke_plan_meets_every_value_in_an_hour(paper: str) -> None:
    protocol, plan = read_protocol(paper), smoke(paper)
    for edition in protocol.editions:
        grid = cells(protocol, edition, "smoke")
        mine = [cell for t in plan.trainings if t.edition == edition for cell in t.cells]
        left = [cell for t in plan.left_out if t.edition == edition for cell in t.cells]
        assert sorted(c.id for c in (*mine, *left)) == sorted(c.id for c in grid)
        met, wanted = (
            {(c.arm, axis, value) for c in some for axis, value in c.values.items()}
            for some in (mine, grid)
        )
        assert met == wanted
        seconds = sum(t.cost.seconds(MACHINES[0]) for t in plan.trainings if t.edition == edition)
        allowed = plan.too_long.get(edition, HOUR)
        assert seconds <= allowed + 1e-6
        runs = {t.name for t in plan.trainings if t.edition == edition}
        assert all(t.after in runs for t in plan.trainings if t.edition == edition and t.after)


def test_published_cells_have_precedence_in_varol2024() -> None:
    protocol, plan = read_protocol("varol2024"), smoke("varol2024")
    printed = {figure.cell for figure in published(protocol) if figure.kind == "result"}
    assert plan.left_out
    assert not plan.too_long
    beside = [t for t in plan.left_out if printed & {cell.id for cell in t.cells}]
    # What is left out beside published figures is dearer than the room that is left.
    for edition in protocol.editions:
        room = HOUR - sum(
            t.cost.seconds(MACHINES[0]) for t in plan.trainings if t.edition == edition
        )
        assert all(t.cost.seconds(MACHINES[0]) > room for t in beside if t.edition == edition)
    text = plan_table(plan)
    left = sum(len(t.cells) for t in plan.left_out)
    assert f"{left:,} cells of {len(plan.left_out)} trainings left out: beyond the 60" in text
    rows = plan_rows(plan)
    assert rows[-1]["cells"] + rows[-1]["cells_left_out"] == 2 * 972


def test_nothing_is_left_out_of_a_full_budget_or_of_what_fits() -> None:
    full = plan_for(Request("varol2024", rendered=True, budget="full"))
    assert not full.left_out
    few = plan_for(Request("varol2024", rendered=True, only=("approach3",)))
    assert (few.cells, few.left_out) == (216, ())


def test_a_time_that_the_axes_alone_exceed_is_told() -> None:
    real = {"cnmc": DataSize({"blast": 7272, "normal": 3389})}
    plan = make_plan(read_protocol("abed2022"), ["leak-free"], "smoke", sizes=real, minutes=30)
    assert plan.too_long["leak-free"] > HOUR / 2
    assert "leak-free: to meet every value of every axis takes" in plan_table(plan)


def test_what_cannot_be_run_takes_no_time_and_stands_for_no_axis() -> None:
    real = {"cnmc": DataSize({"blast": 7272, "normal": 3389})}
    protocol = read_protocol("abed2022")
    plan = make_plan(
        protocol,
        ["leak-free"],
        "smoke",
        sizes=real,
        obstacle=lambda one: "" if one.data == "allidb2" else "no data",
    )
    assert not plan.too_long
    assert not plan.left_out
    simple = make_plan(
        protocol,
        ["leak-free"],
        "smoke",
        sizes=real,
        obstacle=lambda one: "" if one.experiment.model.name == "simple-cnn" else "no weights",
    )
    assert (simple.cells, simple.too_long) == (15, {})


def test_weights_that_are_not_here_take_no_time(tmp_path: Path) -> None:
    def of(weights: str) -> list[bool]:
        plan = plan_for(Request("murtoza2023", editions=("leak-free",), weights=weights))
        return [not training.obstacle for training in plan.trainings]

    assert of(str(tmp_path)) == [False] * 4
    assert of("none") == of("") == [True] * 4


def test_copies_are_no_more_than_the_papers_at_smoke() -> None:
    def factors(images: int, budget: str = "smoke") -> set[int]:
        sizes = {"allidb2": DataSize({"blast": images // 2, "normal": images // 2})}
        only = ["main,dataset=allidb"]
        plan = make_plan(
            read_protocol("abed2022"),
            ["as-published"],
            budget,  # type: ignore[arg-type]
            only,
            sizes=sizes,
        )
        return {t.experiment.expand.factor for t in (*plan.trainings, *plan.left_out)}

    assert factors(260) == {8}
    assert factors(520) == {4}
    assert factors(2000) == {2}
    assert factors(2000, "full") == {8}


@pytest.mark.parametrize(
    ("paper", "name"),
    [("varol2024", "cnmc"), ("abed2022", "allidb2"), ("murtoza2023", "taleghani")],
)
def test_rendered_sets_are_planned_as_they_are_drawn(paper: str, name: str, tmp_path: Path) -> None:
    from leukoscope.datasets.rendered import render_dataset

    plan = plan_for(Request(paper, rendered=True, images=90, subjects=12))
    source = read_protocol(paper).data[name]
    manifest = render_dataset(source.rendered, tmp_path / "set", subjects=12, images=90, size=32)
    drawn = dict(zip(*np.unique(manifest.column("label"), return_counts=True), strict=True))
    assert plan.scales[name].per_class == DataSize(drawn).scale(source.images)


def test_cells_beyond_the_budget_say_so_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is here, so nothing is run; what is left out says that and not which data it lacks.
    monkeypatch.setattr("leukoscope.papers.reproduce.gather", lambda *_: {})
    import leukoscope.papers.reproduce as module

    monkeypatch.setattr(
        module,
        "plan_for",
        lambda request, here=None, network=True: make_plan(
            read_protocol("fata2023"), ("leak-free",), "smoke", minutes=0.001
        ),
    )
    made = reproduce(Request("fata2023"), tmp_path / "out", Progress(quiet=True))
    reasons = [outcome.reason for outcome in made.outcomes]
    assert len(reasons) == 32
    assert reasons.count(beyond_smoke(0.001)) == 16
    state = json.loads((tmp_path / "out" / "state.json").read_text())
    assert (state["cells"], list(state["not_run"].values()).count(beyond_smoke(0.001))) == (32, 16)
    text = (tmp_path / "out" / "reproduction.csv").read_text()
    assert text.count("beyond the 0.001 minutes of the smoke budget; --budget full runs it") > 10
    assert "Beyond the 0.001 minutes" in (tmp_path / "out" / "reproduction.html").read_text()
    monkeypatch.undo()
    assert main(["reproduce", "abed2022", "--plan", "--rendered", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["plan"]
    assert rows[-1]["cells"] + rows[-1]["cells_left_out"] == 30


def test_costs_are_those_of_the_parts() -> None:
    images = {"blast": 1000, "normal": 1000}
    plain = with_settings(Experiment(), {"model.name": "cnn-3", "preprocess.size": 48})
    alone, heads = cost_of(plain, images), cost_of(plain, images, heads=("svm", "nb"))
    assert alone.head_seconds == 0
    assert heads.head_seconds > 0
    # One pass more over all images for the vectors, and once more for each number of epochs.
    twice = cost_of(plain, images, counts=(1,), heads=("svm", "nb"))
    once_more = heads.operations - alone.operations
    assert twice.operations - heads.operations == pytest.approx(once_more)
    assert plain.split.folds == 5
    assert once_more == pytest.approx(5 * 2000 * (forward_gflop("cnn-3", 48) or 0))
    assert twice.head_seconds == 2 * heads.head_seconds
    frozen = with_settings(
        Experiment(), {"model.name": "resnet50", "model.trainable": "head", "preprocess.size": 48}
    )
    cost = cost_of(frozen, images)
    assert cost.cached.operations == 0
    assert cost.cached.steps == cost.steps
    slow = with_settings(frozen, {"model.name": "mobilenet_v2", "model.trainable": "all"})
    # Depthwise layers wait for memory: 0.6 GFLOP takes the time of 2.4.
    assert cost_of(slow, images).operations > 2 * 0.6 * (48 / 224) ** 2 * 2000
