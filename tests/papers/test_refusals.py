"""What cannot be run is refused with the reason, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leukoscope.cli import main
from leukoscope.papers.reproduce import Reproduction, reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress
from leukoscope.training import loop


@pytest.fixture(autouse=True)
def nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(*_: object) -> None:
        raise AssertionError("an epoch was trained")

    monkeypatch.setattr(loop, "run_epoch", trained)
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))


def few(paper: str, only: str, out: Path, **more: object) -> Reproduction:
    """A reproduction on a few drawn cells, in this process."""
    request = Request(
        paper,
        editions=("leak-free",),
        only=(only,),
        rendered=True,
        images=48,
        subjects=12,
        jobs=1,
        **more,  # type: ignore[arg-type]
    )
    return reproduce(request, out, Progress(quiet=True))


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("aproach1", "has no arm 'aproach1'. Did you mean 'approach1'"),
        ("netwrok=3", "no axis of the grid is called 'netwrok'. Did you mean 'network'"),
        ("optimiser=rmsprob", "has no value 'rmsprob'. Did you mean 'rmsprop'"),
        ("approach3,network=1", "no cell of varol2024 is all of that"),
    ],
)
def test_unknown_conditions_suggest_the_right_one(
    only: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "varol2024", "--plan", "--only", only]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("plan", [["--plan"], []])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--jobs", "99"], "--jobs 99: a number from 1 to"),
        (["--only", "backbone=resnt50"], "has no value 'resnt50'. Did you mean 'resnet50'"),
        (["--only", "transfr"], "has no arm 'transfr'. Did you mean 'transfer'"),
        (["--only", "optimizer=adam"], "is called 'optimizer'. Did you mean 'optimiser'"),
        (["--reading", "ful"], "no reading of the grid is called 'ful'. Did you mean 'full'"),
        (["--set", "model.name=resnt50"], "model.name is 'resnt50'. Did you mean 'resnet50'"),
        (["--address", "auto"], "--address auto: is of a Ray cluster"),
    ],
)
def test_what_is_misspelt_is_told_before_anything_is_drawn(
    more: list[str], words: str, plan: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["reproduce", "fata2023", "--rendered", "--weights", "none", "-o", str(out), "--quiet"]
    assert main([*call, *more, *plan]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("optimiser.learning_rat=0.1", "Did you mean 'learning_rate'"),
        ("training.learning_rate=0.1", "Did you mean 'optimiser.learning_rate'"),
        ("training.epochs=many", "training.epochs"),
    ],
)
def test_unknown_keys_and_wrong_values_are_refused(
    setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["reproduce", "varol2024", "--rendered", "--set", setting, "-o", str(out), "--quiet"]
    assert main(call) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_a_class_that_the_data_lacks_is_told(tmp_path: Path) -> None:
    settings = {"data.leave_out": ["blasts"], "training.device": "cpu"}
    only = "approach1,dataset=1,network=1,size=32,optimiser=sgd"
    made = few("varol2024", only, tmp_path / "out", settings=settings)
    assert {one.reason for one in made.outcomes} == {
        "not run: data.leave_out names class 'blasts', which this data does not have. "
        "Did you mean 'blast'?"
    }
    assert not list((tmp_path / "out").glob("runs/*/*/fold-*"))
    page = (tmp_path / "out" / "reproduction.html").read_text(encoding="utf-8")
    assert "which this data does not have" in page


@pytest.mark.real
def test_weights_of_another_architecture_are_told(real_weights: Path, tmp_path: Path) -> None:
    squeeze = str(real_weights / "squeezenet1_1.f16.safetensors")
    settings = {"preprocess.size": 64}
    only = "backbone=mobilenet_v2"
    made = few("murtoza2023", only, tmp_path / "out", weights=squeeze, settings=settings)
    (one,) = made.outcomes
    assert one.reason.startswith("not run: ")
    assert "weights of squeezenet1_1" in one.reason
    assert "mobilenetv2_100" in one.reason


def test_a_number_of_drawn_images_without_drawing_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reproduce", "varol2024", "--plan", "--images", "80"]) == 2
    assert "--images is about drawn data: add --rendered" in capsys.readouterr().err


def test_a_grid_of_which_nothing_can_be_run_fails_and_says_what_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["reproduce", "fata2023", "--only", "epochs=10", "--weights", "/nowhere/vgg", "--quiet"]
    call += ["--set", "preprocess.size=32", "-o", str(out), "--jobs", "1"]
    assert main(call) == 1
    assert "0 of" in capsys.readouterr().out
    plan = json.loads((out / "plan.json").read_text())
    assert plan["changes"] == {"preprocess.size": 32}
    assert plan["weights"] == "vgg"
    page = (out / "reproduction.html").read_text()
    assert "Not as the paper has it." in page
    assert "preprocess.size = 32" in page


def test_a_folder_of_another_paper_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["reproduce", "fata2023", "--quiet", "-o", str(out), "--jobs", "1"]) == 1
    former = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert out / "reproduction.html" in former
    capsys.readouterr()
    assert main(["reproduce", "murtoza2023", "--quiet", "-o", str(out)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "has a reproduction of fata2023, and murtoza2023 is asked for now" in said
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == former
