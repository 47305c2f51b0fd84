"""What cannot be run is refused with the reason, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import leukoscope as lk
from leukoscope.cli import main
from leukoscope.errors import ProtocolError
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
        (["--weights", "~/no/vgg"], "--weights ~/no/vgg: there is no file or folder ~/no/vgg"),
        (["--weights", "non"], "there is no file or folder non. Did you mean 'none'"),
        (["--data", "cnmc=/no/cnmc"], "--data cnmc=/no/cnmc: there is no file or folder /no/cnmc"),
        (["--data", "cnmc=.", "--data", "cnmc=/"], "--data cnmc=/: cnmc is named twice, first as"),
        (["--data", "cnmc=.", "--substitute", "cnmc=."], "cnmc is named with --data and with"),
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
    (tmp_path / "vgg").mkdir()
    call = ["reproduce", "fata2023", "--only", "epochs=10", "--weights", str(tmp_path / "vgg")]
    call += ["--quiet"]
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


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"budget": "huge"}, "--budget huge: smoke or full is expected"),
        ({"engine": "rai"}, "--engine rai: local or ray is expected. Did you mean 'ray'"),
        ({"minutes": -5}, "--minutes -5: a number above 0 is expected"),
        ({"minutes": float("nan")}, "--minutes nan: a number above 0 is expected"),
        ({"minutes": 60, "budget": "full"}, "--minutes 60 is of the smoke budget"),
        ({"images": 40}, "--images is about drawn data: add --rendered"),
        ({"subjects": 40}, "--subjects is about drawn data: add --rendered"),
        ({"images": 3, "rendered": True}, "--images 3: at least 8 are needed"),
        ({"subjects": 3, "rendered": True}, "--subjects 3: at least 4 are needed"),
        ({"weights": "/no/vgg"}, "--weights /no/vgg: there is no file or folder /no/vgg"),
        ({"weights": "run:/no/run"}, "there is no file or folder /no/run"),
        ({"data": {"cnmc": "/no/cnmc"}}, "--data cnmc=/no/cnmc: there is no file or folder"),
        ({"data": {"cnmc": "."}, "substitutes": {"cnmc": "."}}, "with --data and with --subst"),
        ({"editions": "leakfree"}, "has no edition 'leakfree', only as-published, leak-free"),
        ({"only": "backbone=vgg15"}, "has no value 'vgg15'"),
        ({"reading": "ful"}, "no reading of the grid is called 'ful'. Did you mean 'full'"),
        ({"address": "auto"}, "--address auto: is of a Ray cluster. Add --engine ray"),
    ],
)
def test_python_refuses_what_the_command_line_does(
    more: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ProtocolError) as refused:
        lk.reproduce("fata2023", tmp_path / "out", **more)
    assert words in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_one_edition_or_condition_may_be_a_text(tmp_path: Path) -> None:
    only = "backbone=vgg16,epochs=10,optimiser=adam"
    made = lk.reproduce("fata2023", tmp_path, editions="leak-free", only=only, reading="full")
    assert [one.cell.edition for one in made.outcomes] == ["leak-free"]
    request = Request("fata2023", editions="leak-free", only=only)  # type: ignore[arg-type]
    assert (request.editions, request.only) == (("leak-free",), (only,))


@pytest.mark.parametrize(
    ("paper", "setting", "advice"),
    [
        ("varol2024", "optimiser.name=adam", "Use --only optimiser=adam."),
        ("varol2024", "preprocess.size=48", "Use --only size=48."),
        ("varol2024", "preprocess.size=64", "None of its values is that: 32, 48 can be chosen"),
        ("varol2024", "training.epochs=50", "Use --only epochs=50."),
        ("varol2024", "model.name=cnn-2", "Use --only network=2."),
        ("murtoza2023", "model.name=vgg16", "Use --only backbone=vgg16."),
        ("bhavsar2023", "seed=3", "Use --only dataset=3."),
    ],
)
def test_a_key_that_an_axis_sets_is_chosen_with_only(
    paper: str, setting: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", paper, "--plan", "--set", setting]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--set {setting}: the axis '" in said
    assert advice in said


@pytest.mark.parametrize(
    ("paper", "only", "setting"),
    [
        ("varol2024", "optimiser=adam,approach1", "optimiser.name=adam"),  # its own name
        ("varol2024", "approach1", "training.batch_size=8"),
        ("fata2023", "epochs=10", "preprocess.size=32"),
        # It goes with the networks, and is not what they are called by.
        ("cnmc2019", "network=resnet50", "preprocess.size=32"),
        ("abed2022", "main,network=simple-cnn", "training.epochs=2"),  # no axis of that arm
    ],
)
def test_keys_that_name_nothing_may_be_set(paper: str, only: str, setting: str) -> None:
    assert main(["reproduce", paper, "--plan", "--only", only, "--set", setting]) == 0
