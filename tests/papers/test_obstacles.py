"""What cannot be run is known before, told once, and takes no time of the plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leukoscope.cli import main
from leukoscope.models import hub
from leukoscope.papers.obstacles import without_folders
from leukoscope.papers.plan_table import plan_rows, plan_table
from leukoscope.papers.reproduce import plan_for
from leukoscope.papers.request import Request


@pytest.fixture(autouse=True)
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and a network that nobody may ask in a plan."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))

    def asked(address: str) -> bool:
        raise AssertionError(f"{address} was asked")

    monkeypatch.setattr(hub, "reachable", asked)


def test_the_plan_says_where_weights_come_from(tmp_path: Path) -> None:
    text = plan_table(plan_for(Request("fata2023", rendered=True)))
    address = "https://huggingface.co/timm/vgg16.tv_in1k"
    assert f"vgg16 to be downloaded from {address}" in text
    assert "cannot be run" not in text
    text = plan_table(plan_for(Request("fata2023", rendered=True, weights="none")))
    assert "weights: resnet50 none; it begins at random; vgg16 none" in text


def test_a_file_in_the_hubs_cache_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hub's own layout (huggingface_hub, "Understand caching"): refs/main names a snapshot.
    cached = tmp_path / "hub" / "models--timm--vgg16.tv_in1k"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "model.safetensors").write_bytes(b"weights")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    import huggingface_hub

    look = huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(
        huggingface_hub,
        "try_to_load_from_cache",
        lambda repository, file: look(repository, file, cache_dir=tmp_path / "hub"),
    )
    plan = plan_for(Request("fata2023", rendered=True), network=False)
    assert "weights: vgg16 in the hub's cache" in plan_table(plan)
    assert {one.obstacle[:33] for one in plan.trainings} == {
        "",
        "the weights of resnet50 are not h",
    }
    (row,) = (row for row in plan_rows(plan) if row["arm"] == "")
    assert (row["cells"], row["cells_impossible"], row["trainings"]) == (32, 32, 4)
    assert hub.fetch(hub.hub_file("vgg16"))[0].read_bytes() == b"weights"  # and nobody was asked


def test_what_cannot_be_run_is_counted_and_takes_no_time(tmp_path: Path) -> None:
    folder = tmp_path / "my weights"
    folder.mkdir()
    request = Request("varol2024", rendered=True, budget="full", weights=str(folder))
    plan, free = plan_for(request), plan_for(Request("varol2024", rendered=True, budget="full"))
    (row,) = (row for row in plan_rows(plan) if row["arm"] == "")
    assert (row["cells"], row["cells_impossible"]) == (2 * 864, 2 * 108)
    assert row["seconds_cores"] < plan_rows(free)[-1]["seconds_cores"]
    text = plan_table(plan)
    assert "108 cells of 36 trainings cannot be run: no weights of vgg16 lie in my weights." in text
    assert str(tmp_path) not in text


def test_a_second_stage_cannot_be_run_without_its_first(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image,label\na.png,blast\nb.png,normal\n")
    request = Request("abed2022", data={"cnmc": tmp_path / "m.csv"}, weights="none")
    plan = plan_for(request)
    reasons = {one.name: one.obstacle for one in plan.trainings if one.edition == "leak-free"}
    assert reasons["pretrain--network-vgg19"].startswith("data set pcam is not here")
    behind = reasons["chained--dataset-cnmc_network-vgg19"]
    assert behind.startswith("its first stage (pretrain--network-vgg19) cannot be run: data set")
    assert not reasons["main--dataset-cnmc_network-vgg19"]


def test_a_hub_out_of_reach_is_asked_once_and_told_without_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hub, "reachable", lambda address: bool(asked.append(address)))
    out = tmp_path / "out"
    call = ["reproduce", "fata2023", "--rendered", "--images", "24", "--subjects", "8"]
    call += ["--set", "preprocess.size=32", "-o", str(out), "--jobs", "1"]
    assert main(call) == 1
    assert len(asked) == 1
    said = capsys.readouterr()
    assert "32 cells of 4 trainings cannot be run: the weights of vgg16 are not here" in said.err
    assert said.out.count("the weights of vgg16") == 1
    state = json.loads((out / "state.json").read_text())
    reasons = set(state["not_run"].values())
    assert len(reasons) == 2
    for reason in reasons:
        assert "and huggingface.co does not answer. On a machine with a network, download" in reason
        assert ".safetensors into a folder here, and name the folder in model.weights" in reason
        assert str(tmp_path) not in reason
    page = (out / "reproduction.html").read_text()
    assert "The weights of vgg16 are not here and huggingface.co does not answer" in page
    assert str(tmp_path) not in page


def test_a_server_that_never_answers_is_given_up_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket
    import time

    monkeypatch.undo()
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert not hub.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert time.monotonic() - began < 3
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub.reachable("https://huggingface.co")


def test_reasons_have_names_and_no_folders() -> None:
    place = Path("/home/somebody/data")
    assert without_folders(f"{place}/a.png: is empty", [place]) == "data/a.png: is empty"
    assert without_folders("nothing to hide", [place, Path()]) == "nothing to hide"
